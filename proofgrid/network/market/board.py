"""The market's view of the database: who bids, what they hold, and where offers begin."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState
from proofgrid.models.market import Ask, Hardware, HardwareKind, SkipCause
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.database import AttemptRow, WorkerRow
from proofgrid.network.market import standings
from proofgrid.network.market.asks import ask_of
from proofgrid.network.market.candidates import Candidate, Rules
from proofgrid.network.market.eligibility import standing_cause
from proofgrid.network.market.index import Level
from proofgrid.network.market.pricing import index_price, size_class
from proofgrid.network.tables.market import AskRow, PriceRow, UsageRow

_NO_PRICE = 1 << 62


@dataclass(frozen=True)
class Fleet:
    """The operator's own workers: their key, and how many tasks their queue may hold."""

    key: str
    slots: int


@dataclass(frozen=True)
class Load:
    """What a prover has not yet delivered."""

    attempts: int = 0
    units: int = 0
    at_risk: int = 0


@dataclass(frozen=True)
class Board:
    """All bidders at one moment, and where offers begin."""

    candidates: list[Candidate]
    rules: Rules
    levels: dict[int, Level]
    fleet: str
    """Its key."""
    fleet_ask: int
    now: float

    def start(self, units: int) -> int:
        """Where a request's offer begins: at the index, but not below the fleet's ask; anywhere while there is none."""
        level = self.levels.get(size_class(units))
        return _NO_PRICE if level is None else max(index_price(level.index, units), self.fleet_ask)

    @property
    def in_standing(self) -> list[Candidate]:
        return [one for one in self.candidates if standing_cause(one, self.now, self.rules) is None]

    @property
    def free(self) -> int:
        """Slots of provers in good standing."""
        return sum(one.free for one in self.in_standing)


def rules_of(config: NetworkConfig) -> Rules:
    market = config.market
    return Rules(market.min_reputation, market.min_stake_lamports, market.stake_share, market.slack, market.rise_s)


def load_board(session: Session, config: NetworkConfig, fleet: Fleet, now: float) -> Board:
    """All who may bid. Cost: a scan of the asks and one of the live attempts."""
    loads = loads_of(session)
    known = standings.standings(session, now)
    bidders = []
    standing_asks = select(AskRow.__table__).where(AskRow.expires_at > now, AskRow.prover != fleet.key)
    for row in session.execute(standing_asks):  # rows, not objects of the session: a thousand in milliseconds
        standing = known.get(row.prover, standings.NOBODY)
        load = loads.get(row.prover, Load())
        bidders.append(
            Candidate(
                key=row.prover,
                ask=ask_of(row),
                barred=standing.barred or (None if standing.admitted else SkipCause.NOT_ADMITTED),
                reputation=standing.reputation,
                units_per_s=standing.units_per_s,
                stake_lamports=standing.stake,
                live=load.attempts,
                queued_units=load.units,
                at_risk_lamports=load.at_risk,
            )
        )
    rules = rules_of(config)
    rows = session.execute(select(PriceRow.size_class, PriceRow.paid_micro, PriceRow.index_micro))
    levels = {size: Level(paid, index) for size, paid, index in rows}
    board = Board(bidders, rules, levels, fleet.key, config.ask_lamports, now)
    bidders.append(_fleet(session, config, fleet, loads.get(None, Load()), now, is_needed=not board.in_standing))
    return board


def _fleet(
    session: Session, config: NetworkConfig, fleet: Fleet, load: Load, now: float, *, is_needed: bool
) -> Candidate:
    """The operator's own workers: they bid as everybody, and take what nobody else takes.

    With nobody else in standing it bids without workers, too: its queue waits for them.
    """
    since = now - config.timing.worker_timeout_s
    backends = session.scalars(select(WorkerRow.backend).where(WorkerRow.heartbeat_at >= since)).all()
    has_gpu = any(backend.startswith("cuda") for backend in backends)
    ask = Ask.model_construct(
        base_lamports=config.ask_lamports,  # an operator's to choose: beyond an ask's bounds, too
        per_unit_lamports=0,
        capacity=fleet.slots,
        hardware=Hardware(kind=HardwareKind.GPU if has_gpu else HardwareKind.CPU),
        circuits=None,
        expires_at=now + 1.0,
        sequence=1,
    )
    barred = None if is_needed or backends else SkipCause.OFFLINE
    return Candidate(fleet.key, ask, is_fleet=True, barred=barred, live=load.attempts, queued_units=load.units)


def loads_of(session: Session, among: frozenset[str] | None = None) -> dict[str | None, Load]:
    """What each prover (None: the fleet) holds; of the fleet, what waits in its queue."""
    queued = (AttemptState.QUEUED, AttemptState.SENT)
    rows = (
        select(
            AttemptRow.prover,
            func.count(),
            func.coalesce(func.sum(UsageRow.units), 0),
            func.sum(AttemptRow.price_lamports),
        )
        .outerjoin(UsageRow, UsageRow.attempt_id == AttemptRow.id)
        .where(AttemptRow.state.in_(LIVE_ATTEMPTS))
        .where(AttemptRow.prover.is_not(None) | AttemptRow.state.in_(queued))
        .group_by(AttemptRow.prover)
    )
    if among is not None:
        rows = rows.where(AttemptRow.prover.in_(among))
    found = session.execute(rows)
    return {prover: Load(count, int(units), int(at_risk or 0)) for prover, count, units, at_risk in found}
