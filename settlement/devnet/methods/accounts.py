"""Accounts, their balances, and those of the token programs."""

import base64

from proofgrid.settlement.devnet.bank import Bank
from proofgrid.settlement.devnet.forms import account_form
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods.table import method
from proofgrid.settlement.devnet.tokens import TOKEN_PROGRAMS, amount_form, mint_decimals, token_account
from proofgrid.settlement.devnet.values import INVALID_PARAMS, Json, Params, RpcError, from_base58, pubkey


@method("getBalance")
def get_balance(ledger: Ledger, params: Params) -> Json:
    bank = Bank.asked(ledger, params, 1)
    account = bank.account(params.pubkey(0))
    return bank.in_context(account.lamports if account else 0)


@method("getAccountInfo")
def get_account_info(ledger: Ledger, params: Params) -> Json:
    bank = Bank.asked(ledger, params, 1)
    return bank.in_context(account_form(bank.account(params.pubkey(0)), params.options(1), bank.account))


@method("getMultipleAccounts")
def get_multiple_accounts(ledger: Ledger, params: Params) -> Json:
    addresses, options = [pubkey(text) for text in params.texts(0, limit=100)], params.options(1)
    bank = Bank.asked(ledger, params, 1)
    return bank.in_context([account_form(bank.account(address), options, bank.account) for address in addresses])


@method("getProgramAccounts")
def get_program_accounts(ledger: Ledger, params: Params) -> Json:
    options, bank = params.options(1), Bank.asked(ledger, params, 1)
    filters = options.get("filters") or []
    if not isinstance(filters, list) or len(filters) > 4:
        raise RpcError(INVALID_PARAMS, "Invalid params: filters must be a list of at most 4")
    found = [
        {"pubkey": str(address), "account": account_form(account, options, bank.account)}
        for address, account in bank.accounts_of(params.pubkey(0))
        if all(_matches(bytes(account.data), one) for one in filters)
    ]
    return bank.in_context(found) if options.get("withContext") else found


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


@method("getTokenAccountBalance")
def get_token_account_balance(ledger: Ledger, params: Params) -> Json:
    bank = Bank.asked(ledger, params, 1)
    account = bank.account(params.pubkey(0))
    if account is None:
        raise RpcError(INVALID_PARAMS, "Invalid param: could not find account")
    token = token_account(account)
    decimals = None if token is None else mint_decimals(bank.account(token.mint))
    if token is None or decimals is None:
        raise RpcError(INVALID_PARAMS, "Invalid param: not a Token account")
    return bank.in_context(amount_form(token.amount, decimals))


@method("getTokenAccountsByOwner")
def get_token_accounts_by_owner(ledger: Ledger, params: Params) -> Json:
    owner, chosen, options = params.pubkey(0), params.options(1), params.options(2)
    bank = Bank.asked(ledger, params, 2)
    if len(chosen) != 1 or not isinstance(chosen.get("mint", chosen.get("programId")), str):
        raise RpcError(INVALID_PARAMS, "Invalid params: parameter 1 must be {mint} or {programId}")
    mint = pubkey(chosen["mint"]) if "mint" in chosen else None
    programs = TOKEN_PROGRAMS if mint else (pubkey(chosen["programId"]),)
    found = []
    for address, account in [entry for program in programs for entry in bank.accounts_of(program)]:
        token = token_account(account)
        if token is not None and token.owner == owner and mint in (None, token.mint):
            found.append({"pubkey": str(address), "account": account_form(account, options, bank.account)})
    return bank.in_context(found)
