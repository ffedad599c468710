"""Conversions between Python integers and the kernels' arrays, and the checks at their border."""

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import Field, Group

Array = NDArray[np.uint64]
AffinePoint = tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] | None


def encode_elements(field: Field, values: Iterable[int]) -> Array:
    """Integers to canonical ``uint64[n, limbs]``; raises :class:`MalformedInput` outside [0, p)."""
    numbers = list(values)
    for index, value in enumerate(numbers):
        if not 0 <= value < field.modulus:
            raise MalformedInput(f"element {index} is outside [0, {field.name}'s modulus)")
    data = b"".join(value.to_bytes(field.n_bytes, "little") for value in numbers)
    return np.frombuffer(data, dtype="<u8").reshape(len(numbers), field.limbs).astype(np.uint64)


def decode_elements(array: Array) -> list[int]:
    """``uint64[n, limbs]`` to integers."""
    width = 8 * array.shape[-1]
    data = np.ascontiguousarray(array, dtype="<u8").tobytes()
    return [int.from_bytes(data[i : i + width], "little") for i in range(0, len(data), width)]


def encode_points(group: Group, points: Sequence[AffinePoint]) -> Array:
    """Affine points (``None`` is infinity) to canonical ``uint64[n, *group.point_shape]``."""
    coordinates: list[int] = []
    per_point = 2 if group.name == "g1" else 4
    for point in points:
        if point is None:
            coordinates += [0] * per_point
        elif group.name == "g1":
            coordinates += cast(tuple[int, int], point)
        else:
            (x0, x1), (y0, y1) = cast(tuple[tuple[int, int], tuple[int, int]], point)
            coordinates += (x0, x1, y0, y1)
    return encode_elements(group.coordinate, coordinates).reshape(len(points), *group.point_shape)


def decode_points(group: Group, array: Array) -> list[AffinePoint]:
    """The inverse of :func:`encode_points`."""
    numbers = decode_elements(array.reshape(-1, group.coordinate.limbs))
    if group.name == "g1":
        return [(x, y) if x or y else None for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    quads = zip(numbers[::4], numbers[1::4], numbers[2::4], numbers[3::4], strict=True)
    return [((a, b), (c, d)) if a or b or c or d else None for a, b, c, d in quads]


def is_canonical(field: Field, array: Array) -> NDArray[np.bool_]:
    """For each element of ``uint64[..., limbs]``: is it below the modulus? Shape ``array.shape[:-1]``."""
    modulus = [(field.modulus >> (64 * i)) & (2**64 - 1) for i in range(field.limbs)]
    less = np.zeros(array.shape[:-1], dtype=np.bool_)
    equal = np.ones(array.shape[:-1], dtype=np.bool_)
    for i in reversed(range(field.limbs)):
        limb = np.uint64(modulus[i])
        less |= equal & (array[..., i] < limb)
        equal &= array[..., i] == limb
    return less


def require_elements(field: Field, array: Array, what: str) -> Array:
    """``array`` as contiguous canonical ``uint64[n, limbs]`` or :class:`MalformedInput`."""
    if array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != field.limbs:
        raise MalformedInput(
            f"{what}: expected uint64[n, {field.limbs}] for {field.name}, got {array.dtype}{list(array.shape)}"
        )
    if not is_canonical(field, array).all():
        index = int(np.flatnonzero(~is_canonical(field, array))[0])
        raise MalformedInput(f"{what}: element {index} is not below the modulus of {field.name}")
    return np.ascontiguousarray(array)


def require_points(group: Group, array: Array, what: str) -> Array:
    """``array`` as contiguous ``uint64[n, *point_shape]`` or :class:`MalformedInput`; not a curve check."""
    if array.dtype != np.uint64 or array.shape[1:] != group.point_shape:
        raise MalformedInput(
            f"{what}: expected uint64[n, {', '.join(map(str, group.point_shape))}] for "
            f"{group.curve_name}.{group.name}, got {array.dtype}{list(array.shape)}"
        )
    return np.ascontiguousarray(array)


def require_output(out: Array, shape: tuple[int, ...]) -> Array:
    """``out`` if a result of this shape can be written there; raises MalformedInput."""
    if not isinstance(out, np.ndarray) or out.dtype != np.uint64 or out.shape != shape:
        raise MalformedInput(f"out: expected uint64{list(shape)}")
    if not out.flags.c_contiguous or not out.flags.aligned or not out.flags.writeable:
        raise MalformedInput("out: expected a contiguous, aligned array that may be written")
    return out
