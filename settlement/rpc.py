"""solana-py's calls with this package's errors: trouble with the endpoint is ChainUnavailable, a no ProgramRefused."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.core import RPCException
from solders.account import Account
from solders.pubkey import Pubkey
from solders.rpc.errors import InvalidParamsMessage, SendTransactionPreflightFailureMessage
from solders.signature import Signature

from proofgrid.errors import ChainUnavailable, SettlementError
from proofgrid.settlement.transactions import refusal_of

Answer = TypeVar("Answer")
MAX_ACCOUNTS_PER_CALL = 100


async def ask(call: Awaitable[Answer]) -> Answer:
    """The answer of one solana-py call.

    Raises ChainUnavailable (retryable) when the endpoint does not answer, is behind or answers nonsense,
    ProgramRefused when a preflight failed, SettlementError when the request itself was wrong.
    """
    try:
        return await call
    except SolanaRpcException as error:
        cause = error.__cause__
        raise ChainUnavailable(f"the RPC endpoint does not answer: {cause or error}") from error
    except RPCException as error:
        said = error.args[0] if error.args else error
        if isinstance(said, SendTransactionPreflightFailureMessage):
            raise refusal_of(said.data.err, said.data.logs or ()) from error
        if isinstance(said, InvalidParamsMessage):
            raise SettlementError(f"the RPC endpoint refuses the request: {said.message}") from error
        raise ChainUnavailable(f"the RPC endpoint cannot serve the request: {said}") from error
    except (ValueError, TypeError) as error:  # what solders raises for an answer it cannot parse
        raise ChainUnavailable(f"the RPC endpoint answers in another form than expected: {error}") from error


async def fetch_account(client: AsyncClient, address: Pubkey) -> Account | None:
    """The account at confirmed, or None where there is none."""
    return (await ask(client.get_account_info(address, commitment=Confirmed))).value


async def fetch_owned(client: AsyncClient, address: Pubkey, owner: Pubkey) -> bytes | None:
    """The data of the account if ``owner`` owns it; None where there is no such account."""
    account = await fetch_account(client, address)
    return None if account is None or account.owner != owner else bytes(account.data)


async def fetch_many(client: AsyncClient, addresses: Sequence[Pubkey]) -> list[Account | None]:
    """The accounts at confirmed, in the order of the addresses."""
    found: list[Account | None] = []
    for start in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
        part = list(addresses[start : start + MAX_ACCOUNTS_PER_CALL])
        found += (await ask(client.get_multiple_accounts(part, commitment=Confirmed))).value
    return found


async def success_in_slot(client: AsyncClient, address: Pubkey, slot: int) -> Signature | None:
    """The transaction of this slot that named the address and did not fail, if the endpoint remembers it."""
    answer = await ask(client.get_signatures_for_address(address, commitment=Confirmed))
    return next((entry.signature for entry in answer.value if entry.err is None and entry.slot == slot), None)
