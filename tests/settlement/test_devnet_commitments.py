"""Commitments on the devnet: what is processed is seen at once, what is confirmed later, what is final last."""

import base64

import pytest
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.message import MessageV0
from solders.sysvar import CLOCK
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from proofgrid.settlement.devnet import Delays
from tests.settlement.cluster import PAYER
from tests.settlement.frozen import FUNDS, NO_PREFLIGHT, Frozen, RpcFailed, on_frozen, payment, stranger

DELAYS = Delays(confirmed=2, finalized=10)
LEVELS = [(Processed, 0), (Confirmed, 2), (Finalized, 10)]
STATUS = TransactionConfirmationStatus


def test_each_commitment_sees_a_payment_in_its_slot() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        sent = await frozen.pay(to)
        for age in range(12):
            for commitment, delay in LEVELS:
                # Given a payment of so many slots ago, a commitment sees it if it has the delay behind it
                seen = 10**7 if age >= delay else 0
                assert await frozen.balance(to, commitment) == seen, (age, commitment)
                account = (await frozen.client.get_account_info(to, commitment)).value
                assert (account is not None) == bool(seen)
            status = await frozen.status(sent)
            expected = STATUS.Finalized if age >= 10 else STATUS.Confirmed if age >= 2 else STATUS.Processed
            assert status.confirmation_status == expected
            assert status.confirmations == (None if age >= 10 else age)
            for commitment, delay in LEVELS[1:]:
                found = (await frozen.client.get_transaction(sent, "json", commitment, 0)).value
                assert (found is not None) == (age >= delay)
                history = (await frozen.client.get_signatures_for_address(to, commitment=commitment)).value
                assert [entry.signature for entry in history] == ([sent] if age >= delay else [])
            await frozen.warp(1)

    on_frozen(journey, delays=DELAYS)


def test_slots_heights_and_blockhashes_lag() -> None:
    async def journey(frozen: Frozen) -> None:
        newest = (await frozen.client.get_slot(Processed)).value
        for commitment, delay in LEVELS:
            assert (await frozen.client.get_slot(commitment)).value == newest - delay
            assert (await frozen.client.get_block_height(commitment)).value == newest - delay
            latest = (await frozen.client.get_latest_blockhash(commitment)).value
            assert latest.last_valid_block_height == newest - delay + 150
            assert (await frozen.client.get_epoch_info(commitment)).value.absolute_slot == newest - delay
        fresh = (await frozen.client.get_latest_blockhash(Processed)).value.blockhash
        for name, is_valid in (("processed", True), ("finalized", False)):
            assert (await frozen.call("isBlockhashValid", str(fresh), {"commitment": name}))["value"] == is_valid
        await frozen.warp(10)
        assert (await frozen.call("isBlockhashValid", str(fresh)))["value"]

    on_frozen(journey, delays=DELAYS)


def test_preflight_runs_at_its_commitment() -> None:
    async def journey(frozen: Frozen) -> None:
        # Given a blockhash that is not final yet: the classic mistake
        transaction = await frozen.signed(payment(stranger()))
        with pytest.raises(RPCException) as raised:
            await frozen.client.send_transaction(transaction, TxOpts(preflight_commitment=Finalized))
        assert raised.value.args[0].data.err == TransactionErrorFieldless.BlockhashNotFound
        await frozen.client.send_transaction(transaction, TxOpts(preflight_commitment=Confirmed))
        # Given money that is spent already, but was not at the end of the final slot
        old = (await frozen.client.get_latest_blockhash(Finalized)).value.blockhash
        await frozen.send(await frozen.signed(payment(stranger(), FUNDS - 10**8)))
        big = await frozen.signed(payment(stranger(), FUNDS - 10**8), blockhash=old)
        at_final = (await frozen.client.simulate_transaction(big, commitment=Finalized)).value
        at_processed = (await frozen.client.simulate_transaction(big, commitment=Processed)).value
        assert (at_final.err, at_processed.err is None) == (None, False)
        # and the simulation in the past has left the present alone
        assert await frozen.balance(PAYER.pubkey(), Processed) == 10**8 - 10**7 - 10_000

    on_frozen(journey, delays=DELAYS)


def test_min_context_slot_is_waited_for() -> None:
    async def journey(frozen: Frozen) -> None:
        slot = await frozen.call("getSlot", {"commitment": "processed"})
        options = {"commitment": "finalized", "minContextSlot": slot}
        for method in ("getBalance", "getAccountInfo"):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call(method, str(PAYER.pubkey()), options)
            assert (raised.value.code, raised.value.error["data"]) == (-32016, {"contextSlot": slot - 10})
        await frozen.warp(9)
        with pytest.raises(RpcFailed):
            await frozen.call("getLatestBlockhash", options)
        await frozen.warp(1)
        assert (await frozen.call("getBalance", str(PAYER.pubkey()), options))["value"] == FUNDS

    on_frozen(journey, delays=DELAYS)


def test_program_accounts_at_a_commitment() -> None:
    async def journey(frozen: Frozen) -> None:
        system = "1" * 32
        to = stranger()
        await frozen.pay(to)
        for commitment, present in (("processed", True), ("finalized", False)):
            found = await frozen.call("getProgramAccounts", system, {"commitment": commitment, "encoding": "base64"})
            assert (str(to) in {entry["pubkey"] for entry in found}) == present
        with_context = await frozen.call("getProgramAccounts", system, {"withContext": True, "encoding": "base64"})
        assert with_context["context"]["slot"] == (await frozen.client.get_slot(Finalized)).value

    on_frozen(journey, delays=DELAYS)


