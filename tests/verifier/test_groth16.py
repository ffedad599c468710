"""verify: true statements pass, each kind of wrong one has its own refusal."""

from dataclasses import replace

import numpy as np
import pytest

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.arrays import encode_elements
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BLS12_381, BN254, CURVES
from proofgrid.verifier.groth16 import is_valid, verify
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.points import negate
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof
from tests.verifier.statements import Statement, another, statement
from tests.verifier.strange_points import off_curve, outside_subgroup


def refusal(given_statement: Statement, inputs: list[int], proof: Proof) -> Reason:
    with pytest.raises((RefusedInput, RefusedProof)) as caught:
        verify(given_statement.key, inputs, proof)
    return caught.value.reason


def test_true_proof_is_accepted(given_statement: Statement) -> None:
    verify(given_statement.key, given_statement.inputs, given_statement.proof)
    assert is_valid(given_statement.key, given_statement.inputs, given_statement.proof)


def test_each_tampered_input_is_false(given_statement: Statement) -> None:
    for i, value in enumerate(given_statement.inputs):
        for wrong in (0, (value + 1) % given_statement.curve.r, given_statement.curve.r - 1):
            inputs = [*given_statement.inputs[:i], wrong, *given_statement.inputs[i + 1 :]]
            assert refusal(given_statement, inputs, given_statement.proof) is Reason.EQUATION
    assert refusal(given_statement, given_statement.inputs[::-1], given_statement.proof) is Reason.EQUATION
    assert not is_valid(given_statement.key, given_statement.inputs[::-1], given_statement.proof)


def test_points_of_another_proof_are_false(given_statement: Statement) -> None:
    _, other = another(given_statement, 7)
    for name in "abc":
        swapped = replace(given_statement.proof, **{name: getattr(other, name)})
        assert refusal(given_statement, given_statement.inputs, swapped) is Reason.EQUATION
    swapped = replace(given_statement.proof, a=given_statement.proof.c, c=given_statement.proof.a)
    assert refusal(given_statement, given_statement.inputs, swapped) is Reason.EQUATION


def test_negated_points_are_false(given_statement: Statement) -> None:
    for name in "ac":
        negated = negate(given_statement.curve.g1, getattr(given_statement.proof, name)[np.newaxis])[0]
        assert (
            refusal(given_statement, given_statement.inputs, replace(given_statement.proof, **{name: negated}))
            is Reason.EQUATION
        )


def test_input_plus_r_is_refused_not_reduced(given_statement: Statement) -> None:
    r = given_statement.curve.r
    for wrong in (given_statement.inputs[0] + r, r, -1, given_statement.inputs[0] - r):
        assert (
            refusal(given_statement, [wrong, *given_statement.inputs[1:]], given_statement.proof) is Reason.INPUT_RANGE
        )
    # r - 1 is the largest input: well formed, and false.
    assert refusal(given_statement, [r - 1, *given_statement.inputs[1:]], given_statement.proof) is Reason.EQUATION


def test_input_that_is_not_an_integer_is_refused(given_statement: Statement) -> None:
    for wrong in (True, "1", 1.0, None, np.uint64(1)):
        inputs = [wrong, *given_statement.inputs[1:]]
        assert refusal(given_statement, inputs, given_statement.proof) is Reason.INPUT_RANGE  # type: ignore[arg-type]


def test_wrong_count_of_inputs_is_refused(given_statement: Statement) -> None:
    for inputs in ([], given_statement.inputs[:-1], [*given_statement.inputs, 0]):
        assert refusal(given_statement, inputs, given_statement.proof) is Reason.INPUT_COUNT


def test_point_off_the_curve_is_refused(given_statement: Statement) -> None:
    for name, group in (
        ("a", given_statement.curve.g1),
        ("b", given_statement.curve.g2),
        ("c", given_statement.curve.g1),
    ):
        proof = replace(given_statement.proof, **{name: off_curve(group)})
        assert refusal(given_statement, given_statement.inputs, proof) is Reason.NOT_ON_CURVE


