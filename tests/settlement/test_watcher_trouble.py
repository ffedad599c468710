"""Races, kills, faults and forks: a false leaf is slashed once, whatever happens in between."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed

from proofgrid.settlement.layout.batches import LEAF_UNPAID, LEAF_VOID
from tests.settlement.watched import (
    BOND,
    ONE,
    OTHER,
    REWARD,
    World,
    entries,
    on_world,
)


def test_two_watchers_racing_slash_once(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(64, 3, 40))
        watchers = [await world.watcher(payer, state=f"{n}.sqlite") for n, payer in enumerate((ONE, OTHER))]
        for _ in range(3):
            assert all(await asyncio.gather(*(watcher.round() for watcher in watchers)))
        after = await world.prover()
        assert (after.stake, after.false_leaves) == (before.stake - 2 * BOND, 2)
        assert await world.purse(ONE) + await world.purse(OTHER) == 2 * REWARD
        assert sorted(event.leaf for event in world.heard("challenged")) == [3, 40]
        assert set(world.kinds) <= {"checked", "challenged", "settled"}

    on_world(journey, tmp_path)


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("calls", range(1, 40, 3))
def test_a_watcher_killed_anywhere_goes_on(tmp_path: Path, calls: int) -> None:
    """The endpoint's n-th answer never reaches the process; what it asked for may have happened."""

    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(8, 2))
        client = MortalClient(world.url, calls)
        await world.stack.enter_async_context(client)
        doomed = await world.watcher(client=client)
        died = False
        try:
            await doomed.round()
        except Killed:
            died = True
        assert died or calls > 20, "nothing was interrupted: the test is too long"
        doomed.progress.close()
        heir = await world.watcher(lamports=0)
        for _ in range(2):
            assert await heir.round()
        after = await world.prover()
        assert (after.stake, after.false_leaves) == (before.stake - BOND, 1)
        assert await world.purse() == REWARD
        await world.warp(slots=40)
        assert await heir.round()
        assert heir.progress.open() == []

    on_world(journey, tmp_path)


class MortalClient(AsyncClient):
    """Dies after so many requests, before or after the last was carried out by turns."""

    def __init__(self, url: str, calls: int) -> None:
        super().__init__(url, commitment=Confirmed, timeout=5)
        self.left = calls
        provider, is_after = self._provider, bool(calls % 2)
        ask = provider.make_request

        async def make_request(body: Any, parser: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not is_after:
                raise Killed
            answer = await ask(body, parser)
            if self.left <= 0:
                raise Killed
            return answer

        provider.make_request = make_request  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "plan",
    [
        {"drop": 0.3},
        {"late": 0.5, "late_slots": 3},
        {"unseen": 0.3, "late_slots": 3},
        {"error": 0.05, "reset": 0.05},
        {"behind": 0.05, "limit": 0.05, "retry_after_s": 0},
        {"drop": 0.1, "late": 0.1, "late_slots": 3, "error": 0.02, "reset": 0.02, "behind": 0.02},
    ],
    ids=lambda plan: ",".join(key for key in plan if not key.endswith(("slots", "_s"))),
)
def test_a_faulty_endpoint_delays_and_changes_nothing(tmp_path: Path, plan: dict[str, Any]) -> None:
    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(16, 0, 9))
        watcher = await world.watcher()
        for seed in range(100):
            await world.faults(seed=seed, **plan)
            await watcher.round()
            await world.faults()
            if (await world.states()).count(LEAF_VOID) == 2:
                break
        assert await world.states() == [LEAF_VOID if leaf in (0, 9) else LEAF_UNPAID for leaf in range(16)]
        after = await world.prover()
        assert (after.stake, after.false_leaves) == (before.stake - 2 * BOND, 2)
        assert await world.purse() == 2 * REWARD

    on_world(journey, tmp_path, slot_s=0.05)


def test_a_challenge_that_a_fork_undoes_is_sent_again(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(8, 5))
        await world.warp(slots=10)
        watcher = await world.watcher()
        await world.warp(slots=2)
        assert await watcher.round()
        assert (await world.states())[5] == LEAF_VOID
        await world.warp(slots=1)
        assert (await world.fork(2))["result"]
        assert (await world.states())[5] == LEAF_UNPAID
        assert await watcher.round()
        assert await watcher.round()
        assert (await world.states())[5] == LEAF_VOID
        assert len(world.heard("challenged")) == 2
        assert (await world.prover()).stake == before.stake - BOND
        assert await world.purse() == REWARD

    on_world(journey, tmp_path)


def test_a_batch_that_a_fork_replaces_is_checked_anew(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher()
        await world.warp(slots=5)
        await world.commit(entries(4))
        assert await watcher.round()
        assert (await world.fork(1))["result"]
        assert await watcher.round()
        assert watcher.progress.open() == []
        await world.commit(entries(4, 1))
        assert await watcher.round()
        assert await world.states() == [LEAF_UNPAID, LEAF_VOID, LEAF_UNPAID, LEAF_UNPAID]
        assert world.kinds == ["checked", "rolled_back", "checked", "challenged"]

    on_world(journey, tmp_path)
