"""The quadratic arithmetic program of a constraint system, at one point, and its coefficients as a zkey has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import COEFFICIENT, Backend
from proofgrid.prover.formats.matrices import Matrix
from proofgrid.prover.formats.r1cs import R1cs
from proofgrid.prover.groth16.lagrange import constant, lagrange_at


@dataclass(frozen=True)
class Qap:
    """A_i(tau), B_i(tau), C_i(tau) for each wire i: ``[n_wires, limbs]``, canonical."""

    a: Array
    b: Array
    c: Array


def log_domain(r1cs: R1cs) -> int:
    """log2 of the domain: the least power of two, 2 or more, that holds the constraints and a row per public wire."""
    rows = r1cs.n_constraints + r1cs.n_public + 1
    log_n = max(1, (rows - 1).bit_length())
    if log_n >= r1cs.curve.Fr.two_adicity:
        most = r1cs.curve.Fr.two_adicity - 1
        raise MalformedInput(f"{rows} rows need a domain of 2^{log_n}; {r1cs.curve.name} offers at most 2^{most}")
    return log_n


def extend_with_public(r1cs: R1cs) -> Matrix:
    """A with one row more for each public wire, that wire times one.

    The rows make A_i of the public wires linearly independent, so that no public input can be traded for another
    (snarkjs adds the same rows).
    """
    n = r1cs.n_public + 1
    public = np.arange(n, dtype=np.uint32)
    row_starts = np.concatenate([r1cs.a.row_starts, r1cs.a.row_starts[-1] + 1 + np.arange(n)])
    values = np.concatenate([r1cs.a.values, constant(r1cs.curve.Fr, 1, n)])
    return Matrix(row_starts, np.concatenate([r1cs.a.signals, public]), values)


def evaluate(r1cs: R1cs, tau: int, backend: Backend) -> Qap:
    """The QAP's polynomials at ``tau``, outside the domain. Cost: one multiplication per entry and per root."""
    lagrange = lagrange_at(r1cs.curve.Fr, tau, log_domain(r1cs), backend)
    a, b, c = (
        transpose(matrix, r1cs.n_wires).times(r1cs.curve.Fr, lagrange, backend)
        for matrix in (extend_with_public(r1cs), r1cs.b, r1cs.c)
    )
    return Qap(a, b, c)


def transpose(matrix: Matrix, n_columns: int) -> Matrix:
    """The transposed matrix; its rows keep the order of the original's."""
    order = np.argsort(matrix.signals, kind="stable")
    counts = np.bincount(matrix.signals, minlength=n_columns)
    return Matrix(np.concatenate([[0], np.cumsum(counts)]), matrix.rows[order], matrix.values[order])


def coefficients(r1cs: R1cs, backend: Backend) -> NDArray[np.void]:
    """Entries of A (with the public rows) and B as ``COEFFICIENT`` records, by constraint, A before B.

    Values are v * R^2 mod r: a Montgomery product with a canonical witness gives the Montgomery form.
    """
    field, matrices = r1cs.curve.Fr, (extend_with_public(r1cs), r1cs.b)
    records = np.empty(sum(len(matrix.signals) for matrix in matrices), dtype=COEFFICIENT)
    start = 0
    for number, matrix in enumerate(matrices):
        part = records[start : start + len(matrix.signals)]
        part["matrix"], part["constraint"], part["signal"] = number, matrix.rows, matrix.signals
        part["value"] = backend.to_mont(field, backend.to_mont(field, np.ascontiguousarray(matrix.values)))
        start += len(part)
    # Stable: within a constraint the entries of A come first, each in its own order.
    return records[np.argsort(records["constraint"], kind="stable")]
