"""Sparse matrices over Fr in compressed rows, their product with a witness, and the question an R1CS asks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Field


@dataclass(frozen=True)
class Matrix:
    """Row i has ``signals[row_starts[i]:row_starts[i + 1]]`` with those ``values``; a signal may come twice (a sum)."""

    row_starts: NDArray[np.int64]  # [n_rows + 1]
    signals: NDArray[np.uint32]  # [nnz]
    values: Array  # [nnz, limbs], canonical

    @property
    def n_rows(self) -> int:
        return len(self.row_starts) - 1

    @cached_property
    def rows(self) -> NDArray[np.uint32]:
        """The row of each entry, ``[nnz]``."""
        return np.repeat(np.arange(self.n_rows, dtype=np.uint32), np.diff(self.row_starts))

    def times(self, field: Field, witness: Array, backend: Backend) -> Array:
        """The product with ``witness`` ``[n_wires, limbs]``: ``[n_rows, limbs]``. Cost: nnz multiplications."""
        products = backend.field(field, "mul", self.values, np.ascontiguousarray(witness[self.signals]))
        return _row_sums(field, products, self.row_starts, backend)


def _row_sums(field: Field, elements: Array, row_starts: NDArray[np.int64], backend: Backend) -> Array:
    """Sums of consecutive elements mod p, without a loop. Most rows of a circuit have one element: it is the sum."""
    counts = np.diff(row_starts)
    sums = np.zeros((len(counts), elements.shape[1]), dtype=np.uint64)
    single, several = np.flatnonzero(counts == 1), np.flatnonzero(counts > 1)
    sums[single] = elements[row_starts[single]]
    if len(several):
        chosen = np.repeat(counts > 1, counts)
        starts = np.cumsum(counts[several]) - counts[several]
        sums[several] = _segment_sums(field, elements[chosen], starts, backend)
    return sums


def _segment_sums(field: Field, elements: Array, starts: NDArray[np.int64], backend: Backend) -> Array:
    """Sums mod p of the elements from each start to the next.

    Elements are cut into 32-bit digits; a sum of fewer than 2^32 digits fits a 64-bit word. The sum of the low four
    digits and that of the rest are each below 2^160, so below p, and recombine by one multiplication by 2^128.
    """
    digits = np.ascontiguousarray(elements).view("<u4").astype(np.uint64)
    totals = np.add.reduceat(digits, starts, axis=0)
    low, high = (_carry(totals[:, i : i + 4], field.limbs) for i in (0, 4))
    weight = np.broadcast_to(encode_elements(field, [1 << 128]), high.shape)
    return backend.field(field, "add", low, backend.field(field, "mul", high, np.ascontiguousarray(weight)))


def _carry(digits: Array, limbs: int) -> Array:
    """Four columns of digits to base 2^32, each below 2^64, as elements ``[n, limbs]``."""
    result = np.zeros((len(digits), 2 * limbs), dtype="<u4")
    carry = np.zeros(len(digits), dtype=np.uint64)
    for i in range(4):
        # A digit is below 2^32 * nnz and the carry below 2^32: no overflow while nnz < 2^32 - 1.
        total = digits[:, i] + carry
        result[:, i] = total & np.uint64(0xFFFFFFFF)
        carry = total >> np.uint64(32)
    result[:, 4] = carry
    return result.view(np.uint64)


def first_unsatisfied(
    field: Field, matrices: tuple[Matrix, Matrix, Matrix], witness: Array, backend: Backend
) -> int | None:
    """The first row where (A w)(B w) is not C w, or ``None``."""
    a, b, c = (matrix.times(field, witness, backend) for matrix in matrices)
    wrong = np.flatnonzero((backend.field(field, "mul", a, b) != c).any(axis=1))
    return int(wrong[0]) if len(wrong) else None


def check_satisfied(
    field: Field, matrices: tuple[Matrix, Matrix, Matrix], witness: Array, backend: Backend | None = None
) -> None:
    """Demand that every constraint holds for ``witness`` ``[n_wires, limbs]``.

    Cost: three sparse products. Raises :class:`UnsatisfiedCircuit` naming the first constraint that does not hold and
    how many signals it ties together, never a value; :class:`MalformedInput` if the witness is too short.
    """
    n_wires = max((int(matrix.signals.max()) + 1 for matrix in matrices if len(matrix.signals)), default=0)
    if len(witness) < n_wires:
        raise MalformedInput(f"witness: {len(witness)} values, the constraints speak of {n_wires} wires")
    row = first_unsatisfied(field, matrices, witness, backend or select())
    if row is not None:
        signals = {int(s) for m in matrices for s in m.signals[m.row_starts[row] : m.row_starts[row + 1]]}
        names = ", ".join(map(str, sorted(signals)[:8])) + (", ..." if len(signals) > 8 else "")
        raise UnsatisfiedCircuit(
            f"constraint {row} of {matrices[0].n_rows} does not hold; it ties the wires {names or 'of no signal'}"
        )
