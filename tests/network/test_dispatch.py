"""From the database into the queue, whatever breaks in between."""

import json

import pytest

from proofgrid.errors import Conflict, QueueError
from proofgrid.models import AttemptState, Fulfilment
from proofgrid.models.leases import MAX_TASK_BYTES
from proofgrid.network import dispatch
from tests.network.world import PROVER, World


def test_first_come_first_served(world: World) -> None:
    placed = [world.place() for _ in range(5)]
    assert world.dispatch() == 5
    assert [task.request_id for task in world.broker.tasks] == placed


def test_a_second_tick_sends_nothing_again(world: World) -> None:
    world.place()
    world.dispatch()
    assert world.dispatch() == 0
    assert len(world.broker.tasks) == 1


def test_a_message_carries_names_and_no_blobs(world: World) -> None:
    world.place()
    world.dispatch()
    message = world.take().model_dump(mode="json")
    assert set(message) == {
        "attempt_id",
        "token",
        "request_id",
        "gateway_url",
        "circuit_id",
        "zkey_digest",
        "wasm_digest",
        "sealed_digest",
        "sealed_key",
        "input_kind",
    }
    assert len(json.dumps(message)) < MAX_TASK_BYTES // 32


def test_a_queue_that_is_away_loses_nothing(world: World) -> None:
    request_id = world.place()
    world.broker.is_away = True
    with pytest.raises(QueueError):
        world.dispatch()
    assert world.status(request_id).fulfilment is Fulfilment.ASSIGNED
    world.broker.is_away = False
    assert world.dispatch() == 1


def test_a_crash_after_sending_sends_again_and_is_claimed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.place()
    with monkeypatch.context() as broken:
        broken.setattr(dispatch, "move_attempt", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.dispatch()
    world.restart()
    world.dispatch()
    first, second = world.take(), world.take()
    assert first == second
    world.claim(first, "worker-1")
    with pytest.raises(Conflict):
        world.claim(second, "worker-2")


def test_a_task_claimed_before_it_was_marked_as_sent_stays_claimed(world: World) -> None:
    world.place()
    dispatch.assign(world.database, world.config, PROVER.hex(), world.now)
    send = world.broker.send
    world.broker.send = lambda task: (send(task), world.claim(task))[0]  # type: ignore[method-assign]
    world.dispatch()
    assert world.attempt(world.take()).state is AttemptState.RUNNING


def test_what_redis_lost_is_sent_again(world: World) -> None:
    world.place()
    world.dispatch()
    lost = world.take()
    world.now += world.config.timing.resend_after_s - 1
    assert world.dispatch() == 0
    world.now += 1
    assert world.dispatch() == 1
    assert world.take() == lost


def test_what_still_waits_in_the_queue_is_not_sent_again(world: World) -> None:
    world.place()
    world.dispatch()
    world.now += 100
    assert world.dispatch() == 0
    assert world.broker.waiting() == 1


def test_the_queue_holds_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_OUTSTANDING", 2)
    placed = [world.place() for _ in range(3)]
    world.dispatch()
    assert world.broker.waiting() == 2
    world.claim(world.take())
    world.dispatch()
    assert [task.request_id for task in world.broker.tasks] == placed[1:]


def test_a_lost_task_is_sent_again_even_if_the_queue_is_never_empty(world: World) -> None:
    world.place()
    world.dispatch()
    lost = world.take()  # and the worker dies with it
    for _ in range(4):
        world.now += 1
        world.place()
        world.place()
        world.dispatch()
        world.claim(world.take())
    world.now += world.config.timing.resend_after_s
    waiting = world.broker.waiting()
    assert waiting > 0
    assert world.dispatch() == 1
    assert world.broker.tasks[waiting:] == [lost]
