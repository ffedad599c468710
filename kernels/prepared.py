"""Fixed bases and fixed points of G2 turned once into a backend's own layout, and several MSMs asked for at once."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import Curve, Group

ALIGNMENT = 64
"""Bytes to a multiple of which prepared bases begin."""


@dataclass(frozen=True, eq=False)
class PreparedBases:
    """``n`` points of ``group`` in the layout that ``form`` names; ``data`` is ``uint8[...]``, 64-byte aligned.

    Made by ``Backend.prepare``, or read from where its ``data`` was stored: a backend takes those whose ``form`` is its
    own ``prepared_form(group)``. Bytes that were damaged in between give a wrong sum and do no other harm. With
    ``multiples`` of each base, 2^d times the one before, a sum has fewer buckets to add up.
    """

    group: Group
    form: str
    n: int
    data: NDArray[np.uint8]
    multiples: int = 1

    def __len__(self) -> int:
        return self.n


class MsmJob(NamedTuple):
    """sum of scalars[i] * bases[i]: bases ``[n, *point_shape]``, canonical or ``bases_mont``, or prepared.

    ``chosen`` leaves out terms: ``uint8[ceil(n / 8)]``, bit i % 8 of byte i // 8 set for each term that counts
    (``np.packbits`` with ``bitorder="little"``). Scalars that are left out are checked all the same.
    """

    group: Group
    bases: Array | PreparedBases
    scalars: Array
    bases_mont: bool = False
    chosen: NDArray[np.uint8] | None = None

    def chosen_bits(self) -> NDArray[np.uint8] | None:
        """``chosen`` if it has a bit for each term, else :class:`~proofgrid.errors.MalformedInput`."""
        bits, size = self.chosen, -(-len(self.scalars) // 8)
        if bits is None:
            return None
        if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8 or bits.shape != (size,):
            raise MalformedInput(f"chosen: expected uint8[{size}], a bit for each of {len(self.scalars)} terms")
        return np.ascontiguousarray(bits)


@dataclass(frozen=True, eq=False)
class PairingLines:
    """What a pairing reads of its second arguments: points of ``curve``'s G2 in the layout that ``form`` names.

    ``valid`` is ``bool[n]``: what ``Backend.check_points`` says of each point; a product with one that is not valid is
    zero. Made by ``Backend.pairing_lines`` and taken by the same backend's ``pairing_of_lines``; not for storing.
    """

    curve: Curve
    form: str
    valid: NDArray[np.bool_]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.valid)


def aligned_bytes(size: int) -> NDArray[np.uint8]:
    """``uint8[size]``, 64-byte aligned, uninitialised."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def require_form(bases: PreparedBases, group: Group, form: str, n_bytes: int) -> NDArray[np.uint8]:
    """``bases.data`` if they are of that group, form and size, else :class:`~proofgrid.errors.MalformedInput`."""
    if bases.form != form or bases.group != group:
        raise MalformedInput(
            f"bases: prepared as {bases.form!r}, expected {form!r}; prepare them again with this backend"
        )
    data = bases.data
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (n_bytes,):
        raise MalformedInput(f"bases: {bases.n} of form {form!r} take uint8[{n_bytes}]; prepare them again")
    if (data.size and data.ctypes.data % ALIGNMENT) or not data.flags.c_contiguous:
        raise MalformedInput(f"bases: prepared data must lie at a multiple of {ALIGNMENT} bytes; copy them there")
    return data


def require_multiples(multiples: int) -> int:
    """``multiples`` if it is a number of them, else :class:`~proofgrid.errors.MalformedInput`."""
    if not isinstance(multiples, int) or multiples < 1:
        raise MalformedInput(f"multiples: expected an integer from 1 on, got {multiples!r}")
    return multiples


def require_lines(lines: PairingLines, curve: Curve, form: str, n_bytes: int) -> NDArray[np.uint8]:
    """``lines.data`` if they are of that curve and form, ``n_bytes`` a point; else :class:`MalformedInput`."""
    if lines.curve != curve or lines.form != form:
        raise MalformedInput(
            f"lines: prepared as {lines.form!r} for {lines.curve.name}, expected {form!r} for {curve.name}; "
            "prepare them again with this backend"
        )
    if lines.data.dtype != np.uint8 or lines.data.shape != (len(lines) * n_bytes,):
        raise MalformedInput(f"lines: {len(lines)} points of form {form!r} take uint8[{len(lines) * n_bytes}]")
    return lines.data
