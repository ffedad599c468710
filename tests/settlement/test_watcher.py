"""The watcher on a chain: what is true stays, what is false is void, slashed and paid for, once."""

from dataclasses import replace
from pathlib import Path

from solders.instruction import AccountMeta, Instruction

from proofgrid.settlement.addresses import batch_addresses
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.layout.keys import KEY_ACCOUNT
from proofgrid.settlement.watcher.documents import BatchData
from tests.settlement.batches import Entry
from tests.settlement.cluster import PAYER, PROGRAM, PROVER
from tests.settlement.instances import OUTSIDE_SUBGROUP, instance, q, r
from tests.settlement.watched import (
    BOND,
    FALSE,
    ONE,
    REWARD,
    TRUE,
    WINDOW_S,
    World,
    data_of,
    entries,
    on_world,
)


def test_honest_batches_are_left_alone(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        for count in (1, 5, 64):
            await world.commit(entries(count))
        watcher = await world.watcher()
        before = await world.lamports()
        assert await watcher.round()
        said = [(event.event, event.leaves, event.false, event.unknown) for event in world.events]
        assert sorted(said) == [
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


def test_every_kind_of_falsehood_is_convicted(tmp_path: Path) -> None:
    infinite = instance(1, at_infinity="a")
    two = instance(2)
    lies = [
        replace(TRUE, inputs=(TRUE.inputs[0] + 1,)),
        replace(TRUE, inputs=(TRUE.inputs[0] + r,)),
        replace(TRUE, inputs=(*TRUE.inputs, 5)),
        replace(TRUE, inputs=()),
        FALSE,
        TRUE.with_points(a=(TRUE.a[0], TRUE.a[1] + 1)),
        TRUE.with_points(a=(TRUE.a[0], TRUE.a[1] + q)),
        TRUE.with_points(b=OUTSIDE_SUBGROUP),
        infinite,
    ]
    leaves = [Entry(lie, bytes(32), b"p" * 32, key=(infinite if lie is infinite else TRUE).digest) for lie in lies]
    leaves += [Entry(two, bytes(32), b"p" * 32), Entry(TRUE, bytes(32), b"p" * 32)]

    async def journey(world: World) -> None:
        data = data_of(leaves)
        data = BatchData(data.leaves, {given.digest: given.encoding for given in (TRUE, infinite, two)})
        world.publish(data)
        await world.commit_root(data.tree.root, len(leaves))
        watcher = await world.watcher()
        assert await watcher.round()
        assert await world.states() == [LEAF_VOID] * len(lies) + [LEAF_UNPAID] * 2
        assert sorted(event.leaf for event in world.heard("challenged")) == list(range(len(lies)))

    on_world(journey, tmp_path)


def test_a_memory_that_is_ahead_of_the_chain_is_taken_back(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher()
        await world.commit(entries(4))
        watcher.progress.add(PROVER, 7, [])
        assert await watcher.round()
        assert world.kinds == ["rolled_back"]
        await world.commit(entries(4, 1))
        assert await watcher.round()
        assert world.kinds == ["rolled_back", "checked", "challenged"]

    on_world(journey, tmp_path)


def test_the_windows_last_seconds_count(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher()
        await world.commit(entries(4, 1))
        until = (await world.batch()).challenge_until_s
        await world.warp_to(until - 5)
        assert until - 5 <= await watcher.view.now_s() <= until
        assert await watcher.round()
        assert (await world.states())[1] == LEAF_VOID

    on_world(journey, tmp_path)


def test_after_the_window_nothing_is_sent(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher()
        await world.commit(entries(4, 1))
        await world.warp(seconds=WINDOW_S + 1)
        before = await world.lamports()
        assert await watcher.round()
        assert world.kinds == ["too_late"]
        assert await world.states() == [LEAF_UNPAID] * 4
        assert (await world.lamports(), watcher.progress.open()) == (before, [])

    on_world(journey, tmp_path)


def test_a_window_that_ends_between_two_rounds_is_said_to_be_over(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher(is_dry=True)
        await world.commit(entries(4, 1))
        await world.commit(entries(5), is_published=False)
        assert await watcher.round()
        await world.warp(seconds=WINDOW_S + 1)
        assert await watcher.round()
        late = world.heard("too_late")
        assert [(event.number, event.false, event.unknown) for event in late] == [(0, 1, None), (1, None, 5)]
        assert watcher.progress.open() == []

    on_world(journey, tmp_path)


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher(is_dry=True)
        await world.commit(entries(4, 1))
        for _ in range(2):
            assert await watcher.round()
        assert world.kinds == ["checked", "would"]
        assert await world.states() == [LEAF_UNPAID] * 4

    on_world(journey, tmp_path)


def test_a_poor_watcher_says_so_and_goes_on_when_it_has_money(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        watcher = await world.watcher(lamports=10**8)
        assert watcher.moves is not None
        watcher.moves.min_balance = 10**9
        await world.commit(entries(4, 1))
        assert await watcher.round()
        assert await watcher.round()
        assert world.kinds == ["checked", "skipped"]
        assert "send it some" in str(world.events[1].detail)
        await world.client.request_airdrop(ONE.pubkey(), 10**9)
        assert await watcher.round()
        assert world.kinds[-1] == "challenged"

    on_world(journey, tmp_path)


def test_a_reward_below_the_least_wanted_is_left(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        proud, modest = (
            await world.watcher(min_reward=REWARD + 1),
            await world.watcher(min_reward=REWARD, state="b.sqlite"),
        )
        await world.commit(entries(4, 1))
        assert await proud.round()
        assert world.kinds == ["checked", "skipped"]
        assert await modest.round()
        assert world.kinds[2:] == ["checked", "challenged"]

    on_world(journey, tmp_path)


def test_keys_are_registered_within_a_budget(tmp_path: Path) -> None:
    """Whoever commits false leaves under ever new keys does not empty the watcher."""
    lies = [instance(n).with_points(c=TRUE.a) for n in (1, 2, 3)]

    async def journey(world: World) -> None:
        rent = (await world.client.get_minimum_balance_for_rent_exemption(KEY_ACCOUNT.size + len(TRUE.encoding))).value
        await world.commit([Entry(lie, bytes(32), b"p" * 32) for lie in (*lies, lies[0])])
        for _ in range(2):  # nor after a restart
            watcher = await world.watcher(key_budget=rent + 5)
            assert await watcher.round()
            assert await world.states() == [LEAF_VOID, LEAF_UNPAID, LEAF_UNPAID, LEAF_VOID]
        assert {event.leaf for event in world.heard("skipped")} == {1, 2}
        assert "budget" in str(world.heard("skipped")[0].detail)

    on_world(journey, tmp_path)


def test_committers_can_be_named(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        await world.commit(entries(4, 1))
        named = await world.watcher(provers=[PROVER])
        assert await named.round()
        assert world.kinds == ["checked", "challenged"]
        nobody = await world.watcher(provers=[ONE.pubkey()], state="b.sqlite")
        assert not await nobody.round()
        assert "no prover" in str(world.events[-1].detail)

    on_world(journey, tmp_path)


def test_a_batch_hidden_at_another_bump_is_found(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        data = data_of(entries(4, 2))
        world.publish(data)
        address, bump = batch_addresses(PROGRAM.pubkey(), PROVER, 0)[3]
        honest = batches.commit_batch(
            PROGRAM.pubkey(), PROVER, PAYER.pubkey(), number=0, prev_root=bytes(32), root=data.tree.root, leaf_count=4
        )
        metas = list(honest.accounts)
        metas[3] = AccountMeta(address, False, True)
        moved = Instruction(honest.program_id, honest.data[:1] + bytes([bump]) + honest.data[2:], metas)
        await world.sender.send([moved])
        assert await (await world.watcher()).round()
        assert world.kinds == ["checked", "challenged"]
        assert {event.batch for event in world.events} == {str(address)}

    on_world(journey, tmp_path)
