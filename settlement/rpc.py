"""solana-py's calls with this package's errors: trouble with the endpoint is ChainUnavailable, a no ProgramRefused."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed, Finalized
from solana.rpc.core import RPCException
from solders.account import Account
from solders.account_decoder import UiAccountEncoding
from solders.commitment_config import CommitmentLevel
from solders.errors import SerdeJSONError
from solders.pubkey import Pubkey
from solders.rpc.config import RpcAccountInfoConfig
from solders.rpc.errors import InvalidParamsMessage, SendTransactionPreflightFailureMessage
from solders.rpc.requests import GetMultipleAccounts
from solders.rpc.responses import GetMultipleAccountsResp
from solders.signature import Signature

from proofgrid.errors import ChainUnavailable, SettlementError
from proofgrid.settlement.transactions import refusal_of

Answer = TypeVar("Answer")
MAX_ACCOUNTS_PER_CALL = 100
_LEVELS = {Confirmed: CommitmentLevel.Confirmed, Finalized: CommitmentLevel.Finalized}


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
    except (SerdeJSONError, ValueError, TypeError) as error:  # what solders raises for an answer it cannot parse
        raise ChainUnavailable(f"the RPC endpoint answers in another form than expected: {error}") from error


async def request(client: AsyncClient, body: Any, parser: type[Answer]) -> Answer:
    """As :func:`ask`, for a request with options that solana-py's own method lacks (``min_context_slot``)."""
    call: Awaitable[Answer] = client._provider.make_request(body, parser)  # type: ignore[type-var]
    return await ask(call)


async def fetch_account(client: AsyncClient, address: Pubkey, *, min_slot: int = 0) -> Account | None:
    """The account at confirmed, or None where there is none.

    Raises ChainUnavailable where the endpoint has not reached ``min_slot``: what it does not show may be there.
    """
    return (await fetch_many(client, [address], min_slot=min_slot))[0]


async def fetch_owned(client: AsyncClient, address: Pubkey, owner: Pubkey, *, min_slot: int = 0) -> bytes | None:
    """The data of the account if ``owner`` owns it; None where there is no such account."""
    account = await fetch_account(client, address, min_slot=min_slot)
    return None if account is None or account.owner != owner else bytes(account.data)


async def fetch_many(
    client: AsyncClient, addresses: Sequence[Pubkey], *, commitment: Commitment = Confirmed, min_slot: int = 0
) -> list[Account | None]:
    """The accounts at a commitment, in the order of the addresses; as :func:`fetch_account`."""
    found: list[Account | None] = []
    for start in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
        part = list(addresses[start : start + MAX_ACCOUNTS_PER_CALL])
        options = RpcAccountInfoConfig(
            UiAccountEncoding.Base64, commitment=_LEVELS[commitment], min_context_slot=min_slot or None
        )
        answer = await request(client, GetMultipleAccounts(part, options), GetMultipleAccountsResp)
        require_slot(answer.context.slot, min_slot)
        found += answer.value
    return found


def require_slot(slot: int, min_slot: int) -> None:
    """Raise ChainUnavailable for an answer from before ``min_slot``."""
    if slot < min_slot:
        raise ChainUnavailable(f"the RPC endpoint is behind: it is at slot {slot}, slot {min_slot} has been seen")


async def success_in_slot(client: AsyncClient, address: Pubkey, slot: int) -> Signature | None:
    """The transaction of this slot that named the address and did not fail, if the endpoint remembers it."""
    answer = await ask(client.get_signatures_for_address(address, commitment=Confirmed))
    return next((entry.signature for entry in answer.value if entry.err is None and entry.slot == slot), None)
