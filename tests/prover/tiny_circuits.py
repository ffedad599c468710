"""Constraint systems written out by hand, and their polynomials by definition."""

import numpy as np

from proofgrid.kernels.arrays import encode_elements
from proofgrid.kernels.curves import Curve
from proofgrid.prover.formats.matrices import Matrix
from proofgrid.prover.formats.r1cs import R1cs

Row = list[tuple[int, int]]  # (wire, value) pairs; a wire may come twice


def matrix(curve: Curve, rows: list[Row]) -> Matrix:
    entries = [entry for row in rows for entry in row]
    return Matrix(
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        np.array([wire for wire, _ in entries], dtype=np.uint32),
        encode_elements(curve.Fr, [value % curve.r for _, value in entries]).reshape(-1, curve.Fr.limbs),
    )


def circuit(curve: Curve, n_wires: int, n_public: int, constraints: list[tuple[Row, Row, Row]]) -> R1cs:
    """A system with ``n_public`` public inputs and no outputs."""
    a, b, c = (matrix(curve, [constraint[k] for constraint in constraints]) for k in range(3))
    return R1cs(
        curve=curve,
        n_wires=n_wires,
        n_outputs=0,
        n_public_inputs=n_public,
        n_private_inputs=n_wires - n_public - 1,
        n_labels=n_wires,
        n_constraints=len(constraints),
        a=a,
        b=b,
        c=c,
        labels=np.arange(n_wires, dtype=np.uint64),
    )


def mixed(curve: Curve) -> tuple[R1cs, list[int]]:
    """Wires 1, p, unused public u, x, y, z, idle; and a witness.

    It has an empty combination, a wire named twice in one, a constant, a public input in no constraint, a wire in none.
    """
    constraints: list[tuple[Row, Row, Row]] = [
        ([(3, 1)], [(3, 1)], [(4, 1)]),  # x * x = y
        ([(3, 2), (3, -1), (0, 5)], [(4, 3)], [(5, 1)]),  # (x + 5) * 3y = z
        ([(5, 1), (0, 1)], [(0, 1)], [(1, 1)]),  # z + 1 = p
        ([], [(5, 7)], []),  # 0 * 7z = 0
    ]
    x = 11
    y, z = x * x % curve.r, (x + 5) * 3 * x * x % curve.r
    return circuit(curve, 7, 2, constraints), [1, (z + 1) % curve.r, 99, x, y, z, 1234]


def lagrange_by_definition(curve: Curve, log_n: int, tau: int) -> list[int]:
    """prod over j != i of (tau - w^j) / (w^i - w^j)."""
    r, w = curve.r, curve.Fr.root_of_unity(log_n)
    roots = [pow(w, i, r) for i in range(1 << log_n)]
    values = []
    for i, root in enumerate(roots):
        value = 1
        for j, other in enumerate(roots):
            if i != j:
                value = value * (tau - other) * pow(root - other, -1, r) % r
        values.append(value)
    return values