def test_point_outside_the_subgroup_is_refused(given_statement: Statement) -> None:
    proof = replace(given_statement.proof, b=outside_subgroup(given_statement.curve.g2))
    assert refusal(given_statement, given_statement.inputs, proof) is Reason.NOT_IN_SUBGROUP


def test_point_outside_the_subgroup_of_g1_is_refused() -> None:
    """bn254's G1 has no cofactor, bls12_381's has."""
    given_statement = statement(BLS12_381.name)
    for name in "ac":
        proof = replace(given_statement.proof, **{name: outside_subgroup(given_statement.curve.g1)})
        assert refusal(given_statement, given_statement.inputs, proof) is Reason.NOT_IN_SUBGROUP


def test_coordinate_not_below_q_is_refused(given_statement: Statement) -> None:
    """x + q is the same point to careless arithmetic; only bn254 has the room for it in its limbs below 2^256."""
    q, limbs = given_statement.curve.q, given_statement.curve.Fq.limbs
    wide = np.frombuffer(q.to_bytes(8 * limbs, "little"), dtype="<u8").astype(np.uint64)
    for name in "abc":
        point = getattr(given_statement.proof, name).copy()
        point.reshape(-1, limbs)[0] = wide
        with pytest.raises(RefusedInput) as caught:
            replace(given_statement.proof, **{name: point})
        assert caught.value.reason is Reason.COORDINATE_RANGE
    below = encode_elements(given_statement.curve.Fq, [q - 1])[0]
    point = given_statement.proof.a.copy()
    point[0] = below
    assert (
        refusal(given_statement, given_statement.inputs, replace(given_statement.proof, a=point)) is Reason.NOT_ON_CURVE
    )


def test_a_or_b_at_infinity_is_refused(given_statement: Statement) -> None:
    for name in "ab":
        proof = replace(given_statement.proof, **{name: np.zeros_like(getattr(given_statement.proof, name))})
        assert refusal(given_statement, given_statement.inputs, proof) is Reason.POINT_AT_INFINITY


def test_c_at_infinity_is_an_ordinary_point(given_statement: Statement) -> None:
    proof = replace(given_statement.proof, c=np.zeros_like(given_statement.proof.c))
    assert refusal(given_statement, given_statement.inputs, proof) is Reason.EQUATION


def test_c_at_infinity_can_be_true() -> None:
    """A = alpha, B = beta, C = infinity is true where IC is infinity; the equation decides, not the form of C."""
    key = statement(BN254.name).key
    zero_ic = np.zeros((1, *BN254.g1.point_shape), dtype=np.uint64)
    degenerate = VerifyingKey(BN254, key.alpha1, key.beta2, key.gamma2, key.delta2, zero_ic)
    verify(degenerate, [], Proof(BN254, key.alpha1, key.beta2, np.zeros_like(key.alpha1)))


def test_proof_of_the_other_curve_is_refused() -> None:
    bn254, bls12_381 = (statement(name) for name in CURVES)
    assert refusal(bn254, bn254.inputs, bls12_381.proof) is Reason.WRONG_CURVE


def test_refusals_keep_the_two_errors_apart(given_statement: Statement) -> None:
    with pytest.raises(MalformedInput):
        verify(given_statement.key, [], given_statement.proof)
    with pytest.raises(InvalidProof):
        verify(given_statement.key, given_statement.inputs[::-1], given_statement.proof)


def test_every_flipped_byte_of_an_encoded_proof_is_refused(given_statement: Statement) -> None:
    data, backend = given_statement.proof.encode(), select()
    for i in range(len(data)):
        mutated = bytearray(data)
        mutated[i] ^= 1 << (i % 8)
        with pytest.raises((InvalidProof, MalformedInput)):
            verify(
                given_statement.key,
                given_statement.inputs,
                Proof.decode(given_statement.curve, bytes(mutated)),
                backend=backend,
            )
