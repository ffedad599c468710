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

from proofgrid.kernels.backend import Backend
from proofgrid.prover.formats.zkey import Zkey

Bits = NDArray[np.uint8]
"""A bit a wire, as ``MsmJob.chosen`` takes them."""

_WORTHWHILE = 16


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
    a, b1 = zkey.a_mont, zkey.b1_mont
    same_x = np.flatnonzero((a[:, 0] == b1[:, 0]).all(axis=1) & a.any(axis=(1, 2)))
    if _WORTHWHILE * len(same_x) < len(a):
        return AlikeWires(None, None, None)
    y, y_b1 = a[same_x, 1], b1[same_x, 1]
    equal = (y == y_b1).all(axis=1)
    opposite = (backend.field(zkey.curve.Fq, "neg", y) == y_b1).all(axis=1) & ~equal
    others, classes = np.ones(len(a), np.bool_), []
    for same in (equal, opposite):
        wires = np.zeros(len(a), np.bool_)
        wires[same_x[same]] = True
        worthwhile = _WORTHWHILE * np.count_nonzero(same) >= len(a)
        others &= ~wires | (not worthwhile)
        classes.append(np.packbits(wires, bitorder="little") if worthwhile else None)
    plus, minus = classes
    return AlikeWires(plus, minus, np.packbits(others, bitorder="little"))
