"""Is an answer right? A check costs a small part of what the answer cost (figures: docs/admission.md)."""

import secrets
from collections.abc import Sequence

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.arrays import encode_elements, encode_points, is_canonical
from proofgrid.kernels.backend import Backend
from proofgrid.network.admission.trapdoor import Trapdoor, inner_product
from proofgrid.prover.challenges import squares
from proofgrid.prover.challenges.expansion import expand
from proofgrid.prover.challenges.kernels import (
    CURVE,
    POINT_BYTES,
    decode_values,
    encode_point,
    split_sums,
    step_seed,
)
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import Proof, VerifyingKey

CHECKED_STEPS = 3
"""Of a chain of MSMs, drawn after the answer came: who leaves out a share f of the steps passes with (1 - f)^3."""


def check_msm(trapdoor: Trapdoor, seed: bytes, steps: int, answer: bytes, *, checked: Sequence[int] = ()) -> None:
    """Raise :class:`InvalidProof` unless the drawn steps of a chain of MSMs are right, MalformedInput for its form.

    ``checked`` names the steps instead of drawing them; only tests do. Cost a step: the scalars, one inner product mod
    r and one scalar multiplication. A sum is compared as bytes, so it need not be checked to lie on the curve.
    """
    sums = split_sums(answer, steps)
    chosen = sorted(checked or secrets.SystemRandom().sample(range(steps), min(CHECKED_STEPS, steps)))
    logs, backend = trapdoor.logs, trapdoor.backend
    expected = []
    for step in chosen:
        before = sums[step - 1] if step else bytes(POINT_BYTES)
        expected.append(inner_product(expand(step_seed(seed, step, before), len(logs)), logs, backend))
    generator = encode_points(CURVE.g1, [CURVE.g1_generator])[0]
    points = backend.scale(CURVE.g1, generator, encode_elements(CURVE.Fr, expected))
    for step, point in zip(chosen, points, strict=True):
        if encode_point(point) != sums[step]:
            raise InvalidProof(f"sum {step} of {steps} is not the sum of the challenge's points with its scalars")


def check_ntt(trapdoor: Trapdoor, seed: bytes, log_n: int, steps: int, answer: bytes) -> None:
    """Raise :class:`InvalidProof` unless the vector is the chain's last, MalformedInput for its form.

    A wrong vector passes with probability 1 / r, whatever was answered before: the functional is uniform, secret, and
    shows itself in a yes or no alone. Cost: the seed's elements and two inner products; the first of a set and length
    makes the functional.
    """
    values = decode_values(answer, log_n)
    if not is_canonical(CURVE.Fr, values).all():
        raise MalformedInput("the answer holds a value that is not below r")
    rho, sigma = trapdoor.functional(log_n, steps)
    backend = trapdoor.backend
    if inner_product(rho, values, backend) != inner_product(sigma, expand(seed, 1 << log_n), backend):
        raise InvalidProof(f"the vector is not what {steps} transforms of the challenge's elements give")


def check_proof(key: VerifyingKey, seed: bytes, log_n: int, proof: Proof, backend: Backend | None = None) -> None:
    """Raise :class:`InvalidProof` unless the proof is of the challenge's statement.

    Cost: a squaring in Python for each step of the circuit, and one verification.
    """
    verify(key, squares.public_inputs(squares.start(seed), log_n), proof, backend=backend)
