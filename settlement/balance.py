"""Whether the hot key can pay for the batches to come: rent for their accounts, and fees."""

import logging
from dataclasses import dataclass, field
from enum import StrEnum

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.pubkey import Pubkey

from proofgrid.errors import BalanceTooLow
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT
from proofgrid.settlement.rpc import ask

log = logging.getLogger(__name__)
LAMPORTS_PER_SOL = 10**9
FEE_LAMPORTS = 20_000
"""More than a commitment pays: 5,000 for its signature, at most 6,000 for 30,000 units at the sender's cap."""


class Level(StrEnum):
    """How the balance stands."""

    ENOUGH = "enough"
    LOW = "low"  # fill it up soon
    TOO_LOW = "too low"  # the next batch cannot be paid for


@dataclass(frozen=True)
class Balance:
    """Lamports of the hot key, what the next batch needs, and below what they are low."""

    lamports: int
    needed: int
    low: int

    @property
    def level(self) -> Level:
        if self.lamports < self.needed:
            return Level.TOO_LOW
        return Level.LOW if self.lamports < self.low else Level.ENOUGH


@dataclass
class BalanceGuard:
    """Reads the balance before each signature; ``low_batches`` is how many more batches it should pay for."""

    client: AsyncClient
    payer: Pubkey
    low_batches: int = 100
    _rents: dict[int, int] = field(default_factory=dict, init=False)
    _level: Level = field(default=Level.ENOUGH, init=False)

    async def read(self, leaf_count: int) -> Balance:
        """The balance beside what a batch of so many leaves costs. Raises ChainUnavailable."""
        lamports = (await ask(self.client.get_balance(self.payer, Confirmed))).value
        own = await self._rent(0)  # an account with less than its own rent cannot pay
        cost = await self._rent(batch_account_size(leaf_count)) + FEE_LAMPORTS
        return Balance(lamports, own + cost, own + self.low_batches * cost)

    async def require(self, leaf_count: int) -> Balance:
        """Raises BalanceTooLow, which says how much is missing; a balance that became low is logged once."""
        balance = await self.read(leaf_count)
        if balance.level is Level.LOW and self._level is not Level.LOW:
            log.warning("the hot key %s runs out of lamports: %s SOL", self.payer, sol(balance.lamports))
        self._level = balance.level
        if balance.level is Level.TOO_LOW:
            raise BalanceTooLow(
                f"the hot key {self.payer} has {sol(balance.lamports)} SOL, the next batch of {leaf_count} leaves "
                f"needs {sol(balance.needed)}: send it {sol(balance.low - balance.lamports)} SOL, enough for "
                f"{self.low_batches} batches"
            )
        return balance

    async def _rent(self, size: int) -> int:
        if size not in self._rents:
            answer = await ask(self.client.get_minimum_balance_for_rent_exemption(size, Confirmed))
            self._rents[size] = answer.value
        return self._rents[size]


def batch_account_size(leaf_count: int) -> int:
    """Bytes of a batch's account: its record, and two bits for each leaf in whole words."""
    return BATCH_ACCOUNT.size + (leaf_count + 31) // 32 * 8


def sol(lamports: int) -> str:
    """Lamports as SOL, without the zeros at the end."""
    return f"{lamports / LAMPORTS_PER_SOL:.9f}".rstrip("0").rstrip(".")
