"""The network's hand on the chain: commits a prover's batches exactly once, whatever happens in between.

A batch is in the outbox before anything is done for it, its transaction before it is sent. Each round looks where
every batch is and brings the first unconfirmed one a step further, so a process that dies anywhere is continued by
the next round of another. What the chain's accounts say decides; signatures only tell why a transaction failed.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Finalized
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from proofgrid.errors import ChainUnavailable, Conflict, ProgramRefused, SettlementError
from proofgrid.settlement.accounts import BatchAccount, ProverAccount
from proofgrid.settlement.balance import BalanceGuard
from proofgrid.settlement.batchlog import Committed, read_batch, read_log
from proofgrid.settlement.endpoints import connect
from proofgrid.settlement.finality import Finality
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.outbox import UNCONFIRMED, Entry, Log, Outbox, State
from proofgrid.settlement.rpc import ask, fetch_many, success_in_slot
from proofgrid.settlement.sender import Sender, Signed, TransactionExpired

_ATTEMPTS = 3
_UNSIGNED = {"signature": None, "raw": None, "last_valid_block_height": None}
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 600.0
"""After a transaction that failed on chain, which costs its fee."""


@dataclass
class Submitter:
    """Commits the batches of one prover through one program; ``signer`` is its hot key, and pays.

    One at a time for each outbox is enough, and several do no harm. A context manager that closes client and outbox.
    """

    client: AsyncClient
    program_id: Pubkey
    prover: Pubkey
    signer: Keypair
    outbox: Outbox
    sender: Sender = field(init=False)
    guard: BalanceGuard = field(init=False)
    finality: Finality = field(init=False)

    def __post_init__(self) -> None:
        self.sender = Sender(self.client, self.signer)
        self.guard = BalanceGuard(self.client, self.signer.pubkey())
        self.finality = Finality(self.client, self.program_id, self.prover, self.sender, self.outbox)
        self._round = asyncio.Lock()
        self._broadcast: tuple[str, float] = ("", 0.0)
        """The signature sent last, and when to send it again."""

    @classmethod
    async def open(
        cls,
        urls: Sequence[str],
        program_id: Pubkey,
        prover: Pubkey,
        signer: Keypair,
        outbox: Path | str,
        *,
        chain_id: str | None = None,
        timeout_s: float = 10.0,
    ) -> "Submitter":
        """A submitter over these endpoints and this outbox file; the chain's genesis hash is its name if none is given.

        Raises ChainUnavailable, MalformedInput, SettlementError for endpoints of different chains.
        """
        client = connect(urls, timeout_s=timeout_s)
        try:
            chain_id = chain_id or str((await ask(client.get_genesis_hash())).value)
            log = Log(chain_id, str(program_id), str(prover), str(signer.pubkey()), tuple(urls))
            return cls(client, program_id, prover, signer, Outbox(outbox, log))
        except BaseException:
            await client.close()
            raise

    async def close(self) -> None:
        await self.client.close()
        self.outbox.close()

    async def __aenter__(self) -> "Submitter":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def commit_batch(self, root: bytes, leaf_count: int, *, number: int | None = None) -> Committed:
        """Commit a Merkle root (32 bytes) as the next batch, or as ``number``, and return when it is confirmed.

        Idempotent: a batch that is already there with this root is success, whichever attempt put it there. Without
        ``number`` that holds for the latest batch only, so callers that must never commit twice persist the number
        first and pass it again after a crash. Whatever is raised, the batch is in the outbox and goes on in the next
        round, but for Conflict: a batch of that number has another root. Raises ProgramRefused by name, BalanceTooLow,
        ChainUnavailable (both retryable), MalformedInput.
        """
        entry = await self._put(root, leaf_count, number)
        silent_since, expired = time.monotonic(), 0
        while True:
            entry = self.outbox.entry(entry.number) or entry
            if entry.state not in UNCONFIRMED:
                return Committed.of(self.program_id, entry)
            try:
                await self.tend()
                silent_since = time.monotonic()
            except TransactionExpired:
                expired += 1
                if expired == _ATTEMPTS:
                    raise
            except ChainUnavailable:
                if time.monotonic() - silent_since > self.sender.patience_s:
                    raise
            if (self.outbox.entry(entry.number) or entry).state in UNCONFIRMED:
                await asyncio.sleep(self.sender.poll_s)

    async def tend(self) -> None:
        """One round: what was confirmed is final or undone, the first that is not goes a step on, stake is released.

        No request where nothing is under way. Raises what keeps the first batch from going on; the outbox has it, too.
        """
        async with self._round:
            await self.finality.watch()
            first = self.outbox.entries(UNCONFIRMED, limit=1)
            if first:
                await self._noting(first[0])
            await self.finality.release()

    async def next_number(self) -> int:
        """The number that the next batch must have, those in the outbox counted."""
        last = self.outbox.last()
        return max((await self.read_log()).next_number, 0 if last is None else last.number + 1)

    async def read_log(self) -> ProverAccount:
        """The prover's account, which counts its batches. Raises SettlementError where none is registered."""
        return await read_log(self.client, self.program_id, self.prover, min_slot=self.outbox.newest_slot())

    async def read_batch(self, number: int, prover: Pubkey | None = None) -> BatchAccount | None:
        """A prover's batch (ours by default), or None if it was never committed. Raises ChainUnavailable."""
        found = await read_batch(self.client, self.program_id, prover or self.prover, number)
        return None if found is None else found[1]

    def committed(self, number: int) -> tuple[Committed, bool] | None:
        """A batch as the outbox knows it, and whether that is final; None before it is confirmed."""
        entry = self.outbox.entry(number)
        if entry is None or entry.state not in (State.CONFIRMED, State.FINALIZED, State.RELEASED):
            return None
        return Committed.of(self.program_id, entry), entry.state is not State.CONFIRMED

    async def _put(self, root: bytes, leaf_count: int, number: int | None) -> Entry:
        if number is not None and (known := self.outbox.entry(number)) is not None:
            return self.outbox.put(known.number, root, leaf_count)
        next_number, last = await self.next_number(), self.outbox.last()
        if number is None:
            if last is not None and last.root == root:
                return self.outbox.put(last.number, root, leaf_count)
            log = await self.read_log()
            number = next_number - (next_number == log.next_number > 0 and log.latest_root == root)
        if number > next_number:
            raise Conflict(f"the next batch of {self.prover} is {next_number}, not {number}")
        return self.outbox.put(number, root, leaf_count)

    async def _noting(self, entry: Entry) -> None:
        """A step of this entry; why it failed goes into the outbox."""
        pause_s = entry.retry_at - time.time()
        if pause_s > 0:
            raise ChainUnavailable(f"batch {entry.number} is tried again in {pause_s:.0f} s: {entry.error}")
        try:
            await (self._begin(entry) if entry.state is State.PENDING else self._follow(entry))
        except (SettlementError, Conflict) as error:
            latest = self.outbox.entry(entry.number)
            if latest is not None and latest.state in UNCONFIRMED:
                self.outbox.note(latest, str(error))
            raise

    async def _begin(self, entry: Entry) -> None:
        """Sign a transaction, unless the chain has the batch already."""
        log = await self.read_log()
        if log.next_number > entry.number:
            await self._find(entry)
            return
        self._require_predecessor(entry, log)
        await self.guard.require(entry.leaf_count)
        instruction = batches.commit_batch(
            self.program_id,
            self.prover,
            self.signer.pubkey(),
            number=entry.number,
            prev_root=log.latest_root,
            root=entry.root,
            leaf_count=entry.leaf_count,
        )
        signed = await self.sender.sign([instruction], min_slot=self.outbox.newest_slot())
        stored = self.outbox.move(
            entry,
            State.SIGNED,
            attempts=entry.attempts + 1,
            signature=str(signed.signature),
            raw=signed.raw,
            last_valid_block_height=signed.last_valid_block_height,
        )
        if stored:  # else another process was faster, and its transaction counts
            await self._send(signed)

    async def _follow(self, entry: Entry) -> None:
        """Send the stored bytes again, or learn what became of them."""
        signed = _signed(entry)
        try:
            slot = await self.sender.slot_of(signed)
            if slot is None and self._is_due(signed):
                slot = await self.sender.require_valid(signed)
                if slot is None:
                    await self._send(signed)
            if slot is not None:
                await self._find(entry, signed, slot)
        except TransactionExpired as expired:
            self.outbox.move(entry, State.PENDING, slot=max(entry.slot, expired.slot), error=str(expired), **_UNSIGNED)
            raise
        except ProgramRefused as refused:
            await self._failed(entry, refused)

    async def _failed(self, entry: Entry, refused: ProgramRefused) -> None:
        """A transaction failed on chain: another's has committed the batch, or it is tried again after a while."""
        log = await self.read_log()
        if log.next_number > entry.number:
            await self._find(entry)
            return
        pause_s = min(_FIRST_PAUSE_S * 2**entry.failures, _LONGEST_PAUSE_S)
        values = {"failures": entry.failures + 1, "retry_at": time.time() + pause_s, "error": str(refused)}
        self.outbox.move(entry, State.PENDING, **values, **_UNSIGNED)
        self._require_predecessor(entry, log)
        raise refused

    def _require_predecessor(self, entry: Entry, log: ProverAccount) -> None:
        if log.next_number < entry.number:  # a fork undid what was confirmed before it
            self.finality.watch_now()
            raise ChainUnavailable(
                f"batch {entry.number} waits for those before it: the chain counts {log.next_number} of them"
            )

    async def _find(self, entry: Entry, signed: Signed | None = None, slot: int | None = None) -> None:
        """The chain counts the batch: it is ours and confirmed, or its number is taken.

        ``slot`` is where ``signed`` succeeded; without it the transaction that did is looked for.
        """
        found = await read_batch(self.client, self.program_id, self.prover, entry.number)
        if found is None:
            raise ChainUnavailable(f"the log counts batch {entry.number}, but the endpoint does not show it yet")
        address, batch = found
        if batch.root != entry.root:
            await self._yield(entry, address, batch.root)
        if signed is not None and slot == batch.slot:
            signature = str(signed.signature)
        else:
            landed = await success_in_slot(self.client, address, batch.slot)
            signature = str(landed or entry.signature or "")
        if not signature:
            raise ChainUnavailable(
                f"the endpoint no longer knows the transaction of batch {entry.number}: ask another one"
            )
        self.outbox.move(
            entry,
            State.CONFIRMED,
            address=str(address),
            signature=signature,
            slot=batch.slot,
            prev_root=batch.prev_root,
            challenge_until_s=batch.challenge_until_s,
        )

    async def _yield(self, entry: Entry, address: Pubkey, root: bytes) -> NoReturn:
        """Give the number up to another root, once no fork can undo that one. Raises Conflict, or ChainUnavailable."""
        taken = f"batch {entry.number} is committed with root {root.hex()}, not {entry.root.hex()}"
        (final,) = await fetch_many(self.client, [address], commitment=Finalized)
        if final is None:
            raise ChainUnavailable(f"{taken}; that is not final yet")
        self.outbox.move(entry, State.CONFLICT, error=f"{taken}: take the next number")
        raise Conflict(f"{taken}: take the next number")

    def _is_due(self, signed: Signed) -> bool:
        signature, again_at = self._broadcast
        return signature != str(signed.signature) or time.monotonic() >= again_at

    async def _send(self, signed: Signed) -> None:
        self._broadcast = (str(signed.signature), time.monotonic() + self.sender.rebroadcast_s)
        await self.sender.broadcast(signed)


def _signed(entry: Entry) -> Signed:
    """The stored transaction; ``entry.signature`` may be that of another process, which was faster."""
    if entry.raw is None or entry.last_valid_block_height is None:
        raise SettlementError(f"batch {entry.number} is signed without a transaction: the outbox is damaged")
    signature = VersionedTransaction.from_bytes(entry.raw).signatures[0]
    return Signed(signature, entry.raw, entry.last_valid_block_height)
