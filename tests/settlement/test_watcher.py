"""The watcher on a chain: what is true stays, what is false is void, slashed and paid for, once."""

from pathlib import Path

from proofgrid.settlement.layout.batches import LEAF_UNPAID, LEAF_VOID
from tests.settlement.watched import BOND, ONE, REWARD, World, entries, on_world


def test_honest_batches_are_left_alone(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        for count in (1, 5, 64):
            await world.commit(entries(count))
        watcher = await world.watcher()
        before = await world.lamports()
        assert await watcher.round()
        assert [(event.event, event.leaves, event.false, event.unknown) for event in world.events] == [
            ("checked", 1, 0, 0),
            ("checked", 5, 0, 0),
            ("checked", 64, 0, 0),
        ]
        assert await world.lamports() == before
        # and they are done with once they are final
        assert await watcher.round()
        assert len(watcher.progress.open()) == 3
        await world.warp(slots=40)
        assert await watcher.round()
        assert watcher.progress.open() == []
        assert len(world.events) == 3

    on_world(journey, tmp_path)


def test_one_false_leaf_among_64_costs_its_prover(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(64, 37))
        watcher = await world.watcher()
        for _ in range(3):
            assert await watcher.round()
        assert world.kinds == ["checked", "challenged"]
        assert world.events[1].leaf == 37
        assert world.events[1].reward == REWARD
        states = await world.states()
        assert states == [LEAF_VOID if leaf == 37 else LEAF_UNPAID for leaf in range(64)]
        after = await world.prover()
        assert (after.stake, after.false_leaves) == (before.stake - BOND, 1)
        assert await world.purse(ONE) == REWARD
        await world.warp(slots=40)
        assert await watcher.round()
        assert watcher.progress.open() == []

    on_world(journey, tmp_path)
