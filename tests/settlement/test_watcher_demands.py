"""Demands: posted within a budget, answered for one's own leaves, voided when nobody answered."""

import asyncio
from contextlib import suppress
from pathlib import Path

from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import demand_address
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import LEAF_DEMANDED, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.tokens import associated_address
from proofgrid.settlement.watcher.watch import Watcher
from tests.settlement.cluster import PROGRAM, PROVER
from tests.settlement.network import PARAMETERS
from tests.settlement.watched import BOND, MINT, ONE, OTHER, REWARD, WINDOW_S, World, entries, on_world

DEMAND_BOND, REVEAL_S = PARAMETERS.demand_bond, PARAMETERS.reveal_window_s


async def demander(world: World, *, budget: int = 10 * DEMAND_BOND, purse: int = 1000, **options: object) -> Watcher:
    await world.give(ONE, purse)
    return await world.watcher(demand_budget=budget, **options)  # type: ignore[arg-type]


async def post(world: World, leaf: int, number: int = 0) -> None:
    """A demand by a stranger."""
    await world.client.request_airdrop(OTHER.pubkey(), 10**9)
    await world.give(OTHER, DEMAND_BOND)
    at = await batch_at(world, number)
    demand = batches.demand_leaf(PROGRAM.pubkey(), OTHER.pubkey(), at, leaf, associated_address(OTHER.pubkey(), MINT))
    await Sender(world.client, OTHER, poll_s=0.01).send([demand])


async def batch_at(world: World, number: int = 0) -> Pubkey:
    found = (await (await world.watcher(state=":memory:", is_dry=True, lamports=0)).view.committed(
        PROVER, range(number, number + 1)))[0]  # fmt: skip
    assert found is not None
    return found[0]


