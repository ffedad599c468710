"""Claim, heartbeat, submit, fail: fenced by tokens."""

from collections.abc import Callable

import pytest

from proofgrid.errors import Conflict, NotFound
from proofgrid.models import AttemptState, Cause, CauseCode, Failure, Fulfilment, Heartbeat, ProveTask
from proofgrid.network import leases
from tests.network.world import World, false_submission

STALE = "0" * 64


def fail(world: World, task: ProveTask, code: CauseCode, *, final: bool = False) -> None:
    failure = Failure(cause=Cause(code=code, message="because"), final=final)
    leases.fail(world.database, world.config, task.attempt_id, task.token, failure, world.now)


def beat(world: World, task: ProveTask, token: str | None = None, progress: float = 0.5) -> None:
    leases.heartbeat(
        world.database, world.config, task.attempt_id, token or task.token, Heartbeat(progress=progress), world.now
    )


def next_task(world: World, worker: str) -> ProveTask:
    world.dispatch()
    task = world.take()
    world.claim(task, worker)
    return task


def test_a_claim_starts_the_proof(world: World) -> None:
    request_id, task = world.running()
    assert world.status(request_id).fulfilment is Fulfilment.PROVING
    assert world.attempt(task).worker == "worker-1"


def test_an_attempt_is_claimed_once(world: World) -> None:
    _, task = world.running("worker-1")
    with pytest.raises(Conflict, match="running"):
        world.claim(task, "worker-2")


def test_a_claim_whose_answer_was_lost_is_repeated_by_its_worker(world: World) -> None:
    _, task = world.running("worker-1")
    assert world.claim(task, "worker-1").attempt_id == task.attempt_id


def artifacts(world: World, task: ProveTask) -> frozenset[str]:
    with world.database.reading() as session:
        return leases.artifacts_of(session, task.attempt_id, task.token)


CALLS: dict[str, Callable[[World, ProveTask], object]] = {
    "claim": lambda world, task: world.claim(task),
    "heartbeat": lambda world, task: beat(world, task),
    "submit": lambda world, task: world.submit(task),
    "fail": lambda world, task: fail(world, task, CauseCode.UNSATISFIED_CIRCUIT, final=True),
    "artifacts": artifacts,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_stale_token_moves_nothing(world: World, call: Callable[[World, ProveTask], object]) -> None:
    request_id, task = world.running()
    forged = task.model_copy(update={"token": STALE})
    with pytest.raises(Conflict, match="fencing token"):
        call(world, forged)
    assert world.status(request_id).fulfilment is Fulfilment.PROVING
    assert world.attempt(task).state is AttemptState.RUNNING


def test_an_unknown_attempt_is_not_found(world: World) -> None:
    _, task = world.running()
    with pytest.raises(NotFound):
        beat(world, task.model_copy(update={"attempt_id": "0" * 32}))


def test_a_heartbeat_carries_progress(world: World) -> None:
    request_id, task = world.running()
    beat(world, task, progress=0.25)
    assert world.status(request_id).progress == 0.25


def test_a_submission_twice_is_once(world: World) -> None:
    request_id, task = world.running()
    world.submit(task)
    world.submit(task)
    world.coordinator.run_verify(world.now)
    world.submit(task)
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
    with pytest.raises(Conflict):
        world.submit(task, false_submission())


def test_a_worker_that_was_given_up_can_no_longer_submit(world: World) -> None:
    request_id, slow = world.running("slow")
    world.now += world.config.timing.heartbeat_timeout_s + 1
    world.coordinator.run_reap(world.now)
    with pytest.raises(Conflict, match="lost"):
        world.submit(slow)
    with pytest.raises(Conflict, match="lost"):
        beat(world, slow)
    second = next_task(world, "quick")
    assert second.token != slow.token
    with pytest.raises(Conflict, match="lost"):
        world.submit(slow)
    world.submit(second)
    world.coordinator.run_verify(world.now)
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.FULFILLED
    assert [attempt.state for attempt in status.attempts] == [AttemptState.LOST, AttemptState.ACCEPTED]


@pytest.mark.parametrize("code", [CauseCode.UNSATISFIED_CIRCUIT, CauseCode.MALFORMED_INPUT])
def test_a_final_cause_ends_the_request(world: World, code: CauseCode) -> None:
    request_id, task = world.running()
    fail(world, task, code, final=True)
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.UNFULFILLABLE
    assert status.cause == Cause(code=code, message="because")


def test_a_worker_cannot_call_its_own_trouble_final(world: World) -> None:
    request_id, task = world.running()
    fail(world, task, CauseCode.BACKEND_UNAVAILABLE, final=True)
    assert world.status(request_id).fulfilment is Fulfilment.REQUESTED


def test_two_false_proofs_are_the_witness_fault(world: World) -> None:
    request_id, task = world.running("worker-1")
    fail(world, task, CauseCode.FALSE_PROOF)
    assert world.status(request_id).fulfilment is Fulfilment.REQUESTED
    fail(world, next_task(world, "worker-2"), CauseCode.FALSE_PROOF)
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.UNFULFILLABLE
    assert status.cause is not None
    assert status.cause.code is CauseCode.UNSATISFIED_CIRCUIT


def test_attempts_are_capped(world: World) -> None:
    request_id, task = world.running()
    for number in range(1, world.config.max_attempts + 1):
        assert world.status(request_id).fulfilment is Fulfilment.PROVING
        assert world.attempt(task).number == number
        fail(world, task, CauseCode.PROVER_ERROR)
        if number < world.config.max_attempts:
            task = next_task(world, "worker-1")
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.UNFULFILLABLE
    assert status.cause is not None
    assert status.cause.code is CauseCode.ATTEMPTS_EXHAUSTED
    assert "prover_error" in status.cause.message


def test_the_worker_that_failed_is_turned_away_while_another_lives(world: World) -> None:
    _, task = world.running("bad")
    fail(world, task, CauseCode.PROVER_ERROR)
    world.pulse("bad", "good")
    world.dispatch()
    second = world.take()
    with pytest.raises(Conflict, match="failed this request before"):
        world.claim(second, "bad")
    assert world.dispatch() == 0  # the task rests, so that another worker comes first
    world.now += leases.PUT_BACK_S
    assert world.dispatch() == 1
    world.claim(world.take(), "good")


def test_the_worker_that_failed_may_try_again_when_it_is_alone(world: World) -> None:
    _, task = world.running("only")
    world.pulse("only", "long gone")
    world.now += world.config.timing.worker_timeout_s + 1
    world.pulse("only")
    fail(world, task, CauseCode.PROVER_ERROR)
    next_task(world, "only")


def test_a_lease_opens_its_own_artifacts_only(world: World) -> None:
    _, task = world.running()
    assert artifacts(world, task) == {task.zkey_digest, task.wasm_digest, task.sealed_digest}


def test_nobody_claims_after_the_deadline(world: World) -> None:
    world.place(deadline_s=5.0)
    world.dispatch()
    world.now += 5
    with pytest.raises(Conflict, match="deadline"):
        world.claim(world.take())
