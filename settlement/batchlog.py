"""A prover's log of batches, as the chain shows it at confirmed, and a batch of ours that is on it."""

from dataclasses import dataclass

from solana.rpc.async_api import AsyncClient
from solders.pubkey import Pubkey

from proofgrid.errors import Conflict, SettlementError
from proofgrid.settlement.accounts import BatchAccount, ProverAccount
from proofgrid.settlement.addresses import batch_address, batch_addresses
from proofgrid.settlement.outbox import Entry
from proofgrid.settlement.rpc import fetch_many, fetch_owned


@dataclass(frozen=True)
class Committed:
    """A batch on chain: everything a receipt says about it."""

    program_id: str
    address: str
    number: int
    prev_root: bytes
    root: bytes
    leaf_count: int
    signature: str
    slot: int

    @classmethod
    def of(cls, program_id: Pubkey, entry: Entry) -> "Committed":
        """The confirmed batch of this entry; raises Conflict for one that is not on chain."""
        if entry.address is None or entry.signature is None or entry.prev_root is None:
            raise Conflict(entry.error or f"batch {entry.number} is not on chain")
        return cls(
            program_id=str(program_id),
            address=entry.address,
            number=entry.number,
            prev_root=entry.prev_root,
            root=entry.root,
            leaf_count=entry.leaf_count,
            signature=entry.signature,
            slot=entry.slot,
        )


async def read_log(client: AsyncClient, program_id: Pubkey, prover: Pubkey, *, min_slot: int = 0) -> ProverAccount:
    """The prover's account, which counts its batches.

    Raises SettlementError where none is registered, ChainUnavailable for an endpoint that has not reached ``min_slot``.
    """
    data = await fetch_owned(client, prover, program_id, min_slot=min_slot)
    if data is None:
        raise SettlementError(f"{prover} is no prover of program {program_id}: register it, and stake")
    return ProverAccount.decode(data)


async def read_batch(
    client: AsyncClient, program_id: Pubkey, committer: Pubkey, number: int
) -> tuple[Pubkey, BatchAccount] | None:
    """A batch and its address, or None if it was never committed.

    A committer may have chosen another bump than the canonical one; such a batch is found as well.
    """
    canonical, _ = batch_address(program_id, committer, number)
    data = await fetch_owned(client, canonical, program_id)
    if data is not None:
        return canonical, BatchAccount.decode(data)
    account = await fetch_owned(client, committer, program_id)
    if account is None or ProverAccount.decode(account).next_number <= number:
        return None
    addresses = [address for address, _ in batch_addresses(program_id, committer, number)[1:]]
    for address, found in zip(addresses, await fetch_many(client, addresses), strict=True):
        if found is not None and found.owner == program_id:
            return address, BatchAccount.decode(bytes(found.data))
    return None
