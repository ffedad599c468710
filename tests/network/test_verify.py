"""Nothing is fulfilled before the verifier's yes."""

import pytest

from proofgrid.errors import MalformedInput
from proofgrid.models import AttemptState, CauseCode, Fulfilment, Submission, Verification
from tests.network.world import ASK, World, false_submission, true_submission

INPUTS = true_submission().public_inputs


def test_a_true_proof_fulfils(world: World) -> None:
    request_id, task = world.running(expected_public_inputs=INPUTS)
    world.submit(task)
    assert world.status(request_id).verification is Verification.UNVERIFIED
    assert world.coordinator.run_verify(world.now) == 1
    status = world.status(request_id)
    assert (status.fulfilment, status.verification) == (Fulfilment.FULFILLED, Verification.VALID)
    assert (status.fulfilled_at, status.price_lamports, status.progress) == (world.now, ASK, 1.0)
    assert world.coordinator.run_verify(world.now) == 0


@pytest.mark.parametrize(
    ("submission", "code"),
    [
        (false_submission(), CauseCode.INVALID_PROOF),
        (Submission(proof={}, public_inputs=INPUTS), CauseCode.INVALID_PROOF),
        (Submission(proof=true_submission().proof, public_inputs=()), CauseCode.INVALID_PROOF),
        (Submission(proof=true_submission().proof, public_inputs=("9" * 78, "1")), CauseCode.INVALID_PROOF),
    ],
    ids=["false", "not a proof", "no inputs", "input over r"],
)
def test_a_refused_proof_costs_the_attempt_and_the_request_goes_on(
    world: World, submission: Submission, code: CauseCode
) -> None:
    request_id, task = world.running("liar")
    world.submit(task, submission)
    world.coordinator.run_verify(world.now)
    refused = world.status(request_id)
    assert (refused.fulfilment, refused.verification) == (Fulfilment.REQUESTED, Verification.INVALID)
    assert refused.attempts[0].state is AttemptState.REFUSED
    assert refused.attempts[0].cause is not None
    assert refused.attempts[0].cause.code is code
    world.dispatch()
    second = world.take()
    world.claim(second, "honest")
    world.submit(second)
    world.coordinator.run_verify(world.now)
    served = world.status(request_id)
    assert (served.fulfilment, served.verification) == (Fulfilment.FULFILLED, Verification.VALID)


def test_a_true_proof_of_another_statement_is_refused(world: World) -> None:
    request_id, task = world.running(expected_public_inputs=("1", "2"))
    world.submit(task)
    world.coordinator.run_verify(world.now)
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.REQUESTED
    assert status.attempts[0].cause is not None
    assert status.attempts[0].cause.code is CauseCode.INPUTS_MISMATCH


def test_a_proof_lost_from_the_store_is_made_again(world: World) -> None:
    request_id, task = world.running()
    world.submit(task)
    digest = world.attempt(task).result_digest
    assert digest is not None
    world.store.delete(digest)
    world.coordinator.run_verify(world.now)
    assert world.status(request_id).fulfilment is Fulfilment.REQUESTED


def test_a_crash_before_the_verdict_is_written_verifies_again(world: World) -> None:
    request_id, task = world.running()
    world.submit(task)
    world.restart()
    world.coordinator.run_verify(world.now)
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED


def nested(depth: int) -> Submission:
    value: object = "0"
    for _ in range(depth):
        value = [value]
    return Submission(proof={"pi_a": value}, public_inputs=INPUTS)


@pytest.mark.parametrize("depth", [190, 240, 300, 900])
def test_a_deeply_nested_proof_is_refused_and_holds_up_nobody(world: World, depth: int) -> None:
    request_id, task = world.running("liar")
    _, other = world.running("honest")
    try:
        world.submit(task, nested(depth))
    except MalformedInput:
        assert world.attempt(task).state is AttemptState.RUNNING
    world.submit(other)
    world.coordinator.run_verify(world.now)
    assert world.attempt(other).state is AttemptState.ACCEPTED
    assert world.status(request_id).fulfilment is not Fulfilment.FULFILLED


def test_a_price_never_passes_the_cap_even_if_the_ask_rose_meanwhile(world: World) -> None:
    request_id, task = world.running(max_price_lamports=ASK)
    world.submit(task)
    world.coordinator.config = world.config.model_copy(update={"ask_lamports": 10 * ASK})
    world.coordinator.run_verify(world.now)
    assert world.status(request_id).price_lamports == ASK
