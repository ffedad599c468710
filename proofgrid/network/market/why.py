"""Why a request is not served: found while it waits, kept (one row for each request) for when it has ended, told in
sentences that say what would change it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from proofgrid.models.market import SkipCause, SkipCount
from proofgrid.network.database import Database
from proofgrid.network.market.board import Board
from proofgrid.network.market.candidates import Candidate, Waiting
from proofgrid.network.market.eligibility import skip_cause
from proofgrid.network.market.pricing import price_of, rounded_up
from proofgrid.network.tables.market import SkipRow

NOTES_AT_ONCE = 64
PAIRS_AT_ONCE = 10_000
"""Requests times provers that one round's notes look at: some 20 ms."""
NOTE_AFTER_S, NOTE_EVERY_S = 1.0, 10.0
"""A request is noted when it has waited so long, and so often again."""
PASSING = frozenset({SkipCause.PRICE_ABOVE_OFFER, SkipCause.NO_CAPACITY, SkipCause.COLLATERAL})
"""Causes that pass by themselves."""


@dataclass(frozen=True)
class Finding:
    """What the market finds for one request: provers for each cause, and those that may have it."""

    counts: Mapping[SkipCause, int]
    eligible: Sequence[Candidate]
    offer: int
    cap_at: float
    would_take_at: int | None
    """A cap, rounded up, at which somebody would take it who now asks more; None if that is not the trouble."""


def find(board: Board, request: Waiting) -> Finding:
    """Look at every prover. Cost: about 1.5 us for each."""
    schedule = board.rules.schedule(request, board.start(request.units))
    offer = schedule.offer(board.now)
    causes = [(one, skip_cause(request, one, offer, board.now, board.rules)) for one in board.candidates]
    dear = [price_of(one.ask, request.units) for one, cause in causes if cause is SkipCause.PRICE_ABOVE_CAP]
    counts = Counter(cause for _, cause in causes if cause is not None)
    eligible = [one for one, cause in causes if cause is None]
    is_passing = bool(eligible) or any(cause in PASSING for cause in counts)
    return Finding(counts, eligible, offer, schedule.cap_at, None if is_passing or not dear else rounded_up(min(dear)))


def note(database: Database, board: Board, waiting: Sequence[Waiting], assigned: Collection[str]) -> int:
    """Keep what was found for some of the requests that still wait, those not looked at for longest; their number."""
    due = [one for one in waiting if one.id not in assigned and one.created_at <= board.now - NOTE_AFTER_S]
    if not due:
        return 0
    at_once = min(NOTES_AT_ONCE, max(1, PAIRS_AT_ONCE // len(board.candidates)))
    with database.reading() as session:
        chosen = _longest_ago(session, due, board.now)[:at_once]
    if not chosen:
        return 0
    found = [(request, find(board, request)) for request in chosen]
    try:
        with database.writing() as session:
            for request, finding in found:
                session.merge(_row(request, finding, board.now))
    except IntegrityError:  # another coordinator noted one of them first; they are looked at again soon
        return 0
    return len(found)


def _row(request: Waiting, finding: Finding, now: float) -> SkipRow:
    return SkipRow(
        request_id=request.id,
        counts={cause.value: count for cause, count in sorted(finding.counts.items())},
        eligible=len(finding.eligible),
        offer_lamports=finding.offer,
        would_take_at=finding.would_take_at,
        looked_at=now,
    )


def _longest_ago(session: Session, due: Sequence[Waiting], now: float) -> list[Waiting]:
    first = due[: 4 * NOTES_AT_ONCE]
    rows = select(SkipRow.request_id, SkipRow.looked_at).where(SkipRow.request_id.in_([one.id for one in first]))
    looked_at = {row.request_id: row.looked_at for row in session.execute(rows)}
    again = [one for one in first if looked_at.get(one.id, 0.0) <= now - NOTE_EVERY_S]
    return sorted(again, key=lambda one: (looked_at.get(one.id, 0.0), one.sequence))


def noted(session: Session, request_id: str, cap: int) -> list[SkipCount]:
    """What was last found for this request, in words."""
    row = session.get(SkipRow, request_id)
    if row is None:
        return []
    return sentences_of({SkipCause(cause): count for cause, count in row.counts.items()}, cap, row.would_take_at)


def sentences_of(counts: Mapping[SkipCause, int], cap: int, would_take_at: int | None) -> list[SkipCount]:
    """Each cause in words, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [_told(cause, count, cap, would_take_at) for cause, count in ordered]


def _told(cause: SkipCause, count: int, cap: int, would_take_at: int | None) -> SkipCount:
    who = f"{count} prover{'s' if count > 1 else ''}"
    does, advice = _WORDS[cause]
    does = does if count > 1 or not does.startswith("were ") else "was " + does.removeprefix("were ")
    if cause is SkipCause.PRICE_ABOVE_CAP:
        does = f"wanted more than the cap of {cap}"
        if would_take_at is not None:
            advice = f"place it again with max_price_lamports={would_take_at}"
    return SkipCount(cause=cause, provers=count, sentence=f"{who} {does}", advice=advice)


_LATER = "wait: the market looks again with each tick"
_WORDS: Mapping[SkipCause, tuple[str, str]] = {
    SkipCause.NOT_ADMITTED: ("had not passed admission", ""),
    SkipCause.SUSPENDED: ("had suspended work", ""),
    SkipCause.QUARANTINED: ("had been quarantined by the operator", ""),
    SkipCause.OFFLINE: ("had not been heard of lately", _LATER),
    SkipCause.ASK_EXPIRED: ("had an ask that has expired", _LATER),
    SkipCause.LOW_REPUTATION: ("had too low a reputation", ""),
    SkipCause.LOW_STAKE: ("had too little stake", ""),
    SkipCause.CIRCUIT_NOT_TAKEN: ("did not take this circuit", ""),
    SkipCause.CIRCUIT_UNMEASURED: (
        "could not price this circuit, whose size is not known",
        "register the circuit again, then place the request again",
    ),
    SkipCause.NOT_ALLOWED: ("were not on your allow list", "place it again with a longer list, or with none"),
    SkipCause.DENIED: ("were on your deny list", "place it again with a shorter list"),
    SkipCause.NOT_A_RECIPIENT: (
        "could not open the witness, which is not sealed to them",
        "ask for a quote and place it again, sealed to the provers that the quote names",
    ),
    SkipCause.FAILED_BEFORE: ("had failed at this request before", ""),
    SkipCause.PRICE_ABOVE_CAP: ("wanted more than the cap", "place it again with a higher cap"),
    SkipCause.UNMEASURED: ("had no measured speed yet", _LATER),
    SkipCause.TOO_SLOW: ("could not finish before the deadline", "place it again with a later deadline"),
    SkipCause.PRICE_ABOVE_OFFER: ("wanted more than is offered now", "wait: the offer rises to the cap"),
    SkipCause.NO_CAPACITY: ("had no free slot", _LATER),
    SkipCause.COLLATERAL: ("had all their collateral at risk", _LATER),
}
