"""A key and proofs whose verdicts are known, made from small secrets that everybody knows."""

from proofgrid.kernels.arrays import Array, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import BN254, Group
from proofgrid.models import Submission
from proofgrid.network.judging.cases import Case, Key
from proofgrid.verifier.keys import Proof, VerifyingKey

_ALPHA, _BETA, _GAMMA, _DELTA, _IC, _INPUT, _C = 2, 3, 5, 7, (11, 13), 17, 19


def known_cases(backend: Backend) -> tuple[Key, Case, Case]:
    """A key of one public input, a true case and a false one: A B = alpha beta + IC gamma + C delta with B = 1."""
    a = _ALPHA * _BETA + (_IC[0] + _INPUT * _IC[1]) * _GAMMA + _C * _DELTA
    one, two = BN254.g1, BN254.g2
    in_g1 = _multiples(one, [_ALPHA, *_IC, a, _C], backend)
    in_g2 = _multiples(two, [_BETA, _GAMMA, _DELTA, 1], backend)
    beta, gamma, delta, b = in_g2
    key = VerifyingKey(BN254, in_g1[0], beta, gamma, delta, in_g1[1:3], backend=backend)
    proof = Proof(BN254, in_g1[3], b, in_g1[4]).to_json()
    true, false = (
        Case(Submission(proof=proof, public_inputs=(str(value),)).model_dump_json().encode())
        for value in (_INPUT, _INPUT + 1)
    )
    return Key(key.digest().hex(), key.to_json()), true, false


def _multiples(group: Group, scalars: list[int], backend: Backend) -> Array:
    generator = BN254.g1_generator if group.name == "g1" else BN254.g2_generator
    return backend.scale(group, encode_points(group, [generator])[0], encode_elements(group.scalar, scalars))
