"""Proofs, true and false, and what is wrong with each of the false ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from proofgrid.settlement.layout.batches import PROOF_DIGEST_HEAD
from tests.settlement.instances import Instance, instance, r

FIRST, SECOND = instance(1), instance(2)
KEYS = (FIRST, SECOND)


@dataclass(frozen=True)
class Specimen:
    """A statement and a proof that claims it, under the key of this digest."""

    given: Instance
    key: bytes

    @property
    def inputs(self) -> tuple[bytes, ...]:
        return tuple(value.to_bytes(32, "big") for value in self.given.inputs)


TRUE = tuple(Specimen(given, given.digest) for given in KEYS)
_OFF_CURVE = FIRST.with_points(a=(1, 1))
FALSE = (
    Specimen(FIRST.with_points(c=FIRST.a), FIRST.digest),
    Specimen(_OFF_CURVE, FIRST.digest),
    Specimen(replace(FIRST, inputs=(FIRST.inputs[0] + r,)), FIRST.digest),
    Specimen(replace(FIRST, inputs=()), FIRST.digest),
    Specimen(SECOND.with_points(c=SECOND.a), SECOND.digest),
)
_TRUE = frozenset((one.key, one.given.inputs, one.given.proof) for one in TRUE)


def breaches(key: bytes, inputs: Sequence[int], proof: bytes) -> tuple[bool, str]:
    """Whether the proof holds, and the refusal if it does not; every proof here is a specimen's."""
    if (key, tuple(inputs), proof) in _TRUE:
        return True, ""
    if any(value >= r for value in inputs):
        return False, "InputOutOfRange"
    return False, "MalformedProof" if proof == _OFF_CURVE.proof else "InvalidProof"


def words_of(data: bytes) -> list[int]:
    """Whole words of 32 bytes, big-endian."""
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


def digest_of(proof: bytes) -> bytes:
    return sha256(PROOF_DIGEST_HEAD + proof).digest()
