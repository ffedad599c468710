"""The JSON forms of Solana's RPC: accounts and transactions."""

import base64
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import Legacy, VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.values import Json, base58


def account_form(account: Account | None, options: Json) -> Json:
    if account is None:
        return None
    data = bytes(account.data)
    window = options.get("dataSlice")
    if window:
        data = data[window["offset"] : window["offset"] + window["length"]]
    # Parsed forms do not exist here: every other encoding answers in base64, as validators do for unknown programs.
    if options.get("encoding") == "base58":
        encoded = [base58(data), "base58"]
    else:
        encoded = [base64.b64encode(data).decode(), "base64"]
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": encoded,
        "executable": account.executable,
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def return_data_form(meta: TransactionMetadata) -> Json:
    returned = meta.return_data()
    if returned.program_id == Pubkey.default():
        return None
    return {"programId": str(returned.program_id), "data": [base64.b64encode(returned.data).decode(), "base64"]}


def transaction_form(landed: Landed, encoding: str) -> Json:
    """The answer of getTransaction; null for a transaction from before a restart."""
    if landed.details is None:
        return None
    transaction, meta = landed.details.transaction, landed.details.meta
    encoded: Json = [base64.b64encode(bytes(transaction)).decode(), "base64"]
    if encoding in ("json", "jsonParsed"):
        encoded = _message_form(transaction)
    return {
        "slot": landed.slot,
        "blockTime": landed.unix_time_s,
        "transaction": encoded,
        "version": "legacy" if transaction.version() == Legacy.Legacy else 0,
        "meta": {
            "err": landed.error,
            "status": {"Ok": None} if landed.error is None else {"Err": landed.error},
            "fee": meta.fee(),
            "preBalances": [before for before, _ in landed.details.balances],
            "postBalances": [after for _, after in landed.details.balances],
            "preTokenBalances": [],
            "postTokenBalances": [],
            "innerInstructions": _inner_form(meta),
            "logMessages": meta.logs(),
            "rewards": [],
            "loadedAddresses": {"readonly": [], "writable": []},
            "returnData": return_data_form(meta),
            "computeUnitsConsumed": meta.compute_units_consumed(),
        },
    }


def _message_form(transaction: VersionedTransaction) -> Json:
    message = transaction.message
    header = message.header
    return {
        "signatures": [str(signature) for signature in transaction.signatures],
        "message": {
            "accountKeys": [str(key) for key in message.account_keys],
            "header": {
                "numRequiredSignatures": header.num_required_signatures,
                "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
                "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            },
            "recentBlockhash": str(message.recent_blockhash),
            "instructions": [_instruction_form(instruction, None) for instruction in message.instructions],
        },
    }


def _inner_form(meta: TransactionMetadata) -> Json:
    return [
        {
            "index": index,
            "instructions": [_instruction_form(inner.instruction(), inner.stack_height()) for inner in inners],
        }
        for index, inners in enumerate(meta.inner_instructions())
        if inners
    ]


def _instruction_form(instruction: Any, stack_height: int | None) -> Json:
    return {
        "programIdIndex": instruction.program_id_index,
        "accounts": list(instruction.accounts),
        "data": base58(bytes(instruction.data)),
        "stackHeight": stack_height,
    }
