"""The stuck, the late and the old."""

import pytest

from proofgrid.errors import NotFound
from proofgrid.models import AttemptState, CauseCode, Fulfilment, Heartbeat
from proofgrid.network import leases, reap, requests
from tests.network.world import REQUESTER, World


def test_silence_up_to_the_timeout_is_borne_and_beyond_it_is_not(world: World) -> None:
    request_id, task = world.running()
    world.now += world.config.timing.heartbeat_timeout_s
    assert world.coordinator.run_reap(world.now) == 0
    assert world.coordinator.run_reap(world.now + 0.001) == 1
    assert world.attempt(task).state is AttemptState.LOST
    assert world.status(request_id).fulfilment is Fulfilment.REQUESTED


def test_a_beating_worker_may_take_its_time(world: World) -> None:
    _, task = world.running()
    for _ in range(20):
        world.now += world.config.timing.heartbeat_timeout_s - 1
        leases.heartbeat(world.database, world.config, task.attempt_id, task.token, Heartbeat(), world.now)
        assert world.coordinator.run_reap(world.now) == 0


def test_workers_that_die_on_a_request_do_not_get_it_for_ever(world: World) -> None:
    request_id = world.place()
    for number in range(world.config.max_attempts):
        world.dispatch()
        world.claim(world.take(), f"worker-{number}")
        world.now += world.config.timing.heartbeat_timeout_s + 1
        world.coordinator.run_reap(world.now)
    assert world.dispatch() == 0
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.UNFULFILLABLE
    assert status.cause is not None
    assert status.cause.code is CauseCode.ATTEMPTS_EXHAUSTED
    assert "worker_lost" in status.cause.message


@pytest.mark.parametrize("stage", ["requested", "assigned", "proving"])
def test_a_late_request_expires_with_its_attempt(world: World, stage: str) -> None:
    request_id = world.place(deadline_s=5.0)
    if stage != "requested":
        world.dispatch()
        task = world.take()
        if stage == "proving":
            world.claim(task)
    world.coordinator.run_reap(world.now + 4.999)
    assert world.status(request_id).fulfilment is Fulfilment(stage)
    world.coordinator.run_reap(world.now + 5)
    status = world.status(request_id)
    assert status.fulfilment is Fulfilment.EXPIRED
    assert status.cause is not None
    assert status.cause.code is CauseCode.DEADLINE_PASSED
    assert all(attempt.state is AttemptState.WITHDRAWN for attempt in status.attempts)


def test_a_proof_that_came_in_time_is_judged_after_the_deadline(world: World) -> None:
    request_id, task = world.running(deadline_s=5.0)
    world.submit(task)
    world.now += 6
    world.coordinator.run_reap(world.now)
    world.coordinator.run_verify(world.now)
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED


def test_sealed_witnesses_of_ended_requests_are_forgotten(world: World) -> None:
    sealed = world.store.put(b"sealed")
    ended, task = world.running(sealed_digest=sealed)
    world.submit(task)
    world.coordinator.run_verify(world.now)
    open_one = world.place(sealed_digest=sealed, deadline_s=1e5)
    world.now += world.config.timing.sealed_retention_s + 1
    world.coordinator.run_reap(world.now)
    assert world.store.exists(sealed)  # the open request still needs it
    world.dispatch()
    second = world.take()
    world.claim(second)
    world.submit(second)
    world.coordinator.run_verify(world.now)
    world.now += world.config.timing.sealed_retention_s + 1
    world.coordinator.run_reap(world.now)
    with pytest.raises(NotFound):
        world.store.path(sealed)
    assert {world.status(r).fulfilment for r in (ended, open_one)} == {Fulfilment.FULFILLED}


@pytest.mark.parametrize("named", ["zkey", "wasm", "proof"])
def test_nobody_gets_the_networks_own_artifacts_deleted_by_sending_them_as_a_witness(world: World, named: str) -> None:
    _, task = world.running()
    world.submit(task)
    proof = world.attempt(task).result_digest
    victim = {"zkey": world.circuit.zkey_digest, "wasm": world.circuit.wasm_digest, "proof": proof}[named]
    assert victim is not None
    request_id = world.place(sealed_digest=victim)
    with world.database.writing() as session:
        requests.cancel(session, request_id, REQUESTER, world.now)
    world.now += world.config.timing.sealed_retention_s + 1
    assert reap.purge_sealed(world.database, world.store, world.config, world.now) == 1
    assert world.store.exists(victim)
