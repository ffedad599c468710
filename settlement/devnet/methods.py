"""The RPC methods of the devnet, one function each, named as Solana names them.

Commitments are accepted and make no difference: one machine has nothing to agree on.
"""

import base64
from collections.abc import Callable

from solders.message import MessageV0
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionErrorFieldless

from proofgrid.settlement.devnet.forms import account_form, return_data_form, transaction_form
from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.ledger import Ledger, Refused
from proofgrid.settlement.devnet.values import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    PREFLIGHT_FAILURE,
    SIGNATURE_FAILURE,
    Json,
    Params,
    RpcError,
    error_form,
    from_base58,
    pubkey,
    signature,
)

Method = Callable[[Ledger, Params], Json]
METHODS: dict[str, Method] = {}


def call(ledger: Ledger, method: str, values: list[Json]) -> Json:
    """The method's result; raises RpcError."""
    function = METHODS.get(method)
    if function is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found", f"the devnet has: {', '.join(sorted(METHODS))}")
    ledger.tick()
    return function(ledger, Params(values))


def _method(name: str) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def _in_context(ledger: Ledger, value: Json) -> Json:
    return {"context": {"slot": ledger.slot, "apiVersion": "3.0.0"}, "value": value}


@_method("getHealth")
def _get_health(_ledger: Ledger, _params: Params) -> Json:
    return "ok"


@_method("getVersion")
def _get_version(_ledger: Ledger, _params: Params) -> Json:
    return {"solana-core": "3.0.0", "feature-set": 0}


@_method("getGenesisHash")
def _get_genesis_hash(ledger: Ledger, _params: Params) -> Json:
    return str(ledger.genesis)


@_method("getSlot")
def _get_slot(ledger: Ledger, _params: Params) -> Json:
    return ledger.slot


@_method("getBlockHeight")
def _get_block_height(ledger: Ledger, _params: Params) -> Json:
    return ledger.block_height


@_method("getTransactionCount")
def _get_transaction_count(ledger: Ledger, _params: Params) -> Json:
    return ledger.transaction_count


@_method("getEpochInfo")
def _get_epoch_info(ledger: Ledger, _params: Params) -> Json:
    clock = ledger.svm.get_clock()
    return {
        "absoluteSlot": ledger.slot,
        "blockHeight": ledger.block_height,
        "epoch": clock.epoch,
        "slotIndex": ledger.slot % 432_000,
        "slotsInEpoch": 432_000,
        "transactionCount": ledger.transaction_count,
    }


@_method("getLatestBlockhash")
def _get_latest_blockhash(ledger: Ledger, _params: Params) -> Json:
    blockhash, last_valid = ledger.latest_blockhash()
    return _in_context(ledger, {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid})


@_method("isBlockhashValid")
def _is_blockhash_valid(ledger: Ledger, params: Params) -> Json:
    return _in_context(ledger, ledger.is_valid_blockhash(params.blockhash(0)))


@_method("getRecentPrioritizationFees")
def _get_recent_prioritization_fees(ledger: Ledger, _params: Params) -> Json:
    return [{"slot": ledger.slot, "prioritizationFee": 0}]


@_method("getMinimumBalanceForRentExemption")
def _get_minimum_balance(ledger: Ledger, params: Params) -> Json:
    size = params.number(0)
    if size > 10 << 20:
        raise RpcError(INVALID_PARAMS, "Invalid params: no account holds more than 10 MiB")
    return ledger.svm.minimum_balance_for_rent_exemption(size)


@_method("getBalance")
def _get_balance(ledger: Ledger, params: Params) -> Json:
    return _in_context(ledger, ledger.svm.get_balance(params.pubkey(0)) or 0)


@_method("getAccountInfo")
def _get_account_info(ledger: Ledger, params: Params) -> Json:
    return _in_context(ledger, account_form(ledger.account(params.pubkey(0)), params.options(1)))


@_method("getMultipleAccounts")
def _get_multiple_accounts(ledger: Ledger, params: Params) -> Json:
    addresses, options = [pubkey(text) for text in params.texts(0, limit=100)], params.options(1)
    return _in_context(ledger, [account_form(ledger.account(address), options) for address in addresses])


@_method("getProgramAccounts")
def _get_program_accounts(ledger: Ledger, params: Params) -> Json:
    options = params.options(1)
    filters = options.get("filters") or []
    if not isinstance(filters, list) or len(filters) > 4:
        raise RpcError(INVALID_PARAMS, "Invalid params: filters must be a list of at most 4")
    found = [
        {"pubkey": str(address), "account": account_form(account, options)}
        for address, account in ledger.svm.get_program_accounts(params.pubkey(0))
        if account.lamports and all(_matches(bytes(account.data), one) for one in filters)
    ]
    return _in_context(ledger, found) if options.get("withContext") else found


def _matches(data: bytes, one: Json) -> bool:
    try:
        if "dataSize" in one:
            return len(data) == int(one["dataSize"])
        memcmp = one["memcmp"]
        wanted = memcmp["bytes"]
        if isinstance(wanted, list):
            expected = bytes(wanted)
        else:
            expected = base64.b64decode(wanted) if memcmp.get("encoding") == "base64" else from_base58(wanted)
        offset = int(memcmp["offset"])
        return offset >= 0 and data[offset : offset + len(expected)] == expected
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RpcError(INVALID_PARAMS, "Invalid params: a filter is {dataSize} or {memcmp: {offset, bytes}}") from None


