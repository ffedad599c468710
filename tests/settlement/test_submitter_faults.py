"""Every batch committed exactly once: under each fault, killed at every step, undone by forks at every stage."""

import asyncio
import math
from contextlib import suppress
from pathlib import Path

import pytest
from solders.transaction import VersionedTransaction

from proofgrid.errors import ChainUnavailable, Conflict, ProofgridError
from proofgrid.settlement.accounts import ProverAccount
from proofgrid.settlement.devnet import Delays, Devnet
from proofgrid.settlement.outbox import Outbox, State
from proofgrid.settlement.submitter import Submitter
from tests.settlement.cluster import founded, submitter
from tests.settlement.mortal import Fate, Killed, mortal
from tests.settlement.network import PARAMETERS
from tests.settlement.ordeal import FAULTS, MIXED, control, fund, hunt, judge, ordeal, root_of

SLOW = ("unseen", "fork_blockhashes")


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "none"])
def test_every_batch_once_under(fault: str) -> None:
    count = 10 if fault in SLOW else 25
    kind = fault.partition("_")[0]
    # Forks are drawn by slot, that is by time: on a slow machine a small chance may never come.
    often = {"fork": {"probability": 0.2, "count": 5}} if kind == "fork" else {}
    verdict, struck = ordeal(FAULTS[fault] | often, count)
    assert struck[kind] > 0
    assert verdict.is_perfect, verdict


def test_every_batch_once_under_all_of_them_and_kills() -> None:
    verdict, struck, kills = hunt(MIXED, 40)
    assert kills > 0
    assert sum(1 for times in struck.values() if times) >= 6
    assert verdict.is_perfect, verdict


class Stage:
    """A devnet whose time stands still but for warps, with a founded network and an outbox."""

    def __init__(self, folder: Path, devnet: Devnet) -> None:
        self.url, self.outbox = devnet.url, folder / "outbox"

    async def warp(self, **time: float) -> None:
        await control(self.url, "devnet_warp", time)

    async def fork(self, slots: int, *, keep_blockhashes: bool = True) -> list[str]:
        undone: list[str] = await control(self.url, "devnet_fork", slots, {"keepBlockhashes": keep_blockhashes})
        return undone


@pytest.fixture
def stage(tmp_path: Path) -> "Stage":  # type: ignore[misc]
    state_file = tmp_path / "devnet.jsonl"
    state_file.write_bytes(founded())
    with Devnet.start(state_file=state_file, slot_s=math.inf, delays=Delays(0, 32)) as devnet:
        asyncio.run(fund(devnet.url))
        yield Stage(tmp_path, devnet)


async def whole_life(stage: Stage, ready: Submitter, number: int) -> None:
    """Commit a batch, see it final, see its stake released; from wherever a life before this one stopped."""
    await ready.commit_batch(root_of(number), 3, number=number)
    for state in (State.FINALIZED, State.RELEASED):
        for _ in range(20):
            entry = ready.outbox.entry(number)
            assert entry is not None
            if entry.state in (state, State.RELEASED):
                break
            await stage.warp(slots=40)
            await ready.tend()
            await asyncio.sleep(ready.finality.watch_s)
        await stage.warp(seconds=PARAMETERS.challenge_window_s + 1)
    entry = ready.outbox.entry(number)
    assert entry is not None
    assert entry.state is State.RELEASED


def test_killed_at_every_moment_of_a_batchs_life(stage: Stage) -> None:
    async def live(number: int, fate: Fate) -> bool:
        """Whether it lived to the end."""
        ready = await mortal(stage.url, stage.outbox, fate)
        try:
            await whole_life(stage, ready, number)
            return True
        except Killed:
            return False
        finally:
            await ready.close()

    async def lives() -> None:
        survived, number = False, 0
        deaths = set[str]()
        while not survived:
            fate = Fate(dies_at=number + 1)
            survived = await live(number, fate)
            if not survived:
                deaths.add(fate.moments[-1])
                assert await live(number, Fate(dies_at=10**9))
            number += 1
        moved = {"pending -> signed", "signed -> confirmed", "confirmed -> finalized", "finalized -> released"}
        asked = {"SendRawTransaction", "SimulateVersionedTransaction", "GetSignatureStatuses", "GetMultipleAccounts"}
        assert {"put", *moved, *asked} <= deaths
        verdict = await judge(stage.url, stage.outbox, number)
        assert verdict.is_perfect, verdict

    asyncio.run(lives())


