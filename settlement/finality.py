"""What follows a confirmation: it becomes final, or a fork undoes it; after its window the stake is free again."""

import time
from dataclasses import dataclass, field

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed, Finalized
from solders.pubkey import Pubkey
from solders.sysvar import CLOCK

from proofgrid.errors import ChainUnavailable, ProgramRefused
from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.outbox import Entry, Outbox, State
from proofgrid.settlement.rpc import fetch_many
from proofgrid.settlement.sender import Sender

MAX_WATCHED = 99
"""Batches looked at in one call, with the chain's clock."""
MAX_RELEASED = 12
"""Releases in one transaction: each names one more account, all fit a packet."""


@dataclass
class Finality:
    """Follows the confirmed batches of one outbox; each of its methods is one round, and rests in between."""

    client: AsyncClient
    program_id: Pubkey
    prover: Pubkey
    sender: Sender
    outbox: Outbox
    watch_s: float = 2.0
    release_s: float = 30.0
    _watch_at: float = field(default=0.0, init=False)
    _release_at: float = field(default=0.0, init=False)

    def watch_now(self) -> None:
        """Do not rest before the next watch: something looks as if a fork had undone it."""
        self._watch_at = 0.0

    async def watch(self) -> None:
        """Move confirmed batches on to final, or back where a fork undid them. Two requests. Raises ChainUnavailable.

        Undone is what an endpoint does not show that has reached the slot of its confirmation: then its bytes are
        sent again as long as they are valid, and built anew only after that.
        """
        entries = self.outbox.entries((State.CONFIRMED,), limit=MAX_WATCHED)
        if not entries or time.monotonic() < self._watch_at:
            return
        final = await self._read(entries, Finalized)
        now = await self._read(entries, Confirmed, min_slot=max(entry.slot for entry in entries))
        for entry, settled, present in zip(entries, final, now, strict=True):
            if settled is not None and settled.root == entry.root:
                self.outbox.move(entry, State.FINALIZED, slot=settled.slot)
            elif present is None or present.root != entry.root:
                to = State.PENDING if entry.raw is None else State.SIGNED
                self.outbox.move(
                    entry, to, forks=entry.forks + 1, error="a fork undid its transaction: it is sent again"
                )
        self._watch_at = time.monotonic() + self.watch_s

    async def release(self) -> None:
        """Free the stake behind final batches whose window is over. Raises ChainUnavailable.

        Nothing is remembered of these transactions: the batch's account says whether its stake is free, and one
        that is sent twice fails in the simulation. One request a round, and four more when something is due.
        """
        entries = self.outbox.entries((State.FINALIZED,))
        if not entries or time.monotonic() < self._release_at:
            return
        self._release_at = time.monotonic() + self.release_s
        now_s = await self._chain_time()
        due = [entry for entry in entries if entry.challenge_until_s is not None and entry.challenge_until_s < now_s]
        due = due[:MAX_WATCHED]
        if not due:
            return
        wanted = []
        states = zip(due, await self._read(due, Finalized), await self._read(due, Confirmed), strict=True)
        for entry, final, present in states:
            if final is not None and final.locked == 0:
                self.outbox.move(entry, State.RELEASED)
            elif present is not None and present.open_demands:
                self.outbox.note(entry, f"{present.open_demands} of its leaves are demanded: answer them")
            elif present is not None and present.locked:
                wanted.append(entry)
        if wanted:
            await self._release(wanted[:MAX_RELEASED])

    async def _release(self, entries: list[Entry]) -> None:
        instructions = [
            batches.release_batch(self.program_id, Pubkey.from_string(entry.address), self.prover)
            for entry in entries
            if entry.address is not None
        ]
        try:
            await self.sender.broadcast(await self.sender.sign(instructions))
        except ProgramRefused as refused:
            for entry in entries:
                self.outbox.note(entry, f"its stake cannot be released: {refused}")

    async def _read(
        self, entries: list[Entry], commitment: Commitment, *, min_slot: int = 0
    ) -> list[BatchAccount | None]:
        addresses = [Pubkey.from_string(entry.address or "") for entry in entries]
        found = await fetch_many(self.client, addresses, commitment=commitment, min_slot=min_slot)
        return [
            None if account is None or account.owner != self.program_id else BatchAccount.decode(bytes(account.data))
            for account in found
        ]

    async def _chain_time(self) -> int:
        """The chain's clock, unix seconds."""
        (clock,) = await fetch_many(self.client, [CLOCK])
        if clock is None:
            raise ChainUnavailable("the endpoint does not show the chain's clock")
        return int.from_bytes(bytes(clock.data)[32:40], "little", signed=True)
