"""The network's hand on the chain: commits a prover's batches exactly once, and reads them back."""

from dataclasses import dataclass, field

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable, Conflict, ProgramRefused, SettlementError
from proofgrid.settlement.accounts import BatchAccount, ProverAccount
from proofgrid.settlement.addresses import batch_address, batch_addresses
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.refusals import Refusal
from proofgrid.settlement.rpc import ask, fetch_many, fetch_owned, success_in_slot
from proofgrid.settlement.sender import OnSigned, Sender, TransactionExpired

_ATTEMPTS = 3


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


@dataclass
class Submitter:
    """Commits the batches of one prover through one program; ``signer`` is its hot key, and pays.

    ``open`` connects to an endpoint and closes it again; the constructor takes a client that is yours to close.
    """

    client: AsyncClient
    program_id: Pubkey
    prover: Pubkey
    signer: Keypair
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        self.sender = Sender(self.client, self.signer)

    @classmethod
    def open(
        cls, url: str, program_id: Pubkey, prover: Pubkey, signer: Keypair, *, timeout_s: float = 10.0
    ) -> "Submitter":
        """A submitter with its own client; use it as an async context manager."""
        return cls(AsyncClient(url, commitment=Confirmed, timeout=timeout_s), program_id, prover, signer)

    async def __aenter__(self) -> "Submitter":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def commit_batch(
        self, root: bytes, leaf_count: int, *, number: int | None = None, on_signed: OnSigned | None = None
    ) -> Committed:
        """Commit a Merkle root (32 bytes) as the next batch, or as ``number``, and return when it is confirmed.

        Idempotent: a batch that is already there with this root is success, whichever attempt put it there. Without
        ``number`` that holds for the latest batch only, so callers that must never commit twice persist the number
        first and pass it again after a crash; a batch of that number with another root raises Conflict.
        ``on_signed`` runs before each attempt is sent.
        Raises ProgramRefused by name, ChainUnavailable (retryable).
        """
        if number is None:
            log = await self.read_log()
            number = log.next_number - (log.next_number > 0 and log.latest_root == root)
        expired: TransactionExpired | None = None
        for _ in range(_ATTEMPTS):
            log = await self.read_log()
            if log.next_number > number:
                return await self._existing(number, root)
            try:
                return await self._commit(log, number, root, leaf_count, on_signed)
            except TransactionExpired as error:
                expired = error
            except ProgramRefused as refused:
                if refused.name != Refusal.BatchAlreadyCommitted.name:
                    raise
                return await self._existing(number, root)
        raise expired or ChainUnavailable(f"batch {number} could not be committed")

    async def read_log(self) -> ProverAccount:
        """The prover's account, which counts its batches. Raises SettlementError where none is registered."""
        data = await fetch_owned(self.client, self.prover, self.program_id)
        if data is None:
            raise SettlementError(f"{self.prover} is no prover of program {self.program_id}: register it, and stake")
        return ProverAccount.decode(data)

    async def read_batch(self, number: int, prover: Pubkey | None = None) -> BatchAccount | None:
        """A prover's batch (ours by default), or None if it was never committed. Raises ChainUnavailable."""
        found = await read_batch(self.client, self.program_id, prover or self.prover, number)
        return None if found is None else found[1]

    async def balance(self) -> int:
        """Lamports of the signer, who pays."""
        return (await ask(self.client.get_balance(self.signer.pubkey()))).value

    async def _commit(
        self, log: ProverAccount, number: int, root: bytes, leaf_count: int, on_signed: OnSigned | None
    ) -> Committed:
        instruction = batches.commit_batch(
            self.program_id,
            self.prover,
            self.signer.pubkey(),
            number=number,
            prev_root=log.latest_root,
            root=root,
            leaf_count=leaf_count,
        )
        sent = await self.sender.send([instruction], on_signed=on_signed)
        address, _ = batch_address(self.program_id, self.prover, number)
        return Committed(
            program_id=str(self.program_id),
            address=str(address),
            number=number,
            prev_root=log.latest_root,
            root=root,
            leaf_count=leaf_count,
            signature=str(sent.signature),
            slot=sent.slot,
        )

    async def _existing(self, number: int, root: bytes) -> Committed:
        found = await read_batch(self.client, self.program_id, self.prover, number)
        if found is None:
            raise ChainUnavailable(f"the log counts batch {number}, but the endpoint does not show it yet: ask again")
        address, batch = found
        if batch.root != root:
            raise Conflict(
                f"batch {number} is committed with root {batch.root.hex()}, not {root.hex()}: take the next number"
            )
        landed = await success_in_slot(self.client, address, batch.slot)
        if landed is None:
            raise ChainUnavailable(f"the endpoint no longer knows the transaction of batch {number}: ask another one")
        return Committed(
            program_id=str(self.program_id),
            address=str(address),
            number=number,
            prev_root=batch.prev_root,
            root=batch.root,
            leaf_count=batch.leaf_count,
            signature=str(landed),
            slot=batch.slot,
        )


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
