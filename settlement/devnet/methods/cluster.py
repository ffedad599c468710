"""What the cluster says about itself: slots, epochs, blockhashes, fees."""

from collections import defaultdict

from proofgrid.settlement.devnet.bank import Bank
from proofgrid.settlement.devnet.blockhashes import LIFETIME_SLOTS
from proofgrid.settlement.devnet.fees import fee_of, price_of
from proofgrid.settlement.devnet.landed import written_by
from proofgrid.settlement.devnet.ledger import SLOTS_PER_EPOCH, Ledger
from proofgrid.settlement.devnet.methods.table import method
from proofgrid.settlement.devnet.timeline import SLOT_S
from proofgrid.settlement.devnet.values import INVALID_PARAMS, Json, Params, RpcError, pubkey

_MAX_ACCOUNT_BYTES = 10 << 20
_BLOCK_NOT_AVAILABLE = -32004


@method("getHealth")
def get_health(_ledger: Ledger, _params: Params) -> Json:
    return "ok"


@method("getVersion")
def get_version(_ledger: Ledger, _params: Params) -> Json:
    return {"solana-core": "3.0.0", "feature-set": 0}


@method("getGenesisHash")
def get_genesis_hash(ledger: Ledger, _params: Params) -> Json:
    return str(ledger.genesis)


@method("getSlot")
def get_slot(ledger: Ledger, params: Params) -> Json:
    return Bank.asked(ledger, params, 0).slot


@method("getBlockHeight")
def get_block_height(ledger: Ledger, params: Params) -> Json:
    return Bank.asked(ledger, params, 0).slot


@method("getTransactionCount")
def get_transaction_count(ledger: Ledger, _params: Params) -> Json:
    return ledger.transaction_count


@method("getEpochInfo")
def get_epoch_info(ledger: Ledger, params: Params) -> Json:
    slot = Bank.asked(ledger, params, 0).slot
    return {
        "absoluteSlot": slot,
        "blockHeight": slot,
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": ledger.transaction_count,
    }


@method("getBlockTime")
def get_block_time(ledger: Ledger, params: Params) -> Json:
    """Unix seconds: of the transactions in that slot where there are any, else reckoned from now."""
    slot = params.number(0)
    if slot > ledger.slot:
        raise RpcError(_BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    known = next((landed.unix_time_s for landed in ledger.recent(ledger.slot - slot + 1) if landed.slot == slot), None)
    return ledger.time.unix_time_s() - int((ledger.slot - slot) * SLOT_S) if known is None else known


@method("getLatestBlockhash")
def get_latest_blockhash(ledger: Ledger, params: Params) -> Json:
    bank = Bank.asked(ledger, params, 0)
    blockhash, last_valid = bank.latest_blockhash()
    return bank.in_context({"blockhash": str(blockhash), "lastValidBlockHeight": last_valid})


@method("isBlockhashValid")
def is_blockhash_valid(ledger: Ledger, params: Params) -> Json:
    bank = Bank.asked(ledger, params, 1)
    return bank.in_context(bank.is_valid_blockhash(params.blockhash(0)))


@method("getFeeForMessage")
def get_fee_for_message(ledger: Ledger, params: Params) -> Json:
    bank, message = Bank.asked(ledger, params, 1), params.message(0)
    known = bank.is_valid_blockhash(message.recent_blockhash)
    return bank.in_context(fee_of(message) if known else None)


@method("getRecentPrioritizationFees")
def get_recent_prioritization_fees(ledger: Ledger, params: Params) -> Json:
    """For each of the last 150 slots the lowest price (micro-lamports a unit) that locked all the accounts given."""
    wanted = {pubkey(text) for text in params.texts(0, limit=128)} if params.has(0) else set()
    paid: defaultdict[int, list[int]] = defaultdict(list)
    for landed in ledger.recent(LIFETIME_SLOTS):
        if landed.details and wanted <= set(written_by(landed.details.transaction)):
            paid[landed.slot].append(price_of(landed.details.transaction.message))
    slots = range(max(ledger.slot - LIFETIME_SLOTS + 1, 0), ledger.slot + 1)
    return [{"slot": slot, "prioritizationFee": min(paid[slot]) if slot in paid else 0} for slot in slots]


@method("getMinimumBalanceForRentExemption")
def get_minimum_balance(ledger: Ledger, params: Params) -> Json:
    size = params.number(0)
    if size > _MAX_ACCOUNT_BYTES:
        raise RpcError(INVALID_PARAMS, "Invalid params: no account holds more than 10 MiB")
    return ledger.svm.minimum_balance_for_rent_exemption(size)
