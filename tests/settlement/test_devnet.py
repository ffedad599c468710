"""The devnet through solana-py's own client: what a cluster answers, it answers."""

import asyncio
import base64
import subprocess
import sys
from pathlib import Path

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.core import RPCException
from solana.rpc.models import MemcmpOpts, TxOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction, VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from proofgrid.errors import ChainUnavailable, MalformedInput
from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.addresses import batch_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.instructions import batches, uploads
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, ZERO_ROOT
from proofgrid.settlement.submitter import Submitter
from proofgrid.settlement.transactions import error_name, sign
from tests.settlement.cluster import CONFIRMED, PAYER, PROGRAM, PROVER, on_devnet, rpc, submitter

ROOT = b"r" * 32
NO_PREFLIGHT = TxOpts(skip_preflight=True, max_retries=0)


def commit(number: int = 0, prev: bytes = ZERO_ROOT):
    return batches.commit_batch(
        PROGRAM.pubkey(), PROVER, PAYER.pubkey(), number=number, prev_root=prev, root=ROOT, leaf_count=1
    )


async def signed(client: AsyncClient, *batch, blockhash: Hash | None = None) -> VersionedTransaction:
    blockhash = blockhash or (await client.get_latest_blockhash(Confirmed)).value.blockhash
    return sign(batch, [PAYER], blockhash)


def preflight_error(raised: pytest.ExceptionInfo[RPCException]) -> SendTransactionPreflightFailureMessage:
    message = raised.value.args[0]
    assert isinstance(message, SendTransactionPreflightFailureMessage)
    return message


def test_transaction_travels(tmp_path: Path) -> None:
    async def journey(ready: Submitter) -> None:
        client = ready.client
        # When a transaction is simulated, sent, and looked for
        transaction = await signed(client, commit())
        simulated = (await client.simulate_transaction(transaction, replace_recent_blockhash=True)).value
        sent = (await client.send_transaction(transaction)).value
        # Then everything the cluster says about it agrees
        assert sent == transaction.signatures[0]
        status = (await client.get_signature_statuses([sent])).value[0]
        assert status is not None
        assert status.err is None
        assert status.confirmation_status == TransactionConfirmationStatus.Confirmed
        for encoding in ("json", "base64"):
            found = (await client.get_transaction(sent, encoding, max_supported_transaction_version=0)).value
            assert found is not None
            assert found.slot == status.slot
            meta = found.transaction.meta
            assert meta is not None
            assert meta.err is None
            assert meta.compute_units_consumed == simulated.units_consumed
            assert meta.pre_balances[0] - meta.post_balances[0] > meta.fee == 5000
        batch, _ = batch_address(PROGRAM.pubkey(), PROVER, 0)
        account = (await client.get_account_info(batch)).value
        assert account is not None
        assert BatchAccount.decode(account.data).root == ROOT
        history = (await client.get_signatures_for_address(batch)).value
        assert [entry.signature for entry in history] == [sent]
        discriminator = base64.b64encode(BATCH_ACCOUNT.discriminator or b"").decode()
        found_batches = await rpc(
            client,
            "getProgramAccounts",
            str(PROGRAM.pubkey()),
            CONFIRMED
            | {
                "encoding": "base64",
                "filters": [{"memcmp": {"offset": 0, "bytes": discriminator, "encoding": "base64"}}],
            },
        )
        assert [entry["pubkey"] for entry in found_batches["result"]] == [str(batch)]
        sized = (await client.get_program_accounts(PROGRAM.pubkey(), filters=[BATCH_ACCOUNT.size + 8])).value
        assert [entry.pubkey for entry in sized] == [batch]
        everything = (await client.get_program_accounts(PROGRAM.pubkey())).value
        assert {PROVER, batch} < {entry.pubkey for entry in everything}
        nothing = MemcmpOpts(offset=0, bytes="zzzz")
        assert (await client.get_program_accounts(PROGRAM.pubkey(), filters=[nothing])).value == []

    on_devnet(journey)


def test_cluster_answers_about_itself() -> None:
    async def journey(ready: Submitter) -> None:
        client = ready.client
        assert await client.is_connected()
        assert (await client.get_version()).value.solana_core
        assert (await client.get_genesis_hash()).value != Hash.default()
        assert (await client.get_minimum_balance_for_rent_exemption(40)).value == 168 * 6960
        assert (await client.get_balance(PAYER.pubkey())).value == 10**11
        assert (await client.get_account_info(Keypair().pubkey())).value is None
        assert (await client.get_recent_prioritization_fees([PAYER.pubkey()])).value[0].prioritization_fee == 0
        several = (await client.get_multiple_accounts([PAYER.pubkey(), Keypair().pubkey()])).value
        assert several[0] is not None
        assert several[1] is None
        before = (await client.get_slot()).value
        height = (await client.get_block_height()).value
        await rpc(client, "devnet_warp", {"slots": 10})
        assert (await client.get_slot()).value >= before + 10
        assert (await client.get_block_height()).value >= height + 10
        assert (await client.get_epoch_info()).value.absolute_slot >= before + 10

    on_devnet(journey, programs={})


