"""What happens at once ends as if it had happened one after the other, on both databases.

A :class:`Gate` holds every thread where it has read and has not written yet: without the locks they would all decide
by what is no longer true. With them only one gets there, and the gate opens after a moment.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from proofgrid.errors import Conflict, NotFound, ProofgridError
from proofgrid.models import AttemptState, BatchState, CircuitInfo, Fulfilment, Heartbeat
from proofgrid.network import circuits, leases, reap, requests, settle, verify
from proofgrid.network.database import AttemptRow, BatchRow, EpochRow, LeafRow
from tests.network.world import REQUESTER, MakeWorld, World

HOLD_S = 0.25


class Gate:
    """Wraps a function so that threads that come through it wait for each other, but not for long."""

    def __init__(self, parties: int, inner: Callable[..., Any]) -> None:
        self._barrier, self._inner = threading.Barrier(parties), inner

    def __call__(self, *args: Any, **options: Any) -> Any:
        answer = self._inner(*args, **options)
        with contextlib.suppress(threading.BrokenBarrierError):
            self._barrier.wait(HOLD_S)
        return answer


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave or raised, all of them begun together."""
    outcomes: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        start.wait(10)
        try:
            outcomes[place] = call()
        except Exception as error:  # noqa: BLE001  # it is the outcome
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    unexpected = [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, ProofgridError)]
    assert not unexpected
    return outcomes


def test_the_same_key_twice_at_once_is_one_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    body = world.body()
    monkeypatch.setattr(requests, "_require_fitting", Gate(2, requests._require_fitting))
    first, second = at_once(lambda: world.place(body), lambda: world.place(body))
    assert isinstance(first, str)
    assert first == second


def test_a_circuit_registered_twice_at_once_is_one(world: World) -> None:
    info = CircuitInfo(**{**world.circuit.model_dump(), "id": "ab" * 32})

    def register() -> None:
        with world.database.writing() as session:
            circuits.save(session, info, 0.0)
            session.flush()
            Gate(2, lambda: None)()

    assert at_once(register, register, register) == [None] * 3


def test_a_worker_that_says_its_name_twice_at_once_is_one(world: World) -> None:
    assert at_once(*[lambda: world.pulse("worker-1", "worker-2")] * 4) == [None] * 4


def test_one_of_two_workers_gets_the_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = world.place()
    world.dispatch()
    task = world.take()
    monkeypatch.setattr(leases, "_must_pass", Gate(2, leases._must_pass))
    outcomes = at_once(lambda: world.claim(task, "worker-1"), lambda: world.claim(task, "worker-2"))
    assert sum(isinstance(one, Conflict) for one in outcomes) == 1
    assert world.status(request_id).fulfilment is Fulfilment.PROVING


def test_the_same_claim_twice_at_once_is_the_same_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.place()
    world.dispatch()
    task = world.take()
    monkeypatch.setattr(leases, "_must_pass", Gate(2, leases._must_pass))
    first, second = at_once(lambda: world.claim(task), lambda: world.claim(task))
    assert first == second
    assert first.attempt_id == task.attempt_id


