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

from proofgrid.errors import ChainUnavailable, Conflict, ProgramRefused
from proofgrid.settlement.addresses import batch_address, batch_addresses
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, COMMIT_BATCH, ZERO_ROOT
from proofgrid.settlement.sender import TransactionExpired
from proofgrid.settlement.submitter import Submitter
from proofgrid.settlement.transactions import sign
from tests.settlement.cluster import CONFIRMED, PAYER, PROGRAM, PROVER, founded, on_devnet, rpc, submitter
from tests.settlement.flaky import Faults, FlakyClient

ROOTS = [bytes([i + 1]) * 32 for i in range(8)]


def with_faults(faults: Faults, journey: Callable[[Submitter], Awaitable[None]], *, slot_s: float = 0.4) -> None:
    async def wrapped(sound: Submitter) -> None:
        client = FlakyClient(str(sound.client._provider.endpoint_uri), faults)
        async with Submitter(client, PROGRAM.pubkey(), PROVER, PAYER) as flaky:
            flaky.sender.poll_s = flaky.sender.rebroadcast_s = 0.02
            await journey(flaky)

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


def test_signature_is_known_before_anything_is_sent() -> None:
    faults, signed = Faults(), list[tuple[str, int]]()

    async def journey(ready: Submitter) -> None:
        async def on_signed(signature: str, last_valid_block_height: int) -> None:
            assert faults.sent == []
            signed.append((signature, last_valid_block_height))

        committed = await ready.commit_batch(ROOTS[0], 1, on_signed=on_signed)
        assert [committed.signature] == [signature for signature, _ in signed] == faults.signatures
        height = (await ready.client.get_block_height()).value
        assert height + 140 < signed[0][1] <= height + 150

    with_faults(faults, journey)


def test_a_callback_that_fails_stops_the_sending() -> None:
    faults = Faults()

    async def journey(ready: Submitter) -> None:
        def on_signed(signature: str, last_valid_block_height: int) -> None:
            raise OSError("the database is full")

        with pytest.raises(OSError, match="full"):
            await ready.commit_batch(ROOTS[0], 1, on_signed=on_signed)
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
        with pytest.raises(Conflict, match="batch 0 is committed"):
            await ready.commit_batch(ROOTS[1], 3, number=0)

    on_devnet(journey)


def test_refusals_keep_their_names() -> None:
    async def journey(ready: Submitter) -> None:
        for name, root, leaves, number in (
            ("EmptyBatch", ROOTS[0], 0, None),
            ("ZeroRoot", ZERO_ROOT, 1, 0),
            ("WrongBatchNumber", ROOTS[0], 1, 5),
        ):
            with pytest.raises(ProgramRefused) as refused:
                await ready.commit_batch(root, leaves, number=number)
            assert refused.value.name == name
            assert not refused.value.retryable

    on_devnet(journey)


@pytest.mark.parametrize(("lamports", "name"), [(0, "AccountNotFound"), (1_500_000, "InsufficientFunds")])
def test_poor_committer_is_told(lamports: int, name: str) -> None:
    async def journey(ready: Submitter) -> None:
        funds = await ready.balance() - 5000 - lamports
        move = TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=Keypair().pubkey(), lamports=funds)
        latest = (await ready.client.get_latest_blockhash()).value
        await ready.client.send_transaction(sign([transfer(move)], [PAYER], latest.blockhash))
        assert await ready.balance() == lamports
        with pytest.raises(ProgramRefused) as refused:
            await ready.commit_batch(ROOTS[0], 1)
        assert refused.value.name == name
        assert (await ready.read_log()).next_number == 0

    on_devnet(journey)


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

    async def journey(ready: Submitter) -> None:
        def on_signed(signature: str, _last_valid: int) -> None:
            signed.append(signature)
            if len(signed) == 2:
                faults.drop = 0

        committed = await ready.commit_batch(ROOTS[0], 1, on_signed=on_signed)
        assert len(set(signed)) == 2
        assert committed.signature == signed[1]
        assert await batches_on_chain(ready) == 1

    with_faults(faults, journey, slot_s=0.002)


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
        rivals = [ready.commit_batch(root, 1, number=1) for root in ROOTS[1:4]]
        outcomes = await asyncio.gather(*rivals, return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
        assert await batches_on_chain(ready) == 2

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
            for call in (ready.commit_batch(ROOTS[0], 1), ready.read_log(), ready.read_batch(0), ready.balance()):
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

    async def first() -> None:
        async with submitter(devnet.url) as ready:
            ready.sender.patience_s = 0.2
            await ready.client.request_airdrop(PAYER.pubkey(), 10**10)
            with pytest.raises(ChainUnavailable):
                await ready.commit_batch(ROOTS[0], 1, number=0, on_signed=lambda *_: devnet.stop())

    async def second(url: str) -> None:
        async with submitter(url) as ready:
            assert (await ready.commit_batch(ROOTS[0], 1, number=0)).number == 0

    try:
        asyncio.run(first())
    finally:
        devnet.stop()
    with Devnet.start(state_file=state, port=port) as revived:
        asyncio.run(second(revived.url))