def test_unknown_commitment_is_refused() -> None:
    async def journey(frozen: Frozen) -> None:
        for commitment in ("recent", 5, [], {}):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call("getSlot", {"commitment": commitment})
            assert raised.value.code == -32602
        with pytest.raises(RpcFailed, match="below `confirmed`"):
            await frozen.call("getSignaturesForAddress", str(stranger()), {"commitment": "processed"})

    on_frozen(journey)


def test_time_warps_by_slots_and_by_seconds() -> None:
    async def journey(frozen: Frozen) -> None:
        async def clock() -> tuple[int, int]:
            data = (await frozen.client.get_account_info(CLOCK)).value.data
            return int.from_bytes(data[:8], "little"), int.from_bytes(data[32:40], "little")

        slot, unix_s = await clock()
        assert slot == (await frozen.client.get_slot(Processed)).value
        assert await frozen.warp(1000) == slot + 1000
        later_slot, later_s = await clock()
        assert later_slot == slot + 1000
        assert later_s - unix_s in (400, 401, 402)  # 0.4 s a slot; the wall clock goes on meanwhile
        await frozen.call("devnet_warp", {"seconds": 7 * 86400})
        final_slot, final_s = await clock()
        assert final_slot == later_slot + 7 * 86400 * 5 // 2
        assert final_s - later_s in (604800, 604801, 604802)
        sent = await frozen.pay(stranger())
        found = (await frozen.client.get_transaction(sent, "json", Confirmed, 0)).value
        assert found is not None
        assert found.block_time is not None
        assert 0 <= found.block_time - final_s <= 2
        assert (await frozen.client.get_block_time(found.slot)).value == found.block_time
        before = (await frozen.client.get_block_time(found.slot - 100)).value
        assert before is not None
        assert found.block_time - before in (38, 39, 40, 41)

    on_frozen(journey)


def test_wrong_warp_is_refused() -> None:
    async def journey(frozen: Frozen) -> None:
        slot = await frozen.call("getSlot")
        for wrong in ({}, {"slots": -1}, {"slots": 0.5}, {"days": 1}, {"slots": 1, "seconds": 1}, [1], True):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call("devnet_warp", wrong)
            assert raised.value.code == -32602
        assert await frozen.call("getSlot") == slot

    on_frozen(journey)


def test_fees_are_told_before_and_charged_after() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        batch = [set_compute_unit_limit(1000), set_compute_unit_price(2_000_001), payment(to)]
        transaction = await frozen.signed(*batch)
        assert isinstance(transaction.message, MessageV0)
        told = (await frozen.client.get_fee_for_message(transaction.message)).value
        assert told == 5000 + 2001
        await frozen.client.send_transaction(transaction, NO_PREFLIGHT)
        assert await frozen.balance(PAYER.pubkey()) == FUNDS - 10**7 - told
        unknown = await frozen.signed(payment(to), blockhash=Hash.new_unique())
        assert (await frozen.client.get_fee_for_message(unknown.message)).value is None
        # what was paid to write these accounts, in the slots of the last minute
        fees = (await frozen.client.get_recent_prioritization_fees([to])).value
        assert [fee.prioritization_fee for fee in fees if fee.prioritization_fee] == [2_000_001]
        assert len(fees) == 150
        others = (await frozen.client.get_recent_prioritization_fees([stranger()])).value
        assert {fee.prioritization_fee for fee in others} == {0}
        await frozen.warp(150)
        fees = (await frozen.client.get_recent_prioritization_fees([to])).value
        assert {fee.prioritization_fee for fee in fees} == {0}

    on_frozen(journey)


def test_transaction_in_every_encoding() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        transaction = await frozen.signed(payment(to))
        sent = await frozen.send(transaction)
        for encoding in ("json", "jsonParsed", "base64", "base58"):
            found = (await frozen.client.get_transaction(sent, encoding, max_supported_transaction_version=0)).value
            assert found is not None
            assert found.transaction.meta is not None
            told = found.transaction.transaction
            if encoding.startswith("base"):
                assert told == transaction
            elif encoding == "json":
                assert told.message.account_keys == list(transaction.message.account_keys)
            else:
                roles = {key.pubkey: (key.signer, key.writable) for key in told.message.account_keys}
                assert roles[PAYER.pubkey()] == (True, True)
                assert roles[to] == (False, True)
                assert [str(one.program_id) for one in told.message.instructions] == ["1" * 32]
        with pytest.raises(RpcFailed):
            await frozen.call("getTransaction", str(sent), {"encoding": "hex", "maxSupportedTransactionVersion": 0})

    on_frozen(journey)


def test_simulation_shows_the_accounts_after_it() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        transaction = await frozen.signed(payment(to))
        simulated = await frozen.call(
            "simulateTransaction",
            base64.b64encode(bytes(transaction)).decode(),
            {"encoding": "base64", "commitment": "confirmed", "accounts": {"addresses": [str(to), str(stranger())]}},
        )
        assert [account and account["lamports"] for account in simulated["value"]["accounts"]] == [10**7, None]
        assert await frozen.balance(to) == 0

    on_frozen(journey)
