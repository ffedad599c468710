"""Loops outlive errors, and health says what they last did."""

import time
from collections.abc import Callable

from proofgrid.errors import QueueError
from proofgrid.network.coordinator import LOOPS, Loop, Loops, components
from proofgrid.network.database import LoopRow
from tests.network.world import World


def until(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends_at, "it did not happen within 10 s"
        time.sleep(0.01)


def readiness(world: World, now: float) -> dict[str, bool]:
    with world.database.reading() as session:
        return {part.name: part.ready for part in components(session, world.config, now)}


def test_a_loop_outlives_its_errors_and_health_shows_them(world: World) -> None:
    outcomes: list[Exception | None] = [QueueError("away"), RuntimeError("a defect"), None]
    ticks = 0

    def tick(now: float) -> int:
        nonlocal ticks
        ticks += 1
        error = outcomes[min(ticks, 3) - 1]
        if error is not None:
            raise error
        return 1

    def row() -> LoopRow | None:
        with world.database.reading() as session:
            return session.get(LoopRow, "dispatch")

    loop = Loop("dispatch", tick, world.database, interval_s=0.2)
    loop.start()
    until(lambda: (found := row()) is not None and found.error == "QueueError: away")
    assert not readiness(world, time.time())["loop dispatch"]
    until(lambda: (found := row()) is not None and found.error == "RuntimeError: a defect")
    until(lambda: (found := row()) is not None and found.error is None)
    assert readiness(world, time.time())["loop dispatch"]
    loop.stop()
    loop.join(5)


def test_a_bell_rings_at_once(world: World) -> None:
    ticks: list[float] = []
    loop = Loop("verify", lambda now: ticks.append(now) or 0, world.database, interval_s=30)
    loop.start()
    until(lambda: len(ticks) == 1)
    loop.ring()
    until(lambda: len(ticks) == 2)
    loop.stop()
    loop.join(5)


def test_ready_means_recent_work_not_a_process(world: World) -> None:
    assert not any(readiness(world, time.time()).values())
    world.coordinator.config = world.config
    with Loops(world.coordinator):
        until(lambda: all(ready for name, ready in readiness(world, time.time()).items() if name != "workers"))
        assert not readiness(world, time.time())["workers"]
        world.now = time.time()
        world.pulse("worker-1")
        assert all(readiness(world, time.time()).values())
    later = time.time() + 1000
    assert readiness(world, later) == {**{f"loop {name}": False for name in LOOPS}, "workers": False}