def test_time_passes_by_itself() -> None:
    async def journey(ready: Submitter) -> None:
        before = (await ready.client.get_slot()).value
        blockhash = (await ready.client.get_latest_blockhash()).value.blockhash
        await asyncio.sleep(0.05)
        assert (await ready.client.get_slot()).value > before
        assert (await ready.client.get_latest_blockhash()).value.blockhash != blockhash

    on_devnet(journey, slot_s=0.01)


def test_status_becomes_final() -> None:
    async def journey(ready: Submitter) -> None:
        sent = (await ready.client.send_transaction(await signed(ready.client, commit()))).value
        await rpc(ready.client, "devnet_warp", {"slots": 32})
        status = (await ready.client.get_signature_statuses([sent])).value[0]
        assert status is not None
        assert status.confirmation_status == TransactionConfirmationStatus.Finalized
        assert status.confirmations is None

    on_devnet(journey)


def test_refused_transaction_fails_its_preflight_with_logs() -> None:
    async def journey(ready: Submitter) -> None:
        transaction = await signed(ready.client, commit(number=3))
        with pytest.raises(RPCException) as raised:
            await ready.client.send_transaction(transaction)
        data = preflight_error(raised).data
        assert error_name(data.err) == "WrongBatchNumber"
        assert any("custom program error" in line for line in data.logs or [])
        # it did not land
        assert (await ready.client.get_signature_statuses([transaction.signatures[0]])).value == [None]

    on_devnet(journey)


def test_without_preflight_it_lands_failed_and_pays() -> None:
    async def journey(ready: Submitter) -> None:
        before = (await ready.client.get_balance(PAYER.pubkey())).value
        transaction = await signed(ready.client, commit(number=3))
        sent = (await ready.client.send_transaction(transaction, NO_PREFLIGHT)).value
        status = (await ready.client.get_signature_statuses([sent])).value[0]
        assert status is not None
        assert error_name(status.err) == "WrongBatchNumber"
        assert (await ready.client.get_balance(PAYER.pubkey())).value == before - 5000

    on_devnet(journey)


@pytest.mark.parametrize("slots", [150, 151])
def test_blockhash_lives_150_slots(slots: int) -> None:
    async def journey(ready: Submitter) -> None:
        latest = (await ready.client.get_latest_blockhash()).value
        transaction = await signed(ready.client, commit(), blockhash=latest.blockhash)
        await rpc(ready.client, "devnet_warp", {"slots": slots})
        valid = (await ready.client.get_block_height()).value <= latest.last_valid_block_height
        assert valid == (slots == 150)
        assert (await rpc(ready.client, "isBlockhashValid", str(latest.blockhash), CONFIRMED))["result"][
            "value"
        ] == valid
        if valid:
            await ready.client.send_transaction(transaction)
            return
        with pytest.raises(RPCException) as raised:
            await ready.client.send_transaction(transaction)
        assert preflight_error(raised).data.err == TransactionErrorFieldless.BlockhashNotFound
        # Without preflight the node says nothing, and the transaction is never heard of again
        await ready.client.send_transaction(transaction, NO_PREFLIGHT)
        assert (await ready.client.get_signature_statuses([transaction.signatures[0]])).value == [None]

    on_devnet(journey, slot_s=1000)


def test_invented_blockhash_is_refused() -> None:
    async def journey(ready: Submitter) -> None:
        transaction = await signed(ready.client, commit(), blockhash=Hash.new_unique())
        with pytest.raises(RPCException) as raised:
            await ready.client.send_transaction(transaction)
        assert preflight_error(raised).data.err == TransactionErrorFieldless.BlockhashNotFound

    on_devnet(journey)


def test_same_transaction_lands_once() -> None:
    async def journey(ready: Submitter) -> None:
        gift = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=PROGRAM.pubkey(), lamports=10**6))
        transaction = await signed(ready.client, gift)
        before = (await ready.client.get_balance(PROGRAM.pubkey())).value
        for _ in range(3):
            await ready.client.send_transaction(transaction, NO_PREFLIGHT)
        assert (await ready.client.get_balance(PROGRAM.pubkey())).value == before + 10**6
        with pytest.raises(RPCException) as raised:
            await ready.client.send_transaction(transaction)
        assert preflight_error(raised).data.err == TransactionErrorFieldless.AlreadyProcessed

    on_devnet(journey)


