"""What has landed: statuses, signatures by address, transactions."""

from solders.message import MessageV0

from proofgrid.settlement.devnet.bank import Bank
from proofgrid.settlement.devnet.forms import transaction_form
from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods.table import method
from proofgrid.settlement.devnet.values import (
    INVALID_PARAMS,
    UNSUPPORTED_VERSION,
    Json,
    Params,
    RpcError,
    signature,
)

_MAX_PAGE = 1000


@method("getSignatureStatuses")
def get_signature_statuses(ledger: Ledger, params: Params) -> Json:
    bank, searches = Bank.at(ledger, "processed"), bool(params.options(1).get("searchTransactionHistory"))
    statuses = []
    for text in params.texts(0):
        landed = ledger.landed(str(signature(text)))
        is_known = landed is not None and (searches or ledger.is_seen(landed))
        statuses.append(_status(ledger, landed) if landed is not None and is_known else None)
    return bank.in_context(statuses)


def _status(ledger: Ledger, landed: Landed) -> Json:
    commitment, error = ledger.commitment_of(landed), landed.error
    return {
        "slot": landed.slot,
        "confirmations": None if commitment == "finalized" else ledger.slot - landed.slot,
        "err": error,
        "status": {"Ok": None} if error is None else {"Err": error},
        "confirmationStatus": commitment,
    }


@method("getSignaturesForAddress")
def get_signatures_for_address(ledger: Ledger, params: Params) -> Json:
    options, bank = params.options(1), _settled(ledger, params)
    limit, before, until = options.get("limit"), options.get("before"), options.get("until")
    limit = _MAX_PAGE if limit is None else limit
    if not isinstance(limit, int) or not 1 <= limit <= _MAX_PAGE:
        raise RpcError(INVALID_PARAMS, f"Invalid limit; min 1, max {_MAX_PAGE}")
    waiting = before is not None
    entries: list[Json] = []
    for landed in ledger.signatures_of(str(params.pubkey(0))):
        name = landed.signature
        if waiting:
            waiting = name != before
            continue
        if name == until or len(entries) == limit:
            break
        if bank.has(landed):
            entries.append(
                {
                    "signature": name,
                    "slot": landed.slot,
                    "err": landed.error,
                    "memo": None,
                    "blockTime": landed.unix_time_s,
                    "confirmationStatus": ledger.commitment_of(landed),
                }
            )
    return entries


@method("getTransaction")
def get_transaction(ledger: Ledger, params: Params) -> Json:
    landed, bank = ledger.landed(str(params.signature(0))), _settled(ledger, params)
    options = params.options(1)
    encoding = options.get("encoding") or "json"
    if encoding not in ("json", "jsonParsed", "base58", "base64"):
        raise RpcError(INVALID_PARAMS, "Invalid params: encoding must be json, jsonParsed, base58 or base64")
    if landed is None or not bank.has(landed) or not ledger.is_seen(landed):
        return None
    versioned = landed.details is not None and isinstance(landed.details.transaction.message, MessageV0)
    if versioned and options.get("maxSupportedTransactionVersion") is None:
        raise RpcError(UNSUPPORTED_VERSION, "Transaction version (0) is not supported by the requesting client")
    return transaction_form(landed, encoding)


def _settled(ledger: Ledger, params: Params) -> Bank:
    """The bank of a method that does not look at what is only processed."""
    bank = Bank.asked(ledger, params, 1)
    if bank.commitment == "processed":
        raise RpcError(INVALID_PARAMS, "Method does not support commitment below `confirmed`")
    return bank
