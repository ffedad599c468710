"""What the market knows of provers and of waiting requests at one moment."""

from dataclasses import dataclass

from proofgrid.models.market import Ask, SkipCause
from proofgrid.network.market.pricing import Schedule


@dataclass(frozen=True)
class Candidate:
    """One prover as a bidder. ``is_fleet`` is the operator's own: no collateral, its workers turn by themselves."""

    key: str
    ask: Ask
    is_fleet: bool = False
    barred: SkipCause | None = None
    """Why it gets nothing at all for now: not admitted, suspended, quarantined, offline."""
    reputation: float = 1.0
    units_per_s: float | None = None
    """Measured; None: not yet."""
    stake_lamports: int = 0
    live: int = 0
    """Attempts that hold a slot."""
    queued_units: int = 0
    """Units of those attempts."""
    at_risk_lamports: int = 0
    """Prices of everything that it has not yet delivered."""

    @property
    def free(self) -> int:
        return max(0, self.ask.capacity - self.live)


@dataclass(frozen=True)
class Waiting:
    """One request that waits for a prover. Lists name provers' keys; None allows everybody."""

    id: str
    sequence: int
    requester: str
    circuit_id: str
    units: int
    cap: int
    created_at: float
    deadline_at: float
    recipients: frozenset[str] | None = None
    """Who can open the witness."""
    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    """Who had an attempt at it before; the fleet is never among them."""

    @property
    def among(self) -> frozenset[str] | None:
        """The only provers that may get it; None for everybody."""
        if self.recipients is None or self.allow is None:
            return self.allow if self.recipients is None else self.recipients
        return self.recipients & self.allow

    @property
    def without(self) -> frozenset[str]:
        return self.deny | self.failed if self.failed else self.deny


@dataclass(frozen=True)
class Rules:
    """The network's settings as the market applies them."""

    min_reputation: float = 0.0
    min_stake_lamports: int = 0
    stake_share: float = 1.0
    """The collateral circuit breaker: prices at risk stay within this share of the stake."""
    slack: float = 1.25
    """A prover must finish this much faster than the deadline, by its measured speed."""
    rise_s: float = 60.0

    def room(self, candidate: Candidate) -> int:
        """What this prover's stake still covers."""
        if candidate.is_fleet:
            return (1 << 63) - 1
        return int(candidate.stake_lamports * self.stake_share) - candidate.at_risk_lamports

    def schedule(self, request: Waiting, start: int) -> Schedule:
        """The request's offer, which starts at the index (or the fleet's ask, if higher), within its cap."""
        return Schedule(min(start, request.cap), request.cap, request.created_at, request.deadline_at, self.rise_s)


@dataclass(frozen=True)
class Match:
    """A request, its prover, and the price: the runner-up's ask, at most the offer and the collateral's room."""

    request: Waiting
    key: str
    ask: int
    second: int | None
    """The runner-up's ask; None if nobody else was eligible, then the price is the winner's own ask."""
    offer: int
    price: int


def clearing_price(ask: int, second: int | None, offer: int, room: int) -> int:
    """The second price inside offer and collateral; a lone bidder gets its own ask."""
    return ask if second is None else min(second, offer, room)
