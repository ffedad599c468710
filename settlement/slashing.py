"""A prover that missed its deadline on chain is slashed: the transaction, made once it is due, and brought home."""

from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import RequestAccount
from proofgrid.settlement.instructions.requests import slash_missed
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED
from proofgrid.settlement.rpc import fetch_owned
from proofgrid.settlement.sender import Sender, Signed


async def prepare_slash(sender: Sender, program_id: Pubkey, request: Pubkey) -> Signed | None:
    """The signed transaction that slashes the request's prover; None if there is nothing to slash (any more).

    Raises ProgramRefused (``NotYetMissed`` before it is due), ChainUnavailable.
    """
    data = await fetch_owned(sender.client, request, program_id)
    if data is None:
        return None
    account = RequestAccount.decode(data)
    if account.state not in (ASSIGNED, DEMANDED):
        return None
    made = slash_missed(program_id, request, prover=Pubkey(account.prover), refund_to=Pubkey(account.refund_to))
    return await sender.sign([made])


async def bring(sender: Sender, signed: Signed) -> bool:
    """Has it landed? If not it is sent again, the same bytes. Raises TransactionExpired when it never will land."""
    slot = await sender.slot_of(signed) or await sender.require_valid(signed)
    if slot is None:
        await sender.broadcast(signed)
    return slot is not None
