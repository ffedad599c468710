"""Units, prices, the offer that rises inside the cap, and what a late proof is paid. Integers throughout."""

from dataclasses import dataclass

from proofgrid.models.market import CONSTRAINTS_PER_UNIT, Ask

MICRO = 1_000_000
OFFER_STEPS = 10
"""The offer rises in tenths of the way to the cap."""
URGENT_SHARE = 0.5
"""With so much of its time gone a request offers its cap at once."""
FULL_BPS = 10_000


@dataclass(frozen=True)
class Schedule:
    """How a request's offer rises: from ``start`` to ``cap`` within ``rise_s``, at once when half its time is gone."""

    start: int
    cap: int
    created_at: float
    deadline_at: float
    rise_s: float

    def offer(self, now: float) -> int:
        """What is offered at ``now``: start <= offer <= cap, never falling with time."""
        if now >= self.cap_at:
            return self.cap
        step = int(OFFER_STEPS * max(0.0, now - self.created_at) / self.rise_s)
        return self.start + (self.cap - self.start) * min(step, OFFER_STEPS) // OFFER_STEPS

    @property
    def cap_at(self) -> float:
        """When the offer is the cap."""
        whole_s = self.deadline_at - self.created_at
        return self.created_at + min(self.rise_s, URGENT_SHARE * whole_s)


def units_of(domain_size: int) -> int:
    """Units of a circuit with this domain: 1,024 constraints each, rounded up; 0 for a domain that was not measured."""
    return -(-domain_size // CONSTRAINTS_PER_UNIT)


def size_class(units: int) -> int:
    """The smallest k with units <= 2^k: circuits of one class share a price index."""
    return max(units - 1, 0).bit_length()


def price_of(ask: Ask, units: int) -> int:
    """What this prover wants for a circuit of so many units; below 2^62 for units up to 2^18."""
    return ask.base_lamports + ask.per_unit_lamports * units


def index_price(per_unit_micro: int, units: int) -> int:
    """A circuit's price by the index, rounded up."""
    return -(-per_unit_micro * units // MICRO)


def payable(price: int, submitted_at: float, pay_until_at: float | None, late_bps: int) -> int:
    """What a proof that arrived at ``submitted_at`` is paid: all until ``pay_until_at``, then ``late_bps`` of it."""
    if pay_until_at is None or submitted_at <= pay_until_at:
        return price
    return price * late_bps // FULL_BPS


def rounded_up(lamports: int) -> int:
    """To two digits: an advice that does not tell a sealed ask to the unit."""
    step: int = 10 ** max(0, len(str(lamports)) - 2)
    return -(-lamports // step) * step
