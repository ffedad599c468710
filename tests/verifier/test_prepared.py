"""What is kept of a verifying key changes no answer, and serves no other key."""

from dataclasses import replace

import numpy as np
import pytest

from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BN254
from proofgrid.verifier.groth16 import is_valid, verify
from proofgrid.verifier.keys import VerifyingKey
from proofgrid.verifier.points import negate
from proofgrid.verifier.prepared import MOST_KEYS, prepare
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof
from tests.verifier.statements import Statement, another, statement
from tests.verifier.strange_points import off_curve, outside_subgroup


@pytest.fixture
def warm(given_statement: Statement) -> Statement:
    """A statement whose key has been prepared and used."""
    verify(given_statement.key, given_statement.inputs, given_statement.proof)
    return given_statement


def test_a_key_is_prepared_once(warm: Statement) -> None:
    backend = select()
    assert prepare(warm.key, backend) is prepare(warm.key, backend)
    assert not prepare(warm.key, backend).alpha_beta.flags.writeable


def test_tampered_proofs_are_refused_by_a_warm_key(warm: Statement) -> None:
    curve, inputs, proof = warm.curve, warm.inputs, warm.proof
    _, other = another(warm, 7)
    false = [replace(proof, **{name: getattr(other, name)}) for name in "abc"]
    false += [
        replace(proof, a=negate(curve.g1, proof.a[np.newaxis])[0]),
        replace(proof, b=negate(curve.g2, proof.b[np.newaxis])[0]),
        replace(proof, c=np.zeros_like(proof.c)),
        replace(proof, a=warm.key.alpha1, b=warm.key.beta2, c=np.zeros_like(proof.c)),
    ]
    assert not any(is_valid(warm.key, inputs, wrong) for wrong in false)
    assert not is_valid(warm.key, inputs[::-1], proof)
    for wrong, reason in (
        (replace(proof, b=outside_subgroup(curve.g2)), Reason.NOT_IN_SUBGROUP),
        (replace(proof, b=off_curve(curve.g2)), Reason.NOT_ON_CURVE),
        (replace(proof, b=np.zeros_like(proof.b)), Reason.POINT_AT_INFINITY),
        (replace(proof, a=off_curve(curve.g1)), Reason.NOT_ON_CURVE),
    ):
        with pytest.raises((RefusedInput, RefusedProof)) as caught:
            verify(warm.key, inputs, wrong)
        assert caught.value.reason is reason
    verify(warm.key, inputs, proof)


def tampered_keys(key: VerifyingKey) -> dict[str, VerifyingKey]:
    """Keys that differ in one member, all good points: a member doubled, negated, or two of them exchanged."""
    curve, backend = key.curve, select()

    def doubled(name: str) -> np.ndarray:
        point = getattr(key, name)[np.newaxis]
        return backend.add_points(curve.g1 if name == "alpha1" else curve.g2, point, point)[0]

    names = ("alpha1", "beta2", "gamma2", "delta2")
    keys = {name: replace(key, **{name: doubled(name)}) for name in names}
    opposite = negate(curve.g2, key.delta2[np.newaxis])[0]
    exchanged = replace(key, gamma2=key.delta2, delta2=key.gamma2)
    return keys | {"-delta2": replace(key, delta2=opposite), "exchanged": exchanged}


def test_a_warm_key_does_not_answer_for_one_that_differs(warm: Statement) -> None:
    """The same alpha, beta and gamma with another delta, and so on: each refuses the proof, cold and warm."""
    for _ in range(2):
        for name, key in tampered_keys(warm.key).items():
            for _ in range(2):
                assert not is_valid(key, warm.inputs, warm.proof), name
        verify(warm.key, warm.inputs, warm.proof)


def test_an_equal_key_accepts_the_same(warm: Statement) -> None:
    copy = VerifyingKey.decode(warm.curve, warm.key.encode())
    verify(copy, warm.inputs, warm.proof)
    assert prepare(copy, select()) is not prepare(warm.key, select())


def test_a_key_without_a_contribution_is_still_refused_when_its_source_is_warm(warm: Statement) -> None:
    key = warm.key
    for delta2 in (key.gamma2, negate(warm.curve.g2, key.gamma2[np.newaxis])[0]):
        with pytest.raises(RefusedInput) as caught:
            replace(key, delta2=delta2)
        assert caught.value.reason is Reason.FORGEABLE_KEY


def test_arrays_of_a_key_are_its_own(warm: Statement) -> None:
    """What was prepared stays true: neither the arrays a key was made of nor its own can be written through it."""
    source = warm.key.delta2.copy()
    key = replace(warm.key, delta2=source)
    verify(key, warm.inputs, warm.proof)
    source[:] = warm.key.gamma2
    verify(key, warm.inputs, warm.proof)
    with pytest.raises(ValueError, match="read-only"):
        key.delta2[:] = 0


def test_no_more_keys_are_kept_than_stated() -> None:
    given, backend = statement(BN254.name), select()
    keys = [replace(given.key) for _ in range(MOST_KEYS + 3)]
    for key in keys:
        prepare(key, backend)
    assert prepare.cache_info().currsize == MOST_KEYS
    verify(keys[0], given.inputs, given.proof)
