"""Points at the verifier's border: range, curve and subgroup checks, and their big-endian bytes.

Bytes are EIP-197's: big-endian coordinates of 8 * limbs bytes, an element of Fq2 as c1 then c0, infinity as
zeros. For bn254 that is what ``alt_bn128`` precompiles and syscalls read (64 bytes in G1, 128 in G2).
"""

import numpy as np

from proofgrid.kernels.arrays import Array, decode_elements, decode_points, encode_elements, is_canonical
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Group
from proofgrid.verifier.refusals import Reason, RefusedInput


def require_point(group: Group, point: Array, what: str) -> Array:
    """A read-only copy of one point ``uint64[*point_shape]`` with coordinates below q; not a curve check.

    Raises :class:`RefusedInput` with ``document`` for another shape and ``coordinate_range``.
    """
    if point.dtype != np.uint64 or point.shape != group.point_shape:
        raise RefusedInput(
            f"{what}: expected uint64{list(group.point_shape)} for {group.curve_name}.{group.name}, "
            f"got {point.dtype}{list(point.shape)}",
            Reason.DOCUMENT,
        )
    if not is_canonical(group.coordinate, point).all():
        raise RefusedInput(
            f"{what}: a coordinate is not below {group.coordinate.name}'s modulus", Reason.COORDINATE_RANGE
        )
    copy = np.array(point, dtype=np.uint64, order="C")
    copy.setflags(write=False)
    return copy


def refusal_of_points(group: Group, points: Array, backend: Backend) -> dict[int, Reason]:
    """The points ``uint64[n, *point_shape]`` that are not in the group of order r, and why.

    Cost: one subgroup check for each point (none in bn254's G1, whose cofactor is one).
    """
    refused = np.flatnonzero(~backend.check_points(group, points))
    return {int(i): _diagnose(group, points[i]) for i in refused}


def _diagnose(group: Group, point: Array) -> Reason:
    if not is_canonical(group.coordinate, point).all():
        return Reason.COORDINATE_RANGE
    return Reason.NOT_IN_SUBGROUP if is_on_curve(group, point) else Reason.NOT_ON_CURVE


def is_on_curve(group: Group, point: Array) -> bool:
    """Does one point ``uint64[*point_shape]`` satisfy y^2 = x^3 + b? In Python integers, for a refusal's name."""
    curve, (affine,) = group.curve, decode_points(group, point[np.newaxis])
    if affine is None:
        return True
    q, (x, y) = curve.q, affine
    if isinstance(x, int) and isinstance(y, int):
        return (y * y - x * x * x - curve.b) % q == 0
    if isinstance(x, tuple) and isinstance(y, tuple):
        cube, square = _mul2(x, _mul2(x, x)), _mul2(y, y)
        return all((square[i] - cube[i] - curve.b2[i]) % q == 0 for i in (0, 1))
    return False


def _mul2(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0])


def is_infinity(point: Array) -> bool:
    return not point.any()


def point_size(group: Group) -> int:
    """Bytes of one encoded point."""
    return int(np.prod(group.point_shape)) * 8


def encode_point_be(group: Group, point: Array) -> bytes:
    """One canonical point ``uint64[*point_shape]`` as big-endian bytes; G2 as x.c1, x.c0, y.c1, y.c0."""
    if group.name == "g2":
        point = point[:, ::-1]
    return np.ascontiguousarray(point[..., ::-1]).astype(">u8").tobytes()


def decode_point_be(group: Group, data: bytes, what: str) -> Array:
    """The inverse of :func:`encode_point_be`; raises :class:`RefusedInput` for a wrong length or range."""
    if len(data) != point_size(group):
        raise RefusedInput(f"{what}: expected {point_size(group)} bytes, got {len(data)}", Reason.DOCUMENT)
    point = np.frombuffer(data, dtype=">u8").astype(np.uint64).reshape(group.point_shape)[..., ::-1]
    return require_point(group, point[:, ::-1] if group.name == "g2" else point, what)


def negate(group: Group, points: Array) -> Array:
    """-P for each canonical point ``uint64[n, *point_shape]``; infinity is its own."""
    field, ordinates = group.coordinate, points[:, 1].reshape(-1, group.coordinate.limbs)
    negated = np.array(points, dtype=np.uint64, order="C")
    numbers = [-y % field.modulus for y in decode_elements(ordinates)]
    negated[:, 1] = encode_elements(field, numbers).reshape(negated[:, 1].shape)
    return negated
