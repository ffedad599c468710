"""The JSON forms of Solana's RPC: accounts and transactions."""

import base64
from collections.abc import Sequence

from solders.account import Account
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey
from solders.transaction import Legacy, VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from proofgrid.settlement.devnet.landed import Landed, written_by
from proofgrid.settlement.devnet.tokens import Find, parsed_form
from proofgrid.settlement.devnet.values import Json, base58


def account_form(account: Account | None, options: Json, find: Find) -> Json:
    """An account; ``find`` looks up others, for jsonParsed: token accounts have that form, and no others."""
    if account is None:
        return None
    data = bytes(account.data)
    encoded: Json = parsed_form(account, find) if options.get("encoding") == "jsonParsed" else None
    window = options.get("dataSlice")
    if window:
        data = data[window["offset"] : window["offset"] + window["length"]]
    if encoded is None:  # as validators answer for programs that they cannot parse
        is_base58 = options.get("encoding") == "base58"
        encoded = [base58(data), "base58"] if is_base58 else [base64.b64encode(data).decode(), "base64"]
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
    is_parsed, raw = encoding == "jsonParsed", bytes(transaction)
    encoded: Json = [base58(raw), "base58"] if encoding == "base58" else [base64.b64encode(raw).decode(), "base64"]
    if is_parsed:
        encoded = parsed_transaction_form(transaction)
    elif encoding == "json":
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
            "innerInstructions": inner_form(meta, transaction.message.account_keys if is_parsed else None),
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


def parsed_transaction_form(transaction: VersionedTransaction) -> Json:
    """jsonParsed: accounts with their roles; instructions with addresses, as for programs without a parser."""
    message = transaction.message
    keys, written = message.account_keys, set(written_by(transaction))
    return {
        "signatures": [str(signature) for signature in transaction.signatures],
        "message": {
            "accountKeys": [
                {
                    "pubkey": str(key),
                    "signer": index < message.header.num_required_signatures,
                    "writable": key in written,
                    "source": "transaction",
                }
                for index, key in enumerate(keys)
            ],
            "recentBlockhash": str(message.recent_blockhash),
            "instructions": [_parsed_instruction_form(one, None, keys) for one in message.instructions],
        },
    }


def inner_form(meta: TransactionMetadata, keys: Sequence[Pubkey] | None = None) -> Json:
    """The instructions that programs called; with the keys, as jsonParsed has them."""
    return [
        {
            "index": index,
            "instructions": [
                _instruction_form(inner.instruction(), inner.stack_height())
                if keys is None
                else _parsed_instruction_form(inner.instruction(), inner.stack_height(), keys)
                for inner in inners
            ],
        }
        for index, inners in enumerate(meta.inner_instructions())
        if inners
    ]


def _instruction_form(instruction: CompiledInstruction, stack_height: int | None) -> Json:
    return {
        "programIdIndex": instruction.program_id_index,
        "accounts": list(instruction.accounts),
        "data": base58(bytes(instruction.data)),
        "stackHeight": stack_height,
    }


def _parsed_instruction_form(
    instruction: CompiledInstruction, stack_height: int | None, keys: Sequence[Pubkey]
) -> Json:
    return {
        "programId": str(keys[instruction.program_id_index]),
        "accounts": [str(keys[index]) for index in instruction.accounts],
        "data": base58(bytes(instruction.data)),
        "stackHeight": stack_height,
    }
