"""The submitter against a devnet, sound and misbehaving: every batch is committed exactly once."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from proofgrid.errors import (
    BalanceTooLow,
    ChainUnavailable,
    Conflict,
    MalformedInput,
    ProgramRefused,
    SettlementError,
)
from proofgrid.settlement.addresses import batch_address, batch_addresses
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.endpoints import endpoints_of
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, COMMIT_BATCH, MAX_LEAVES, ZERO_ROOT
from proofgrid.settlement.outbox import Outbox, State
from proofgrid.settlement.sender import TransactionExpired
from proofgrid.settlement.submitter import Submitter
from proofgrid.settlement.transactions import sign
from tests.settlement.cluster import (
    CONFIRMED,
    PAYER,
    PROGRAM,
    PROVER,
    founded,
    hurried,
    on_devnet,
    rpc,
    submitter,
)
from tests.settlement.flaky import Faults, FlakyClient, ToldOutbox

ROOTS = [bytes([i + 1]) * 32 for i in range(8)]


def with_faults(
    faults: Faults,
    journey: Callable[[Submitter], Awaitable[None]],
    *,
    slot_s: float = 0.4,
    on_signed: Callable[[str, int], None] = lambda *_: None,
) -> None:
    async def wrapped(sound: Submitter) -> None:
        client = FlakyClient(str(sound.client._provider.endpoint_uri), faults)
        outbox = ToldOutbox(":memory:", sound.outbox.log)
        outbox.on_signed = on_signed
        async with Submitter(client, PROGRAM.pubkey(), PROVER, PAYER, outbox) as flaky:
            await journey(hurried(flaky))

    on_devnet(wrapped, slot_s=slot_s)


async def batches_on_chain(ready: Submitter) -> int:
    typed = {
        "memcmp": {"offset": 0, "bytes": b64encode(BATCH_ACCOUNT.discriminator or b"").decode(), "encoding": "base64"}
    }
    options = CONFIRMED | {"encoding": "base64", "filters": [typed]}
    return len((await rpc(ready.client, "getProgramAccounts", str(PROGRAM.pubkey()), options))["result"])


def test_batch_is_committed_and_read_back() -> None:
    async def journey(ready: Submitter) -> None:
        # When two roots are committed
        first = await ready.commit_batch(ROOTS[0], 1024)
        second = await ready.commit_batch(ROOTS[1], 7)
        # Then each is where its receipt says, behind its predecessor
        assert (first.number, first.prev_root, first.root, first.leaf_count) == (0, ZERO_ROOT, ROOTS[0], 1024)
        assert (second.number, second.prev_root) == (1, ROOTS[0])
        assert second.address == str(batch_address(PROGRAM.pubkey(), PROVER, 1)[0])
        assert second.program_id == str(PROGRAM.pubkey())
        read = await ready.read_batch(1)
        assert read is not None
        assert (read.root, read.prev_root, read.leaf_count, read.slot) == (ROOTS[1], ROOTS[0], 7, second.slot)
        assert await ready.read_batch(2) is None
        log = await ready.read_log()
        assert (log.next_number, log.latest_root) == (2, ROOTS[1])
        status = await rpc(ready.client, "getSignatureStatuses", [first.signature])
        assert status["result"]["value"][0]["err"] is None

    on_devnet(journey)


def test_transaction_is_stored_before_anything_is_sent() -> None:
    faults, signed = Faults(), list[tuple[str, int]]()

    def on_signed(signature: str, last_valid_block_height: int) -> None:
        assert faults.sent == []
        signed.append((signature, last_valid_block_height))

    async def journey(ready: Submitter) -> None:
        committed = await ready.commit_batch(ROOTS[0], 1)
        assert [committed.signature] == [signature for signature, _ in signed] == faults.signatures
        height = (await ready.client.get_block_height()).value
        assert height + 140 < signed[0][1] <= height + 150
        entry = ready.outbox.entry(0)
        assert entry is not None
        assert (entry.state, entry.raw, entry.attempts) == (State.CONFIRMED, faults.sent[0], 1)

    with_faults(faults, journey, on_signed=on_signed)


def test_an_outbox_that_cannot_be_written_stops_the_sending(tmp_path: Path) -> None:
    faults = Faults()

    async def journey(ready: Submitter) -> None:
        ready.outbox.put(0, ROOTS[0], 1)
        ready.outbox._database.execute("PRAGMA query_only = ON")  # as a full disk: reads work, writes do not
        with pytest.raises(SettlementError, match="outbox cannot be written"):
            await ready.commit_batch(ROOTS[0], 1, number=0)
        assert faults.sent == []
        assert (await ready.read_log()).next_number == 0

    with_faults(faults, journey)


@pytest.mark.parametrize("number", [0, None])
def test_same_root_again_is_the_same_batch(number: int | None) -> None:
    async def journey(ready: Submitter) -> None:
        first = await ready.commit_batch(ROOTS[0], 3)
        assert await ready.commit_batch(ROOTS[0], 3, number=number) == first
        assert await batches_on_chain(ready) == 1

    on_devnet(journey)


def test_another_root_under_a_used_number_is_a_conflict() -> None:
    async def journey(ready: Submitter) -> None:
        await ready.commit_batch(ROOTS[0], 3)
        with pytest.raises(Conflict, match="batch 0 has root"):
            await ready.commit_batch(ROOTS[1], 3, number=0)
        other = Submitter(ready.client, PROGRAM.pubkey(), PROVER, PAYER, Outbox(":memory:", ready.outbox.log))
        other.outbox.put(0, ROOTS[1], 3)
        with pytest.raises(ChainUnavailable, match="not final yet"):
            await other.tend()
        await rpc(ready.client, "devnet_warp", {"slots": 40})
        for _ in range(2):
            with pytest.raises(Conflict, match="batch 0 is committed"):
                await other.commit_batch(ROOTS[1], 3, number=0)
        other.outbox.close()

    on_devnet(journey)


def test_what_the_program_would_refuse_never_gets_into_the_outbox() -> None:
    async def journey(ready: Submitter) -> None:
        for kind, root, leaves, number in (
            (MalformedInput, ROOTS[0], 0, None),
            (MalformedInput, ROOTS[0], MAX_LEAVES + 1, None),
            (MalformedInput, ZERO_ROOT, 1, 0),
            (MalformedInput, ROOTS[0][:31], 1, 0),
            (MalformedInput, ROOTS[0], 1, -1),
            (Conflict, ROOTS[0], 1, 1),
        ):
            with pytest.raises(kind):
                await ready.commit_batch(root, leaves, number=number)
        assert ready.outbox.last() is None
        assert (await ready.commit_batch(ROOTS[0], 1)).number == 0

    on_devnet(journey)


def test_refusals_keep_their_names_and_are_remembered() -> None:
    async def journey(ready: Submitter) -> None:
        stranger = Keypair()
        await ready.client.request_airdrop(stranger.pubkey(), 10**9)
        other = Submitter(ready.client, PROGRAM.pubkey(), PROVER, stranger, ready.outbox)
        with pytest.raises(ProgramRefused) as refused:
            await other.commit_batch(ROOTS[0], 1)
        assert refused.value.name == "NotSigner"
        assert not refused.value.retryable
        entry = ready.outbox.entry(0)
        assert entry is not None
        assert (entry.state, entry.attempts, entry.error) == (State.PENDING, 0, str(refused.value))
        assert (await ready.commit_batch(ROOTS[0], 1)).number == 0  # the right key goes on where the other stopped

    on_devnet(journey)


@pytest.mark.parametrize("lamports", [0, 1_500_000])
def test_poor_committer_is_told_what_is_missing_and_goes_on_when_it_is_there(lamports: int) -> None:
    async def journey(ready: Submitter) -> None:
        funds = await balance(ready) - 5000 - lamports
        move = TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=Keypair().pubkey(), lamports=funds)
        latest = (await ready.client.get_latest_blockhash()).value
        await ready.client.send_transaction(sign([transfer(move)], [PAYER], latest.blockhash))
        assert await balance(ready) == lamports
        with pytest.raises(BalanceTooLow, match="send it") as low:
            await ready.commit_batch(ROOTS[0], 1)
        assert low.value.retryable
        assert await balance(ready) == lamports  # nothing was paid for nothing
        entry = ready.outbox.entry(0)
        assert entry is not None
        assert (entry.state, entry.attempts, entry.error) == (State.PENDING, 0, str(low.value))
        needed = (await ready.guard.read(1)).needed
        await ready.client.request_airdrop(PAYER.pubkey(), needed - lamports)
        assert (await ready.commit_batch(ROOTS[0], 1)).number == 0

    on_devnet(journey)


async def balance(ready: Submitter) -> int:
    return (await ready.guard.read(1)).lamports


def test_compute_and_price_are_bounded() -> None:
    faults = Faults(fees=[0, 100, 10**9, 0, 10**9, 10**9])

    async def journey(ready: Submitter) -> None:
        await ready.commit_batch(ROOTS[0], 1)
        message = VersionedTransaction.from_bytes(faults.sent[0]).message
        limit, price, commit = (bytes(one.data) for one in message.instructions)
        options = CONFIRMED | {"maxSupportedTransactionVersion": 0}
        found = await rpc(ready.client, "getTransaction", faults.signatures[0], options)
        used = found["result"]["meta"]["computeUnitsConsumed"]
        assert limit == bytes(set_compute_unit_limit(int(used * 1.2) + 1).data)
        assert price == bytes(set_compute_unit_price(ready.sender.max_micro_lamports).data)
        assert commit[0] == COMMIT_BATCH.arguments.tag

    with_faults(faults, journey)


def test_dropped_transactions_are_sent_again_as_they_were() -> None:
    faults = Faults(drop=3)

    async def journey(ready: Submitter) -> None:
        committed = await ready.commit_batch(ROOTS[0], 1)
        assert len(faults.sent) == 4
        assert len(set(faults.sent)) == 1
        assert faults.signatures == [committed.signature]

    with_faults(faults, journey)


def test_expired_transaction_is_built_anew() -> None:
    faults, signed = Faults(drop=10**9), list[str]()

    def on_signed(signature: str, _last_valid: int) -> None:
        signed.append(signature)
        if len(signed) == 2:
            faults.drop = 0

    async def journey(ready: Submitter) -> None:
        committed = await ready.commit_batch(ROOTS[0], 1)
        assert len(set(signed)) == 2
        assert committed.signature == signed[1]
        assert await batches_on_chain(ready) == 1

    with_faults(faults, journey, slot_s=0.002, on_signed=on_signed)


def test_transaction_that_never_lands_is_told() -> None:
    faults = Faults(drop=10**9)

    async def journey(ready: Submitter) -> None:
        with pytest.raises(TransactionExpired, match="did not land") as expired:
            await ready.commit_batch(ROOTS[0], 1)
        assert expired.value.retryable
        assert len(faults.signatures) == 3
        assert (await ready.read_log()).next_number == 0

    with_faults(faults, journey, slot_s=0.001)


def test_endpoint_that_stops_answering_is_waited_for() -> None:
    faults = Faults(mute=5)

    async def journey(ready: Submitter) -> None:
        await ready.commit_batch(ROOTS[0], 1)
        assert faults.mute == 0
        assert len(faults.signatures) == 1

    with_faults(faults, journey)


def test_lost_answer_is_found_by_the_next_attempt() -> None:
    """The transaction lands, the answer does not arrive, the caller tries again with its number."""
    faults = Faults(mute=10**9)

    async def journey(ready: Submitter) -> None:
        ready.sender.patience_s = 0.1
        with pytest.raises(ChainUnavailable):
            await ready.commit_batch(ROOTS[0], 1, number=0)
        faults.mute = 0
        again = await ready.commit_batch(ROOTS[0], 1, number=0)
        assert [again.signature] == faults.signatures
        assert await batches_on_chain(ready) == 1

    with_faults(faults, journey)


def test_racing_submitters_commit_once() -> None:
    async def journey(ready: Submitter) -> None:
        same = await asyncio.gather(*(ready.commit_batch(ROOTS[0], 1, number=0) for _ in range(4)))
        assert len({one.signature for one in same}) == 1
        await rpc(ready.client, "devnet_warp", {"slots": 40})
        rivals = [ready.commit_batch(root, 1, number=1) for root in ROOTS[1:4]]
        outcomes = await asyncio.gather(*rivals, return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
        assert await batches_on_chain(ready) == 2

    on_devnet(journey)


def test_an_endpoint_that_is_behind_never_makes_a_batch_look_missing() -> None:
    async def journey(ready: Submitter) -> None:
        await ready.commit_batch(ROOTS[0], 1)
        ready.outbox._database.execute("UPDATE batches SET slot = slot + 1000")  # it was seen where it is not yet
        ready.sender.patience_s = 0.1
        for number, root in enumerate(ROOTS[:2]):
            await asyncio.sleep(0.03)
            with pytest.raises(ChainUnavailable):
                await ready.tend()
            if number:
                with pytest.raises(ChainUnavailable):
                    await ready.commit_batch(root, 1, number=number)
        entry = ready.outbox.entry(0)
        assert entry is not None
        assert (entry.state, entry.forks) == (State.CONFIRMED, 0)
        await rpc(ready.client, "devnet_warp", {"slots": 1000})
        assert (await ready.commit_batch(ROOTS[1], 1)).number == 1

    on_devnet(journey)


def test_a_dead_endpoint_costs_nothing_but_its_turn() -> None:
    async def journey(ready: Submitter) -> None:
        url = str(ready.client._provider.endpoint_uri)
        async with submitter("http://127.0.0.1:9", url) as two:
            assert (await two.commit_batch(ROOTS[0], 1)).number == 0
            assert [one.failures > 0 for one in endpoints_of(two.client)] == [True, False]

    on_devnet(journey)


def test_batch_at_another_bump_is_found() -> None:
    async def journey(ready: Submitter) -> None:
        address, bump = batch_addresses(PROGRAM.pubkey(), PROVER, 0)[-1]
        honest = batches.commit_batch(
            PROGRAM.pubkey(), PROVER, PAYER.pubkey(), number=0, prev_root=ZERO_ROOT, root=ROOTS[0], leaf_count=9
        )
        at = COMMIT_BATCH.arguments.offset("batch_bump")
        data = honest.data[:at] + bytes([bump]) + honest.data[at + 1 :]
        metas = [*honest.accounts[:3], AccountMeta(address, False, True), honest.accounts[4]]
        await ready.sender.send([Instruction(PROGRAM.pubkey(), data, metas)])
        hidden = await ready.read_batch(0)
        assert hidden is not None
        assert (hidden.leaf_count, hidden.bump) == (9, bump)
        assert await ready.read_batch(1) is None

    on_devnet(journey)


def test_absent_endpoint_is_unavailable() -> None:
    async def journey() -> None:
        async with submitter("http://127.0.0.1:9") as ready:
            for call in (ready.commit_batch(ROOTS[0], 1), ready.read_log(), ready.read_batch(0), ready.guard.read(1)):
                with pytest.raises(ChainUnavailable) as unavailable:
                    await call
                assert unavailable.value.retryable

    asyncio.run(journey())


def test_endpoint_that_dies_and_comes_back(tmp_path: Path) -> None:
    """The devnet is stopped once the signature is known, and started again with its state."""
    state = tmp_path / "state"
    state.write_bytes(founded())
    devnet = Devnet.start(state_file=state)
    port = int(devnet.url.rsplit(":", 1)[1])

    async def first() -> str:
        async with submitter(devnet.url) as ready:
            ready.outbox = ToldOutbox(tmp_path / "outbox", ready.outbox.log)
            ready.outbox.on_signed = lambda *_: devnet.stop()
            ready.sender.patience_s = 0.2
            await ready.client.request_airdrop(PAYER.pubkey(), 10**10)
            with pytest.raises(ChainUnavailable):
                await ready.commit_batch(ROOTS[0], 1, number=0)
            entry = ready.outbox.entry(0)
            assert entry is not None
            return entry.signature or ""

    async def second(url: str, signature: str) -> None:
        async with submitter(url, outbox=tmp_path / "outbox") as ready:
            assert (await ready.commit_batch(ROOTS[0], 1, number=0)).signature == signature

    try:
        signature = asyncio.run(first())
    finally:
        devnet.stop()
    with Devnet.start(state_file=state, port=port) as revived:
        asyncio.run(second(revived.url, signature))