def test_cancelling_while_a_worker_claims_ends_in_one_of_the_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They move the same two rows: in two orders, they would wait for each other for ever."""
    request_id = world.place()
    world.dispatch()
    task = world.take()
    gate = Gate(2, lambda moved: moved)
    monkeypatch.setattr(leases, "move_attempt", lambda *a, _do=leases.move_attempt, **k: gate(_do(*a, **k)))
    monkeypatch.setattr(requests, "move_fulfilment", lambda *a, _do=requests.move_fulfilment, **k: gate(_do(*a, **k)))

    def cancel() -> None:
        with world.database.writing() as session:
            requests.cancel(session, request_id, REQUESTER, world.now)

    claimed, cancelled = at_once(lambda: world.claim(task), cancel)
    assert isinstance(claimed, Conflict) != isinstance(cancelled, Conflict)
    now = world.status(request_id).fulfilment, world.attempt(task).state
    proving = (Fulfilment.PROVING, AttemptState.RUNNING)
    assert now == (proving if cancelled is not None else (Fulfilment.CANCELLED, AttemptState.WITHDRAWN))


def test_two_dispatchers_open_one_attempt_each_request(world: World) -> None:
    ids = [world.place() for _ in range(8)]
    at_once(world.dispatch, world.dispatch, world.dispatch)
    assert [len(world.status(one).attempts) for one in ids] == [1] * 8


def test_the_same_proof_twice_at_once_is_taken_once(world: World) -> None:
    request_id, task = world.running()
    assert at_once(*[lambda: world.submit(task)] * 3) == [None] * 3
    assert [one.state for one in world.status(request_id).attempts] == [AttemptState.SUBMITTED]


def test_a_proof_that_comes_with_the_deadline_is_judged_or_the_request_expires(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id, task = world.running(deadline_s=10.0)
    world.now += 11
    gate = Gate(2, lambda found: found)
    monkeypatch.setattr(requests, "live_attempt", lambda *a, _do=requests.live_attempt: gate(_do(*a)))

    def submit() -> None:
        world.submit(task)
        gate(None)

    submitted, _ = at_once(submit, lambda: reap.expire_late(world.database, world.now))
    world.coordinator.run_verify(world.now)
    ended = (world.status(request_id).fulfilment, world.attempt(task).state)
    refused = isinstance(submitted, Conflict)
    assert ended == (
        (Fulfilment.EXPIRED, AttemptState.WITHDRAWN) if refused else (Fulfilment.FULFILLED, AttemptState.ACCEPTED)
    )


def test_a_heartbeat_that_was_taken_keeps_the_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task = world.running()
    world.now += world.config.timing.heartbeat_timeout_s + 1
    gate = Gate(2, lambda found: found)
    monkeypatch.setattr(reap, "end_attempt", lambda *a, _do=reap.end_attempt, **k: _do(*gate(a), **k))

    def beat() -> None:
        leases.heartbeat(world.database, world.config, task.attempt_id, task.token, Heartbeat(progress=0.5), world.now)
        gate(None)

    taken, _ = at_once(beat, lambda: reap.reap_silent(world.database, world.config, world.now))
    assert world.attempt(task).state is (AttemptState.LOST if isinstance(taken, Conflict) else AttemptState.RUNNING)


def test_two_verifiers_fulfil_once(world: World) -> None:
    request_id, task = world.running()
    world.submit(task)
    at_once(*[lambda: world.coordinator.run_verify(world.now)] * 2)
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
    assert world.attempt(task).state is AttemptState.ACCEPTED


def test_two_coordinators_build_one_batch(make: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(batch_size=1)
    for _ in range(2):
        world.fulfil()
    epoch = settle.enter_epoch(world.database, world.chain, world.now)
    monkeypatch.setattr(settle, "_leaves", Gate(2, settle._leaves))

    def build() -> BatchRow | None:
        prover = world.coordinator.prover
        return settle.build(world.database, world.store, world.chain, world.config, epoch, prover, world.now)

    first, second = at_once(build, build)
    assert first.id == second.id
    with world.database.reading() as session:
        assert session.query(LeafRow).count() == 1


def test_two_coordinators_enter_one_epoch(world: World) -> None:
    calls = [lambda: settle.enter_epoch(world.database, world.chain, world.now)] * 4
    assert len(set(at_once(*calls))) == 1
    with world.database.reading() as session:
        assert session.query(EpochRow).count() == 1


def test_a_batch_that_was_committed_meanwhile_keeps_its_leaves(world: World) -> None:
    world.fulfil()
    world.settle()
    with world.database.writing() as session:
        batch = session.query(BatchRow).one()
        session.expunge(batch)
        batch.state = BatchState.BUILT  # as it was read before another coordinator committed it
        settle._set_free(session, batch)
    with world.database.reading() as session:
        assert session.query(LeafRow).count() == 1


def test_a_witness_that_is_named_again_is_not_swept_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.body()
    request_id = world.place(old)
    with world.database.writing() as session:
        requests.cancel(session, request_id, REQUESTER, world.now)
    world.now += world.config.timing.sealed_retention_s + 1
    gate = Gate(2, lambda found: found)
    monkeypatch.setattr(reap, "_is_ours", lambda *a, _do=reap._is_ours: gate(_do(*a)))

    def place_again() -> str:
        with world.database.writing() as session:
            requests.require_uploaded(session, world.store, old.sealed_digest)
            gate(None)
            body = world.body(sealed_digest=old.sealed_digest)
            return requests.place(session, REQUESTER, body, ask_lamports=0, now=world.now)

    placed, _ = at_once(place_again, lambda: reap.purge_sealed(world.database, world.store, world.config, world.now))
    assert isinstance(placed, NotFound) != world.store.exists(old.sealed_digest)


def test_attempts_are_numbered_without_a_gap_however_many_dispatch(world: World) -> None:
    request_id = world.place()
    for number in (1, 2, 3):
        at_once(world.dispatch, world.dispatch)
        task = next(task for task in reversed(world.broker.tasks) if world.attempt(task).state is not AttemptState.LOST)
        world.claim(task, f"worker-{number}")
        world.now += world.config.timing.heartbeat_timeout_s + 1
        at_once(*[lambda: reap.reap_silent(world.database, world.config, world.now)] * 2)
    assert [one.number for one in world.status(request_id).attempts] == [1, 2, 3]
    with world.database.reading() as session:
        assert session.query(AttemptRow).count() == 3


def test_a_verdict_is_written_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id, task = world.running()
    world.submit(task)
    gate = Gate(2, lambda found: found)
    monkeypatch.setattr(verify, "_judge", lambda *a, _do=verify._judge: gate(_do(*a)))
    at_once(*[lambda: world.coordinator.run_verify(world.now)] * 2)
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
