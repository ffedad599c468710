"""SPL token accounts, read for wallets; of a token-2022 account without its extensions."""

from collections.abc import Callable

from solders.account import Account
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM
from solders.token.state import Mint, TokenAccount, TokenAccountState

from proofgrid.settlement.devnet.values import Json

TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
_ACCOUNT_SIZE, _MINT_SIZE = 165, 82

Find = Callable[[Pubkey], Account | None]


def token_account(account: Account) -> TokenAccount | None:
    """What a token program keeps in the account; None for another account, or one not initialised."""
    if account.owner not in TOKEN_PROGRAMS or len(account.data) < _ACCOUNT_SIZE:
        return None
    try:
        token = TokenAccount.from_bytes(bytes(account.data[:_ACCOUNT_SIZE]))
    except ValueError:
        return None
    return None if token.state == TokenAccountState.Uninitialized else token


def mint_decimals(account: Account | None) -> int | None:
    if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < _MINT_SIZE:
        return None
    try:
        return Mint.from_bytes(bytes(account.data[:_MINT_SIZE])).decimals
    except ValueError:
        return None


def amount_form(amount: int, decimals: int) -> Json:
    whole, part = divmod(amount, 10**decimals)
    fraction = f".{part:0{decimals}}".rstrip("0") if part else ""
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": f"{whole}{fraction}",
    }


def parsed_form(account: Account, find: Find) -> Json:
    """The jsonParsed data of a token account; None for everything else, which is then answered in base64."""
    token = token_account(account)
    decimals = mint_decimals(find(token.mint)) if token else None
    if token is None or decimals is None:
        return None
    info = {
        "mint": str(token.mint),
        "owner": str(token.owner),
        "state": "frozen" if token.state == TokenAccountState.Frozen else "initialized",
        "isNative": token.is_native is not None,
        "tokenAmount": amount_form(token.amount, decimals),
    }
    return {
        "program": "spl-token" if account.owner == TOKEN_PROGRAM else "spl-token-2022",
        "parsed": {"type": "account", "info": info},
        "space": len(account.data),
    }
