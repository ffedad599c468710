"""Wires whose points in A and B1 are equal or opposite: those of squarings and of bits. One sum serves both.

Wire i has the points u_i(tau) and v_i(tau) there, for the columns u_i, v_i of the constraints' left and right matrices,
and in x * x = y, or b * (b - 1) = 0, a wire enters both alike (some compilers negate one side). So with plus and minus
the wires where B1's point is A's and its opposite,

    A = sum over the others + sum over plus + sum over minus      of w_i A_i
    B1 = sum over the others + sum over plus - sum over minus

and each of plus and minus is added up once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.prover.formats.zkey import Zkey

Bits = NDArray[np.uint8]
"""A bit a wire, as ``MsmJob.chosen`` takes them."""

_WORTHWHILE = 16
_BLOCK = 1 << 13


@dataclass(frozen=True, eq=False)
class AlikeWires:
    """``plus`` and ``minus``, and the ``others``, those of neither; what is None is not worth a sum of its own."""

    plus: Bits | None
    minus: Bits | None
    others: Bits | None


def alike_wires(zkey: Zkey, backend: Backend) -> AlikeWires:
    """The key's wires by how their points in A and B1 compare.

    A class below a 16th of the wires is left among the others: a sum has a cost of its own. Cost: one pass over both
    arrays, at the speed of memory. Raises :class:`~proofgrid.errors.MalformedInput` for a coordinate >= q.
    """
    n, field = len(zkey.a_mont), zkey.curve.Fq
    equal, opposite = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for start in range(0, n, _BLOCK):
        block = slice(start, start + _BLOCK)
        a, b1 = zkey.a_mont[block], zkey.b1_mont[block]
        same_x = _is_zero(a[:, 0] ^ b1[:, 0]) & ~_is_zero(a[:, 0])  # infinity is left among the others
        equal[block] = same_x & _is_zero(a[:, 1] ^ b1[:, 1])
        different = np.flatnonzero(same_x & ~equal[block])
        opposite[start + different] = _is_zero(backend.field(field, "neg", a[different, 1]) ^ b1[different, 1])
    plus, minus = (wires if _WORTHWHILE * np.count_nonzero(wires) >= n else None for wires in (equal, opposite))
    if plus is None and minus is None:
        return AlikeWires(None, None, None)
    others = np.ones(n, np.bool_)
    for wires in (plus, minus):
        if wires is not None:
            others &= ~wires
    return AlikeWires(_bits(plus), _bits(minus), _bits(others))


def _bits(wires: NDArray[np.bool_] | None) -> Bits | None:
    return None if wires is None else np.packbits(wires, bitorder="little")


def _is_zero(elements: Array) -> NDArray[np.bool_]:
    """Of each element, ``[n, limbs] -> [n]``."""
    words = elements[:, 0].copy()
    for limb in range(1, elements.shape[1]):
        words |= elements[:, limb]
    zero: NDArray[np.bool_] = words == 0
    return zero