@_method("requestAirdrop")
def _request_airdrop(ledger: Ledger, params: Params) -> Json:
    try:
        return str(ledger.airdrop(params.pubkey(0), params.number(1)))
    except Refused as refused:
        raise RpcError(INVALID_PARAMS, f"the faucet refuses: {refused}") from None


@_method("simulateTransaction")
def _simulate_transaction(ledger: Ledger, params: Params) -> Json:
    options = params.options(1)
    transaction = params.transaction(0, options)
    replacement = None
    if options.get("replaceRecentBlockhash"):
        if options.get("sigVerify"):
            raise RpcError(INVALID_PARAMS, "sigVerify may not be used with replaceRecentBlockhash")
        blockhash, last_valid = ledger.latest_blockhash()
        replacement = {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid}
    value: dict[str, Json] = {"accounts": None, "replacementBlockhash": replacement, "innerInstructions": None}
    try:
        if replacement is None:
            ledger.check(transaction)
        meta = ledger.simulate(transaction, sig_verify=bool(options.get("sigVerify")))
        value |= {"err": None, "logs": meta.logs(), "unitsConsumed": meta.compute_units_consumed()}
        value["returnData"] = return_data_form(meta)
    except Refused as refused:
        value |= {"err": error_form(refused.error), "logs": refused.logs, "unitsConsumed": refused.units}
        value["returnData"] = None
    return _in_context(ledger, value)


@_method("sendTransaction")
def _send_transaction(ledger: Ledger, params: Params) -> Json:
    options = params.options(1)
    transaction = params.transaction(0, options)
    if not all(transaction.verify_with_results()):
        raise RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    if not options.get("skipPreflight"):
        _preflight(ledger, transaction)
    try:
        ledger.execute(transaction)
    except Refused as refused:
        # Without preflight a node takes any signed transaction; one that cannot land is never heard of again.
        if not options.get("skipPreflight"):
            raise _preflight_error(refused) from None
    return str(transaction.signatures[0])


def _preflight(ledger: Ledger, transaction: VersionedTransaction) -> None:
    try:
        ledger.check(transaction)
        ledger.simulate(transaction, sig_verify=True)
    except Refused as refused:
        raise _preflight_error(refused) from None


def _preflight_error(refused: Refused) -> RpcError:
    error = error_form(refused.error)
    data = {
        "err": error,
        "logs": refused.logs,
        "accounts": None,
        "unitsConsumed": refused.units,
        "returnData": None,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }
    said = "Blockhash not found" if refused.error == TransactionErrorFieldless.BlockhashNotFound else str(error)
    return RpcError(PREFLIGHT_FAILURE, f"Transaction simulation failed: {said}", data)


@_method("getSignatureStatuses")
def _get_signature_statuses(ledger: Ledger, params: Params) -> Json:
    statuses = []
    for text in params.texts(0):
        landed = ledger.landed(str(signature(text)))
        statuses.append(None if landed is None else _status(ledger, landed))
    return _in_context(ledger, statuses)


def _status(ledger: Ledger, landed: Landed) -> Json:
    final, error = ledger.is_final(landed), landed.error
    return {
        "slot": landed.slot,
        "confirmations": None if final else ledger.slot - landed.slot,
        "err": error,
        "status": {"Ok": None} if error is None else {"Err": error},
        "confirmationStatus": "finalized" if final else "confirmed",
    }


@_method("getSignaturesForAddress")
def _get_signatures_for_address(ledger: Ledger, params: Params) -> Json:
    options = params.options(1)
    limit, before, until = options.get("limit") or 1000, options.get("before"), options.get("until")
    if not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise RpcError(INVALID_PARAMS, "Invalid limit; min 1, max 1000")
    waiting = before is not None
    entries: list[Json] = []
    for landed in ledger.signatures_of(str(params.pubkey(0))):
        name = landed.signature
        if waiting:
            waiting = name != before
            continue
        if name == until or len(entries) == limit:
            break
        entries.append(
            {
                "signature": name,
                "slot": landed.slot,
                "err": landed.error,
                "memo": None,
                "blockTime": landed.unix_time_s,
                "confirmationStatus": "finalized" if ledger.is_final(landed) else "confirmed",
            }
        )
    return entries


@_method("getTransaction")
def _get_transaction(ledger: Ledger, params: Params) -> Json:
    landed, options = ledger.landed(str(params.signature(0))), params.options(1)
    if landed is None:
        return None
    versioned = landed.details is not None and isinstance(landed.details.transaction.message, MessageV0)
    if versioned and options.get("maxSupportedTransactionVersion") is None:
        raise RpcError(-32015, "Transaction version (0) is not supported by the requesting client")
    return transaction_form(landed, options.get("encoding") or "json")


@_method("devnet_skipSlots")
def _skip_slots(ledger: Ledger, params: Params) -> Json:
    """Ours: let slots pass at once, so that tests need not wait for an expiry."""
    slots = params.number(0)
    if slots > 1_000_000:
        raise RpcError(INVALID_PARAMS, "Invalid params: at most 1,000,000 slots at once")
    ledger.skip(slots)
    return ledger.slot