def test_a_confirmed_batch_that_a_fork_undid_is_sent_again_as_it_was(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            committed = [await ready.commit_batch(root_of(number), 1) for number in range(3)]
            assert set(await stage.fork(1)) == {one.signature for one in committed}
            await stage.warp(slots=1)
            await asyncio.sleep(0.03)
            await ready.tend()  # sees it, and sends the first again
            assert [entry.state for entry in ready.outbox.entries(tuple(State))] == [State.SIGNED] * 3
            again = [await ready.commit_batch(root_of(number), 1, number=number) for number in range(3)]
            assert [one.signature for one in again] == [one.signature for one in committed]
            assert [entry.forks for entry in ready.outbox.entries(tuple(State))] == [1] * 3

    asyncio.run(journey())


def test_one_whose_blockhash_the_fork_took_is_built_anew_only_when_it_is_certain_to_have_expired(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            first = await ready.commit_batch(root_of(0), 1)
            await stage.warp(slots=1)
            before = ready.outbox.entry(0)
            await stage.fork(2, keep_blockhashes=False)
            await stage.warp(slots=1)
            for _ in range(3):
                await ready.tend()
                await asyncio.sleep(0.03)
            entry = ready.outbox.entry(0)
            assert before is not None
            assert entry is not None
            assert (entry.state, entry.raw, entry.attempts) == (State.SIGNED, before.raw, 1)
            await stage.warp(slots=155)  # past its last block, but that is not final yet
            await ready.tend()
            await asyncio.sleep(0.03)
            entry = ready.outbox.entry(0)
            assert entry is not None
            assert (entry.state, entry.attempts) == (State.SIGNED, 1)
            await stage.warp(slots=40)
            second = await ready.commit_batch(root_of(0), 1, number=0)
            assert second.signature != first.signature
            assert (second.address, second.root) == (first.address, first.root)
            entry = ready.outbox.entry(0)
            assert entry is not None
            assert (entry.attempts, entry.forks) == (2, 1)

    asyncio.run(journey())


def test_confirmed_is_not_final(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            await ready.commit_batch(root_of(0), 1)
            found = ready.committed(0)
            assert found is not None
            assert found[1] is False
            await stage.warp(slots=31)
            await ready.tend()
            assert ready.outbox.counts() == {State.CONFIRMED: 1}
            await stage.warp(slots=1)
            await asyncio.sleep(0.03)
            await ready.tend()
            assert ready.outbox.counts() == {State.FINALIZED: 1}
            found = ready.committed(0)
            assert found is not None
            assert found[1] is True

    asyncio.run(journey())


def test_stake_is_free_again_after_the_window(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            for number in range(3):
                await ready.commit_batch(root_of(number), 4)
            assert (await locked(ready)) == 3 * 4 * PARAMETERS.leaf_bond
            await stage.warp(slots=40)
            for _ in range(3):
                await ready.tend()
                await asyncio.sleep(0.03)
            assert (await locked(ready)) == 3 * 4 * PARAMETERS.leaf_bond
            await stage.warp(seconds=PARAMETERS.challenge_window_s + 1)
            await ready.tend()
            assert (await locked(ready)) == 0
            await asyncio.sleep(0.03)
            await ready.tend()
            assert ready.outbox.counts() == {State.FINALIZED: 3}  # for a fork may still lock it again
            assert len(await stage.fork(1)) == 1
            assert (await locked(ready)) == 3 * 4 * PARAMETERS.leaf_bond
            await stage.warp(slots=1)
            await asyncio.sleep(0.03)
            await ready.tend()
            assert (await locked(ready)) == 0
            await stage.warp(slots=40)
            await asyncio.sleep(0.03)
            await ready.tend()
            assert ready.outbox.counts() == {State.RELEASED: 3}

    asyncio.run(journey())


async def locked(ready: Submitter) -> int:
    log: ProverAccount = await ready.read_log()
    return log.locked


def test_a_transaction_that_fails_on_chain_is_not_sent_in_a_loop(stage: Stage) -> None:
    """It passes the simulation and fails when it lands: each try costs a fee, so the tries become rare."""

    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            send = ready.sender.broadcast

            async def overtaken(signed: object) -> None:
                """Another batch takes the number before the bytes arrive, and loses it in a fork afterwards."""
                async with submitter(stage.url) as rival:
                    await rival.commit_batch(bytes([9]) * 32, 1)
                await send(signed)  # type: ignore[arg-type]

            ready.sender.broadcast = overtaken  # type: ignore[method-assign, assignment]
            ready.outbox.put(0, root_of(0), 1)
            await ready.tend()
            with pytest.raises(ChainUnavailable, match="not final yet"):
                await ready.tend()
            assert ready.outbox.counts() == {State.SIGNED: 1}  # a fork may still give it the number
            await stage.warp(slots=40)
            with pytest.raises(Conflict, match="batch 0 is committed with root 0909"):
                await ready.commit_batch(root_of(0), 1, number=0)
            assert ready.outbox.counts() == {State.CONFLICT: 1}
            entry = ready.outbox.entry(0)
            assert entry is not None
            assert entry.attempts == 1
            await ready.tend()  # nothing to do any more

    asyncio.run(journey())


def test_a_failed_transaction_waits_longer_each_time(tmp_path: Path, stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            ready.outbox.put(0, root_of(0), 1)
            sign = ready.sender.sign

            async def starved(instructions: list[object], **options: object) -> object:
                """Signed with too little compute, as if the chain had become dearer since the simulation."""
                from proofgrid.settlement import sender

                margin, sender.COMPUTE_MARGIN = sender.COMPUTE_MARGIN, 0.9
                try:
                    return await sign(instructions, **options)  # type: ignore[arg-type]
                finally:
                    sender.COMPUTE_MARGIN = margin

            ready.sender.sign = starved  # type: ignore[method-assign, assignment]
            await ready.tend()
            with pytest.raises(ProofgridError, match="refused the transaction"):
                await ready.tend()
            entry = ready.outbox.entry(0)
            assert entry is not None
            assert (entry.state, entry.failures, entry.attempts) == (State.PENDING, 1, 1)
            for _ in range(3):
                with pytest.raises(ChainUnavailable, match="tried again in"):
                    await ready.tend()
            assert ready.outbox.entry(0) == entry

    asyncio.run(journey())


def test_two_processes_on_one_outbox_commit_once(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as one, submitter(stage.url, outbox=stage.outbox) as two:
            both = await asyncio.gather(
                one.commit_batch(root_of(0), 1, number=0), two.commit_batch(root_of(0), 1, number=0)
            )
            assert both[0] == both[1]
            entry = one.outbox.entry(0)
            assert entry is not None
            assert entry.attempts == 1

    asyncio.run(journey())


def test_one_that_another_process_committed_is_sent_again_with_its_own_bytes_after_a_fork(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url, outbox=stage.outbox) as ready, submitter(stage.url) as other:
            ready.outbox.put(0, root_of(0), 1)
            send = ready.sender.broadcast

            async def overtaken(signed: object) -> None:
                ready.sender.broadcast = send  # type: ignore[method-assign]
                await stage.warp(slots=1)  # else both transactions are the same
                await other.commit_batch(root_of(0), 1, number=0)
                await send(signed)  # type: ignore[arg-type]

            ready.sender.broadcast = overtaken  # type: ignore[method-assign, assignment]
            await ready.tend()
            raw = ready.outbox.entries((State.SIGNED,))[0].raw
            first = await ready.commit_batch(root_of(0), 1, number=0)
            assert first == await other.commit_batch(root_of(0), 1, number=0)
            await stage.fork(2)
            await stage.warp(slots=1)
            await asyncio.sleep(0.03)
            second = await ready.commit_batch(root_of(0), 1, number=0)
            while ready.outbox.counts() != {State.FINALIZED: 1}:
                await stage.warp(slots=10)
                await asyncio.sleep(0.03)
                with suppress(ProofgridError):
                    await ready.tend()
            (entry,) = ready.outbox.entries((State.FINALIZED,))
            assert second == first  # the fork had not been noticed
            assert (entry.raw, entry.attempts) == (raw, 1)
            assert entry.signature == str(VersionedTransaction.from_bytes(raw or b"").signatures[0])
            assert entry.signature != first.signature

    asyncio.run(journey())


def test_an_outbox_that_was_lost_is_filled_from_the_chain(stage: Stage) -> None:
    async def journey() -> None:
        async with submitter(stage.url) as forgetful:
            first = await forgetful.commit_batch(root_of(0), 2, number=0)
        async with submitter(stage.url, outbox=stage.outbox) as ready:
            assert await ready.commit_batch(root_of(0), 2, number=0) == first
            assert (await ready.commit_batch(root_of(1), 2)).number == 1
        outbox = Outbox(stage.outbox, ready.outbox.log)
        assert [entry.attempts for entry in outbox.entries(tuple(State))] == [0, 1]
        outbox.close()

    asyncio.run(journey())
