"""Reputation in the database: tallies read and written, and the hooks for whoever ends an attempt or hears a prover."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment
from proofgrid.network.admission import policy
from proofgrid.network.admission.reputation import PULSE_GAP_S, Tally
from proofgrid.network.database import AttemptRow, RequestRow
from proofgrid.network.tables.admission import AdmissionRow, ReputationRow

HEARD_EVERY_S = PULSE_GAP_S / 3


def tally_of(session: Session, prover: str, now: float) -> Tally:
    """What is remembered of a prover, faded until ``now``."""
    row = session.get(ReputationRow, prover)
    return Tally(decayed_at=now) if row is None else _tally(row).at(now)


def change(session: Session, prover: str, now: float, event: Callable[[Tally], Tally]) -> None:
    """Let an event change a prover's tally, under a lock on its row."""
    row = session.get(ReputationRow, prover, with_for_update=True)
    if row is None:
        row = ReputationRow(prover=prover)
        _fill(row, Tally(decayed_at=now))
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # two first events at once
            row = session.get_one(ReputationRow, prover, with_for_update=True, populate_existing=True)
    _fill(row, event(_tally(row)))


def attempt_ended(session: Session, attempt: AttemptRow, state: AttemptState, cause: Cause | None, now: float) -> None:
    """An attempt was accepted, or ended without a proof: remember it of its prover. The own fleet has no reputation.

    Call it once, in the transaction of the move. Cost: one row read and one written.
    """
    prover = attempt.prover
    if prover is None:
        return
    if state is AttemptState.ACCEPTED:
        seconds = _seconds(attempt)
        change(session, prover, now, lambda tally: tally.succeeded(now, seconds))
        _measure(session, attempt, seconds)
    elif cause is not None:
        change(session, prover, now, lambda tally: tally.failed(now, cause.code))


def attempt_withdrawn(session: Session, attempt: AttemptRow, was: AttemptState, now: float) -> None:
    """The request ended before this attempt: a missed deadline, if its prover was at work when it passed."""
    if attempt.prover is None or was is not AttemptState.RUNNING:
        return
    fulfilment = session.scalar(select(RequestRow.fulfilment).where(RequestRow.id == attempt.request_id))
    if fulfilment is Fulfilment.EXPIRED:
        change(session, attempt.prover, now, lambda tally: tally.failed(now, CauseCode.DEADLINE_PASSED))


def heard(session: Session, prover: str, now: float) -> None:
    """A sign of life of a prover: a pulse, a call for work. Written down once in ``HEARD_EVERY_S``."""
    known = session.scalar(select(ReputationRow.heard_at).where(ReputationRow.prover == prover))
    if known is not None and 0 <= now - known < HEARD_EVERY_S:
        return
    change(session, prover, now, lambda tally: tally.heard(now))


def _seconds(attempt: AttemptRow) -> float | None:
    if attempt.claimed_at is None or attempt.submitted_at is None:
        return None
    return max(attempt.submitted_at - attempt.claimed_at, 1e-3)


def _measure(session: Session, attempt: AttemptRow, seconds: float | None) -> None:
    """A real proof says more about speed than any challenge."""
    row = session.get(AdmissionRow, attempt.prover, with_for_update=True)
    size = attempt.request.circuit.domain_size
    if row is not None and seconds is not None and size:
        row.proven_per_s = policy.smoothed(row.proven_per_s, max(1.0, size / 1024) / seconds)


def _tally(row: ReputationRow) -> Tally:
    return Tally(
        decayed_at=row.decayed_at,
        successes=row.successes,
        faults=row.faults,
        invalid=row.invalid,
        causes=dict(row.causes),
        latencies=tuple(row.latencies),
        up_s=row.up_s,
        watched_s=row.watched_s,
        heard_at=row.heard_at,
    )


def _fill(row: ReputationRow, tally: Tally) -> None:
    row.successes, row.faults, row.invalid = tally.successes, tally.faults, tally.invalid
    row.causes, row.latencies = dict(tally.causes), list(tally.latencies)
    row.up_s, row.watched_s = tally.up_s, tally.watched_s
    row.heard_at, row.decayed_at = tally.heard_at, tally.decayed_at
