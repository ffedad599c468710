"""What requesters ask the market: why not, how much, and how it stands."""

from collections import Counter
from statistics import median
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from proofgrid.errors import NotFound
from proofgrid.models import MAX_RECIPIENTS, AttemptState, Cause, Fulfilment
from proofgrid.models.market import AskStatistics, Quote, QuoteRequest, SkipCause, Statistics, Why
from proofgrid.network.database import AttemptRow, CircuitRow, RequestRow
from proofgrid.network.market.board import Board
from proofgrid.network.market.candidates import Candidate, Waiting, clearing_price
from proofgrid.network.market.eligibility import skip_cause
from proofgrid.network.market.pricing import price_of, rounded_up, size_class, units_of
from proofgrid.network.market.waiting import one_request
from proofgrid.network.market.why import find, noted, sentences_of
from proofgrid.network.requests import owned
from proofgrid.network.tables.market import SkipRow, UsageRow

QUOTE_VALID_S = 60.0
QUOTE_MARGIN = 1.25
"""How far above what it expects a quote's high end lies."""
STATISTICS_WINDOW_S = 86_400.0
_SAMPLE = 1000


def why(session: Session, board: Board, request_id: str, requester: str) -> Why:
    """Why this request of this requester stands where it stands; raises :class:`NotFound`."""
    row = owned(session, request_id, requester)
    request = one_request(session, board.fleet, request_id)
    if request is None:
        raise NotFound(f"no request of yours is named {request_id}")
    if row.fulfilment is Fulfilment.REQUESTED and row.deadline_at > board.now:
        return _while_waiting(board, request)
    last_look, skips = session.get(SkipRow, request_id), noted(session, request_id, request.cap)
    cause = None if row.cause is None else Cause.model_validate(row.cause)
    last = _last_attempt(row)
    said = [f"the request is {row.fulfilment}" + (f": {cause.message}" if cause else "")]
    if last is not None:
        said.append(last)
    if skips and row.fulfilment is not Fulfilment.FULFILLED:
        said.append("when the market last looked for a prover: " + "; ".join(skip.sentence for skip in skips))
    return Why(
        request_id=request_id,
        fulfilment=row.fulfilment,
        sentences=tuple(said),
        skips=tuple(skips),
        max_price_lamports=row.max_price_lamports,
        raise_cap_to_lamports=None if last_look is None else last_look.would_take_at,
        looked_at=board.now if last_look is None else last_look.looked_at,
    )


def _while_waiting(board: Board, request: Waiting) -> Why:
    found = find(board, request)
    skips = sentences_of(found.counts, request.cap, found.would_take_at)
    if found.eligible:
        said = [
            f"provers that may have it: {len(found.eligible)}; it is given away in its requester's turn, within seconds"
        ]
    else:
        said = [f"nobody may have it now; provers looked at: {len(board.candidates)}"]
        said += [skip.sentence + (f" ({skip.advice})" if skip.advice else "") for skip in skips]
    if found.offer < request.cap:
        left_s = found.cap_at - board.now
        said.append(f"{found.offer} of at most {request.cap} are offered now; the offer is the cap in {left_s:.0f} s")
    said.append(f"its deadline is in {request.deadline_at - board.now:.0f} s")
    return Why(
        request_id=request.id,
        fulfilment=Fulfilment.REQUESTED,
        sentences=tuple(said),
        skips=tuple(skips),
        eligible=len(found.eligible),
        offer_lamports=found.offer,
        max_price_lamports=request.cap,
        raise_cap_to_lamports=found.would_take_at,
        cap_reached_at=None if found.offer == request.cap else found.cap_at,
        looked_at=board.now,
    )


def _last_attempt(row: RequestRow) -> str | None:
    if not row.attempts:
        return None
    last = row.attempts[-1]
    who = "the operator's fleet" if last.prover is None else f"prover {last.prover}"
    why = "" if last.cause is None else f": {Cause.model_validate(last.cause).message}"
    return f"attempt {last.number} by {who} is {last.state}{why}"


def quote(session: Session, board: Board, question: QuoteRequest) -> Quote:
    """What a request for this circuit would be given away for now. Cost: one look at every prover.

    Prices are rounded up to two digits, so that a quote tells no sealed ask to the unit.
    """
    domain_size = session.scalar(select(CircuitRow.domain_size).where(CircuitRow.id == question.circuit_id))
    if domain_size is None:
        raise NotFound(f"no circuit is registered as {question.circuit_id}; register its zkey first")
    units, now = units_of(domain_size), board.now
    asked = Waiting("", 0, "", question.circuit_id, units, 1 << 62, now, now + question.deadline_s)
    causes = [(one, skip_cause(asked, one, asked.cap, now, board.rules)) for one in board.candidates]
    skips = sentences_of(Counter(cause for _, cause in causes if cause is not None), asked.cap, None)
    # Who is full now will have a slot within a long deadline; it may get the request, so it is a recipient.
    may = [one for one, cause in causes if cause in (None, SkipCause.NO_CAPACITY, SkipCause.COLLATERAL)]
    may.sort(key=lambda one: (price_of(one.ask, units), one.key))
    prices = [price_of(one.ask, units) for one in may]
    expected = clearing_price(prices[0], prices[1] if len(prices) > 1 else None, asked.cap, asked.cap) if may else None
    level = board.levels.get(size_class(units))
    start = None if level is None else board.start(units)
    high = None if expected is None else max(expected, start or 0)
    chosen = may[:MAX_RECIPIENTS]
    return Quote(
        circuit_id=question.circuit_id,
        units=units,
        expected_lamports=None if expected is None else rounded_up(expected),
        low_lamports=None if expected is None else rounded_up(min(expected, start if start is not None else expected)),
        high_lamports=None if high is None else rounded_up(int(high * QUOTE_MARGIN)),
        index_lamports=None if level is None else start,
        eligible=tuple(sorted(one.key for one in chosen)),
        expected_s=_expected_s(session, chosen[:2], units),
        skips=tuple(skips),
        valid_until=now + QUOTE_VALID_S,
    )


