"""The market's view of the database: bidders, waiting requests, and who has how many running."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, Fulfilment
from proofgrid.models.market import Ask, Hardware, HardwareKind, SkipCause
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.database import AttemptRow, CircuitRow, RequestRow
from proofgrid.network.market import standings
from proofgrid.network.market.asks import ask_of
from proofgrid.network.market.candidates import Candidate, Rules, Waiting
from proofgrid.network.market.eligibility import standing_cause
from proofgrid.network.market.index import Level
from proofgrid.network.market.pricing import index_price, size_class, units_of
from proofgrid.network.tables.market import AskRow, PriceRow, UsageRow
from proofgrid.network.workers import live_workers

PER_REQUESTER = 2_000
"""Waiting requests of one requester that a round considers, the oldest."""
MAX_WAITING = 20_000
"""Of all requesters."""
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
    for row in session.scalars(select(AskRow).where(AskRow.expires_at > now, AskRow.prover != fleet.key)):
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
    is_needed = not board.in_standing
    is_there = is_needed or bool(live_workers(session, since=now - config.timing.worker_timeout_s))
    bidders.append(_fleet(config, fleet, loads.get(None, Load()), is_there, now))
    return board


def _fleet(config: NetworkConfig, fleet: Fleet, load: Load, is_there: bool, now: float) -> Candidate:
    """The operator's own workers: they bid as everybody, and take what nobody else takes."""
    ask = Ask.model_construct(
        base_lamports=config.ask_lamports,  # an operator's to choose: beyond an ask's bounds, too
        per_unit_lamports=0,
        capacity=fleet.slots,
        hardware=Hardware(kind=HardwareKind.CPU),
        circuits=None,
        expires_at=now + 1.0,
        sequence=1,
    )
    barred = None if is_there else SkipCause.OFFLINE
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


def running_of(session: Session) -> dict[str, int]:
    """Live attempts of each requester."""
    rows = (
        select(RequestRow.requester, func.count())
        .where(RequestRow.fulfilment.in_((Fulfilment.ASSIGNED, Fulfilment.PROVING)))
        .group_by(RequestRow.requester)
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def load_waiting(session: Session, fleet: str, now: float, *, limit: int = MAX_WAITING) -> list[Waiting]:
    """Requests that wait for a prover, the oldest of each requester. Cost: one indexed scan of all that wait."""
    rank = func.row_number().over(partition_by=RequestRow.requester, order_by=RequestRow.sequence)
    open_ = RequestRow.fulfilment == Fulfilment.REQUESTED
    ranked = select(RequestRow.sequence, rank.label("rank")).where(open_, RequestRow.deadline_at > now).subquery()
    chosen = (
        select(ranked.c.sequence)
        .where(ranked.c.rank <= PER_REQUESTER)
        .order_by(ranked.c.rank, ranked.c.sequence)
        .limit(limit)
    )
    return _waiting(session, fleet, RequestRow.sequence.in_(chosen))


def one_waiting(session: Session, fleet: str, request_id: str) -> Waiting | None:
    """This request as the market sees it, whatever its status."""
    found = _waiting(session, fleet, RequestRow.id == request_id)
    return found[0] if found else None


def _waiting(session: Session, fleet: str, where: Any) -> list[Waiting]:
    columns = (
        RequestRow.id,
        RequestRow.sequence,
        RequestRow.requester,
        RequestRow.circuit_id,
        CircuitRow.domain_size,
        RequestRow.max_price_lamports,
        RequestRow.created_at,
        RequestRow.deadline_at,
        RequestRow.recipients,
        RequestRow.allow,
        RequestRow.deny,
    )
    rows = session.execute(select(*columns).join(RequestRow.circuit).where(where)).all()
    failed = _failed(session, where)
    alone = frozenset({fleet})
    nobody: frozenset[str] = frozenset()
    return [
        Waiting(
            id=row[0],
            sequence=row[1],
            requester=row[2],
            circuit_id=row[3],
            units=units_of(row[4]),
            cap=row[5],
            created_at=row[6],
            deadline_at=row[7],
            recipients=alone if row[8] is None else frozenset(row[8]),
            allow=None if row[9] is None else frozenset(row[9]),
            deny=frozenset(row[10]) if row[10] else nobody,
            failed=failed.get(row[0], nobody),
        )
        for row in rows
    ]


def _failed(session: Session, where: Any) -> dict[str, frozenset[str]]:
    """Provers (not the fleet: its workers turn by themselves) that had an attempt at these requests."""
    rows = (
        select(AttemptRow.request_id, AttemptRow.prover)
        .join(AttemptRow.request)
        .where(where, AttemptRow.prover.is_not(None))
    )
    found: dict[str, set[str]] = defaultdict(set)
    for request_id, prover in session.execute(rows):
        if prover is not None:
            found[request_id].add(prover)
    return {request_id: frozenset(keys) for request_id, keys in found.items()}
