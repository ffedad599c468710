"""The Groth16 prover (eprint 2016/260, section 3.2, with the quotient taken in the Lagrange basis as snarkjs does)."""

import secrets
from collections.abc import Sequence

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Group
from proofgrid.prover.formats.wtns import require_witness
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.prover.groth16.keys import canonical_points
from proofgrid.verifier.keys import Proof

_STEPS = {"quotient": 5, "a": 15, "b1": 15, "b2": 35, "c": 15, "h": 15}
"""Percent of a dense proof's time."""


def prove(
    zkey: Zkey, witness: Array, *, backend: Backend | None = None, control: Control | None = None
) -> tuple[Proof, list[int]]:
    """A proof and its public inputs, from a key and a witness ``uint64[n_vars, 4]`` (canonical, wire 0 is one).

    Zero-knowledge: blinded by two scalars from the operating system's randomness, so no two proofs are equal. It
    does **not** check that the witness satisfies the circuit; a false witness gives a false proof
    (:func:`~proofgrid.prover.groth16.keys.require_true` tells). Cost: six NTTs of the domain, four MSMs in G1, one
    in G2, each over the mapped key without a copy. Variable time. Raises :class:`MalformedInput` and
    :class:`~proofgrid.errors.Cancelled`.
    """
    r = zkey.curve.r
    return _prove(
        zkey, witness, (secrets.randbelow(r), secrets.randbelow(r)), backend or select(), control or Control()
    )


def _prove(
    zkey: Zkey, witness: Array, blinding: tuple[int, int], backend: Backend, control: Control
) -> tuple[Proof, list[int]]:
    """:func:`prove` with its two blinding scalars given; only tests may fix them."""
    _require_length(zkey, witness)
    curve, (r, s) = zkey.curve, blinding
    control.expect(sum(_STEPS.values()))

    with control.share(_STEPS["quotient"]) as part:
        h_scalars = backend.quotient(curve.Fr, zkey.coefficients, witness, zkey.log_domain, control=part)

    def msm(name: str, group: Group, bases_mont: Array, scalars: Array) -> Array:
        with control.share(_STEPS[name]) as part:
            return backend.msm(group, bases_mont, scalars, bases_mont=True, control=part)

    h_sum = msm("h", curve.g1, zkey.h_mont, h_scalars)
    a_sum = msm("a", curve.g1, zkey.a_mont, witness)
    b1_sum = msm("b1", curve.g1, zkey.b1_mont, witness)
    b2_sum = msm("b2", curve.g2, zkey.b2_mont, witness)
    c_sum = msm("c", curve.g1, zkey.c_mont, witness[zkey.n_public + 1 :])

    alpha1, beta1, delta1 = (
        canonical_points(curve.g1, point, backend) for point in (zkey.alpha1_mont, zkey.beta1_mont, zkey.delta1_mont)
    )
    beta2, delta2 = (canonical_points(curve.g2, point, backend) for point in (zkey.beta2_mont, zkey.delta2_mont))
    a = _combine(curve.g1, [a_sum, alpha1, delta1], [1, 1, r], backend)
    b2 = _combine(curve.g2, [b2_sum, beta2, delta2], [1, 1, s], backend)
    b1 = _combine(curve.g1, [b1_sum, beta1, delta1], [1, 1, s], backend)
    c = _combine(curve.g1, [c_sum, h_sum, a, b1, delta1], [1, 1, s, r, -r * s], backend)
    return Proof(curve, a, b2, c), decode_elements(witness[1 : zkey.n_public + 1])


def _require_length(zkey: Zkey, witness: Array) -> None:
    require_witness(zkey.curve, witness, "witness")
    if len(witness) != zkey.n_vars:
        raise MalformedInput(
            f"witness: {len(witness)} values, the proving key's circuit has {zkey.n_vars}; are they of one circuit?"
        )


def _combine(group: Group, points: Sequence[Array], factors: Sequence[int], backend: Backend) -> Array:
    """sum of factors[i] * points[i] over a few canonical points."""
    scalars = encode_elements(group.scalar, [factor % group.scalar.modulus for factor in factors])
    return backend.msm(group, np.stack(points), scalars)
