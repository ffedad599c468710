"""Synthetic circuits of any size, for benchmarks and tests."""

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.curves import BN254, Curve
from proofgrid.prover.formats.matrices import Matrix
from proofgrid.prover.formats.r1cs import R1cs


def square_chain(n_constraints: int, curve: Curve = BN254) -> R1cs:
    """x_(i+1) = x_i^2 + b, ``n_constraints`` times: a dense chain with one output and no cheap wire.

    Wires: 0 one, 1 the output x_n, 2 the public b, 3 the private x_0, then x_1 .. x_(n-1). Constraint i is
    x_i * x_i = x_(i+1) - b: each value is a full-size element after a few steps, so no MSM scalar is small.
    Groth16 over it needs a domain of at least ``n_constraints + 3``.
    """
    if n_constraints < 1:
        raise MalformedInput(f"a chain has at least one constraint, not {n_constraints}")
    x = np.arange(3, n_constraints + 4, dtype=np.uint32)
    x[-1] = 1
    one, minus_one = encode_elements(curve.Fr, [1, curve.r - 1])
    ones = np.tile(one, (n_constraints, 1))
    singles = np.arange(n_constraints + 1, dtype=np.int64)
    square = Matrix(singles, x[:-1].copy(), ones)
    next_signals = np.stack([x[1:], np.full(n_constraints, 2, dtype=np.uint32)], axis=1)
    next_values = np.stack([ones, np.tile(minus_one, (n_constraints, 1))], axis=1)
    result = Matrix(2 * singles, next_signals.reshape(-1), next_values.reshape(-1, curve.Fr.limbs))
    n_wires = n_constraints + 3
    return R1cs(
        curve=curve,
        n_wires=n_wires,
        n_outputs=1,
        n_public_inputs=1,
        n_private_inputs=1,
        n_labels=n_wires,
        n_constraints=n_constraints,
        a=square,
        b=square,
        c=result,
        labels=np.arange(n_wires, dtype=np.uint64),
    )


def square_chain_witness(n_constraints: int, x: int, b: int, curve: Curve = BN254) -> Array:
    """The witness of :func:`square_chain` that starts at ``x``: ``uint64[n_constraints + 3, limbs]``."""
    chain = [x % curve.r]
    for _ in range(n_constraints):
        chain.append((chain[-1] * chain[-1] + b) % curve.r)
    return encode_elements(curve.Fr, [1, chain[-1], b % curve.r, *chain[:-1]])