def test_oversized_transaction_is_refused() -> None:
    async def journey(ready: Submitter) -> None:
        blockhash = (await ready.client.get_latest_blockhash()).value.blockhash
        write = uploads.write_upload(PROGRAM.pubkey(), PAYER.pubkey(), bytes(32), 0, bytes(1100))
        raw = bytes(VersionedTransaction(MessageV0.try_compile(PAYER.pubkey(), [write], [], blockhash), [PAYER]))
        assert len(raw) > 1232
        for call in (ready.client.send_raw_transaction(raw), ready.client.send_raw_transaction(raw, NO_PREFLIGHT)):
            with pytest.raises(RPCException, match="1232"):
                await call
        with pytest.raises(MalformedInput, match="1232"):
            sign([write], [PAYER], blockhash)

    on_devnet(journey)


def test_wrong_signature_is_refused() -> None:
    async def journey(ready: Submitter) -> None:
        transaction = await signed(ready.client, commit())
        other = VersionedTransaction.populate(transaction.message, [Keypair().sign_message(b"something else")])
        for opts in (None, NO_PREFLIGHT):
            with pytest.raises(RPCException, match="SignatureVerificationFailure"):
                await ready.client.send_transaction(other, opts)

    on_devnet(journey)


def test_legacy_transactions_are_taken() -> None:
    async def journey(ready: Submitter) -> None:
        blockhash = (await ready.client.get_latest_blockhash()).value.blockhash
        legacy = Transaction.new_signed_with_payer([commit()], PAYER.pubkey(), [PAYER], blockhash)
        sent = (await ready.client.send_raw_transaction(bytes(legacy))).value
        assert (await ready.client.get_transaction(sent)).value is not None  # no version to be supported

    on_devnet(journey)


def test_versioned_transaction_asks_for_support() -> None:
    async def journey(ready: Submitter) -> None:
        sent = (await ready.client.send_transaction(await signed(ready.client, commit()))).value
        answer = await rpc(ready.client, "getTransaction", str(sent), CONFIRMED)
        assert answer["error"]["code"] == -32015

    on_devnet(journey)


def test_history_has_pages() -> None:
    async def journey(ready: Submitter) -> None:
        stranger = Keypair().pubkey()
        sent = [str((await ready.client.request_airdrop(stranger, 10**6)).value) for _ in range(5)]
        assert len(set(sent)) == 5
        newest_first = sent[::-1]

        async def page(**options: object) -> list[str]:
            answer = await rpc(ready.client, "getSignaturesForAddress", str(stranger), CONFIRMED | options)
            return [entry["signature"] for entry in answer["result"]]

        assert await page() == newest_first
        assert await page(limit=2) == newest_first[:2]
        assert await page(before=newest_first[1], limit=2) == newest_first[2:4]
        assert await page(until=newest_first[3]) == newest_first[:3]

    on_devnet(journey)


def test_state_outlives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "devnet.jsonl"

    async def first(ready: Submitter) -> tuple[str, Hash]:
        signature = (await ready.commit_batch(ROOT, 5)).signature
        return signature, (await ready.client.get_genesis_hash()).value

    async def second(ready: Submitter) -> None:
        assert (await ready.client.get_genesis_hash()).value == genesis
        log = await ready.read_log()
        assert (log.next_number, log.latest_root) == (1, ROOT)
        # the same batch again is found, with the transaction of the first life
        assert (await ready.commit_batch(ROOT, 5, number=0)).signature == signature
        assert (await ready.commit_batch(b"s" * 32, 1)).number == 1

    signature, genesis = on_devnet(first, state_file=state)
    with state.open("a") as file:
        file.write('{"accounts": {"cut')  # a crash in the middle of a line
    on_devnet(second, state_file=state)


def test_foreign_state_file_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "other.txt"
    for text in (
        "hello\nworld\n",
        "[]\n",
        '{"accounts":{},"landed":[],"genesis":"00"}\n',
        '{"accounts":{},"landed":[],"genesis":5}\n',
        '{"accounts": 5, "landed": []}\n',
        '{"accounts":{"x":{"lamports":1}},"landed":[]}\n',
    ):
        state.write_text(text)
        with pytest.raises(MalformedInput, match=r"other\.txt"):
            Devnet.start(state_file=state)


def test_taken_port_is_told() -> None:
    with Devnet.start() as devnet, pytest.raises(ChainUnavailable, match="cannot listen"):
        Devnet.start(port=int(devnet.url.rsplit(":", 1)[1]))


def test_runs_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proofgrid.settlement.devnet", "--port", "0", "--state-file", str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]

            async def airdrop() -> int:
                async with submitter(url) as ready:
                    await ready.client.request_airdrop(PAYER.pubkey(), 10**9)
                    return await ready.balance()

            assert asyncio.run(airdrop()) == 10**9
        finally:
            process.terminate()
        assert process.wait(timeout=10) in (0, -15)