def test_a_leaf_that_nobody_shows_is_demanded_and_void(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        before = await world.prover()
        watcher = await demander(world)
        await world.commit(entries(8), is_published=False)
        assert await watcher.round()
        assert world.kinds == ["no_data"]
        await world.warp(seconds=WINDOW_S // 2)
        assert await watcher.round()
        assert await watcher.round()
        assert world.kinds == ["no_data", "demanded"]
        leaf = world.events[1].leaf
        assert leaf is not None
        assert await world.states() == [LEAF_DEMANDED if at == leaf else LEAF_UNPAID for at in range(8)]
        assert (await world.purse(), watcher.progress.bonds_out()) == (1000 - DEMAND_BOND, DEMAND_BOND)
        await world.warp(seconds=REVEAL_S + 1)
        assert await watcher.round()
        assert await watcher.round()
        assert world.heard("voided")[0].leaf == leaf
        assert (await world.states())[leaf] == LEAF_VOID
        assert (await world.purse(), watcher.progress.bonds_out()) == (1000 + REWARD, 0)
        assert (await world.prover()).stake == before.stake - BOND

    on_world(journey, tmp_path)


def test_the_budget_is_never_exceeded(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await demander(world, budget=2 * DEMAND_BOND + 1)
        for count in (2, 3, 4, 5):
            await world.commit(entries(count), is_published=False)
        await world.warp(seconds=WINDOW_S // 2 + 1)
        for _ in range(3):
            assert await watcher.round()
        assert await world.purse() == 1000 - 2 * DEMAND_BOND
        assert len(world.heard("demanded")) == 2
        assert len(world.heard("skipped")) == 2
        # nor after a restart
        heir = await world.watcher(demand_budget=2 * DEMAND_BOND + 1)
        assert await heir.round()
        assert await world.purse() == 1000 - 2 * DEMAND_BOND

    on_world(journey, tmp_path)


def test_without_a_budget_nothing_is_demanded(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await demander(world, budget=0)
        await world.commit(entries(2), is_published=False)
        await world.warp(seconds=WINDOW_S - 1)
        assert await watcher.round()
        assert world.kinds == ["no_data"]

    on_world(journey, tmp_path)


def test_a_demand_whose_fate_is_unknown_counts_until_it_is_known(tmp_path: Path) -> None:
    """The demand lands and the watcher dies before it hears of it."""

    async def journey(world: World) -> None:
        doomed = await demander(world, budget=DEMAND_BOND)
        await world.commit(entries(4), is_published=False)
        await world.warp(seconds=WINDOW_S // 2 + 1)
        assert doomed.moves is not None
        send = doomed.moves.demand

        async def die(*words: object) -> object:
            await send(*words)  # type: ignore[arg-type]
            raise asyncio.CancelledError

        doomed.moves.demand = die  # type: ignore[method-assign, assignment]
        with suppress(asyncio.CancelledError):
            await doomed.round()
        assert await world.purse() == 1000 - DEMAND_BOND
        heir = await world.watcher(demand_budget=DEMAND_BOND)
        for _ in range(2):
            assert await heir.round()
        assert await world.purse() == 1000 - DEMAND_BOND
        ((batch, _),) = heir.progress.demands()
        assert heir.progress.is_posted(batch)

    on_world(journey, tmp_path)


def test_a_demand_that_cannot_be_paid_costs_nothing_of_the_budget(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await demander(world, purse=DEMAND_BOND - 1)
        await world.commit(entries(4), is_published=False)
        await world.warp(seconds=WINDOW_S // 2 + 1)
        assert await watcher.round()
        assert world.kinds == ["no_data", "refused"]
        assert watcher.progress.bonds_out() == 0

    on_world(journey, tmp_path)


def test_demands_for_our_leaves_are_answered(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        await world.commit(entries(8))
        await post(world, 3)
        assert (await world.states())[3] == LEAF_DEMANDED
        watcher = await world.watcher(answer_for=frozenset({PROVER}))
        for _ in range(3):
            assert await watcher.round()
        assert (await world.states())[3] == LEAF_UNPAID
        assert [event.leaf for event in world.heard("answered")] == [3]
        assert "registered key" in str(world.heard("answered")[0].detail)
        assert (await world.prover()).earned == DEMAND_BOND

    on_world(journey, tmp_path)


def test_demands_for_others_leaves_are_theirs_to_answer(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        await world.commit(entries(8))
        await post(world, 3)
        watcher = await world.watcher()
        assert await watcher.round()
        assert world.kinds == ["checked"]
        # and when they do not, anyone makes the leaf void
        (demand,) = (await watcher.view.demands()).values()
        await world.warp_to(demand.answer_until_s - 5)
        assert await watcher.round()
        assert world.kinds == ["checked"]
        await world.warp_to(demand.answer_until_s + 1)
        assert await watcher.round()
        assert world.kinds == ["checked", "voided"]
        assert (await world.states())[3] == LEAF_VOID
        at, _ = demand_address(PROGRAM.pubkey(), await batch_at(world), 3)
        assert (await world.client.get_account_info(at)).value is None

    on_world(journey, tmp_path)


def test_a_demand_that_cannot_be_answered_is_said(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        await world.commit(entries(4), is_published=False)
        await world.commit(entries(3, 1))
        await post(world, 3, 0)
        await post(world, 1, 1)
        watcher = await world.watcher(answer_for=frozenset({PROVER}))
        assert await watcher.round()
        assert await watcher.round()
        found = {event.number: event for event in world.heard("skipped", "refused")}
        assert "cannot be answered" in str(found[0].detail)
        assert "InvalidProof" in str(found[1].detail)
        assert len(world.heard("skipped", "refused")) == 2
        # and our own leaf is not made void by us
        await world.warp(seconds=REVEAL_S + 1)
        assert await watcher.round()
        assert LEAF_VOID not in await world.states()

    on_world(journey, tmp_path)


def test_a_false_leaf_under_a_demand_is_void_in_the_end(tmp_path: Path) -> None:
    """Its committer demands it through a friend, to keep challengers away."""

    async def journey(world: World) -> None:
        before = await world.prover()
        await world.commit(entries(4, 1))
        await post(world, 1)
        watcher = await world.watcher()
        assert await watcher.round()
        assert world.kinds == ["checked", "settled"]
        await world.warp(seconds=REVEAL_S + 1)
        assert await watcher.round()
        assert (await world.states())[1] == LEAF_VOID
        assert (await world.prover()).stake == before.stake - BOND

    on_world(journey, tmp_path)


def test_a_dry_run_answers_and_voids_nothing(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        await world.commit(entries(4))
        await world.commit(entries(5), is_published=False)
        await post(world, 1)
        await world.warp(seconds=REVEAL_S + 1)
        watchers = [
            await world.watcher(is_dry=True, answer_for=frozenset({PROVER}), state="a.sqlite", demand_budget=1000),
            await world.watcher(is_dry=True, state="b.sqlite"),
        ]
        for watcher in (*watchers, *watchers):
            assert await watcher.round()
        said = [str(event.detail).split(",")[0].split(":")[0] for event in world.heard("would")]
        assert sorted(said) == ["answer the demand", "demand a leaf", "void"]
        assert (await world.states())[1] == LEAF_DEMANDED
        assert watchers[0].progress.bonds_out() == 0

    on_world(journey, tmp_path)