def _expected_s(session: Session, likely: list[Candidate], units: int) -> float | None:
    """Queue and proving at the slower of the likely winners, by admission's or their own last measured speed."""
    times = []
    for one in likely:
        speed = one.units_per_s or measured_speed(session, one.key)
        if speed:
            times.append((one.queued_units + units) / speed)
    return max(times, default=None)


def measured_speed(session: Session, prover: str) -> float | None:
    """Units per second over this prover's last accepted proofs; None if there is none."""
    last = (
        select(UsageRow.units, UsageRow.started_at, UsageRow.ended_at)
        .where(UsageRow.prover == prover, UsageRow.outcome == AttemptState.ACCEPTED)
        .order_by(UsageRow.ended_at.desc())
        .limit(32)
    )
    rows = session.execute(last).all()
    seconds = sum(ended - started for _, started, ended in rows if ended and started)
    return sum(row[0] for row in rows) / seconds if seconds > 0 else None


def statistics(session: Session, board: Board) -> Statistics:
    """The last day in figures. Cost: one scan of its usage records."""
    since = board.now - STATISTICS_WINDOW_S
    requests = select(RequestRow.fulfilment, func.count()).group_by(RequestRow.fulfilment)
    ended = requests.where(RequestRow.fulfilment.in_([one for one in Fulfilment if one.is_terminal]))
    counts = {row[0]: row[1] for row in session.execute(ended.where(RequestRow.updated_at >= since))}
    live = {row[0]: row[1] for row in session.execute(requests.where(RequestRow.fulfilment.in_(_OPEN)))}
    used = _used(session, since)
    paid = select(func.coalesce(func.sum(RequestRow.price_lamports), 0)).where(
        RequestRow.fulfilment == Fulfilment.FULFILLED, RequestRow.fulfilled_at >= since
    )
    waits = session.execute(
        select(AttemptRow.claimed_at - RequestRow.created_at)
        .join(AttemptRow.request)
        .where(AttemptRow.number == 1, AttemptRow.claimed_at >= since)
        .order_by(AttemptRow.claimed_at.desc())
        .limit(_SAMPLE)
    ).scalars()
    return Statistics(
        window_s=STATISTICS_WINDOW_S,
        waiting=live.get(Fulfilment.REQUESTED, 0),
        running=live.get(Fulfilment.ASSIGNED, 0) + live.get(Fulfilment.PROVING, 0),
        fulfilled=counts.get(Fulfilment.FULFILLED, 0),
        unserved=counts.get(Fulfilment.EXPIRED, 0) + counts.get(Fulfilment.UNFULFILLABLE, 0),
        attempts_failed=sum(one.attempts for state, one in used.items() if state in _FAILED),
        proving_s=round(sum(one.seconds for one in used.values()), 3),
        units=used[AttemptState.ACCEPTED].units if AttemptState.ACCEPTED in used else 0,
        paid_lamports=int(session.scalar(paid) or 0),
        median_wait_s=median(found) if (found := [wait for wait in waits if wait is not None]) else None,
        asks=ask_statistics(board),
    )


class _Used(NamedTuple):
    attempts: int
    units: int
    seconds: float


def _used(session: Session, since: float) -> dict[AttemptState, _Used]:
    """Closed records by outcome."""
    rows = (
        select(
            UsageRow.outcome,
            func.count(),
            func.sum(UsageRow.units),
            func.sum(UsageRow.ended_at - UsageRow.started_at),
        )
        .where(UsageRow.ended_at >= since, UsageRow.outcome.is_not(None))
        .group_by(UsageRow.outcome)
    )
    found = session.execute(rows)
    return {one: _Used(count, int(units), float(took or 0.0)) for one, count, units, took in found if one is not None}


_OPEN = tuple(state for state in Fulfilment if not state.is_terminal)
_FAILED = frozenset({AttemptState.FAILED, AttemptState.LOST, AttemptState.REFUSED})


def ask_statistics(board: Board) -> AskStatistics:
    """What is public of the asks of provers in good standing (the fleet is one of them)."""
    there = board.in_standing
    hardware = Counter(one.ask.hardware.kind for one in there)
    return AskStatistics(
        provers=len(there),
        capacity=sum(one.ask.capacity for one in there),
        free=sum(one.free for one in there),
        by_hardware=dict(hardware),
        units_per_s=round(sum(one.units_per_s or 0.0 for one in there), 3),
    )
