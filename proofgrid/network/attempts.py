"""Attempts at a request: opened with a fencing token, and ended so that the request goes on or ends too."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.admission.records import attempt_ended, attempt_withdrawn
from proofgrid.network.database import AttemptRow, RequestRow
from proofgrid.network.transitions import move_attempt, move_fulfilment, move_fulfilments

FINAL_CODES = frozenset({CauseCode.UNSATISFIED_CIRCUIT, CauseCode.MALFORMED_INPUT})
"""What a worker may call final; anything else goes to another worker whatever it says."""


@dataclass(frozen=True)
class Assignment:
    """A request for a prover (None: the operator's own fleet) at a price."""

    request_id: str
    prover: str | None
    price_lamports: int


def open_attempts(session: Session, assignments: Sequence[Assignment], now: float) -> dict[str, str]:
    """Assign waiting requests: a new attempt for each, with a fresh token; their ids by request.

    A request that somebody else was faster with is left out. Cost: three statements, whatever the number.
    """
    ids = [one.request_id for one in assignments]
    moved = move_fulfilments(session, ids, Fulfilment.REQUESTED, Fulfilment.ASSIGNED, updated_at=now)
    if not moved:
        return {}
    numbers = select(AttemptRow.request_id, func.max(AttemptRow.number)).where(AttemptRow.request_id.in_(moved))
    last = {row[0]: row[1] for row in session.execute(numbers.group_by(AttemptRow.request_id))}
    attempts = [
        {
            "id": uuid.uuid4().hex,
            "request_id": one.request_id,
            "number": last.get(one.request_id, 0) + 1,
            "token": secrets.token_hex(32),
            "state": AttemptState.QUEUED,
            "prover": one.prover,
            "price_lamports": one.price_lamports,
            "created_at": now,
            "not_before": now,
        }
        for one in assignments
        if one.request_id in moved
    ]
    session.execute(insert(AttemptRow), attempts)
    return {str(one["request_id"]): str(one["id"]) for one in attempts}


def live_attempt(session: Session, request_id: str) -> AttemptRow | None:
    """The one attempt that may still give the proof."""
    return session.scalar(
        select(AttemptRow).where(AttemptRow.request_id == request_id, AttemptRow.state.in_(LIVE_ATTEMPTS))
    )


def end_attempt(
    session: Session,
    attempt: AttemptRow,
    new: AttemptState,
    cause: Cause,
    *,
    max_attempts: int,
    now: float,
    final: bool = False,
) -> bool:
    """End an attempt without a proof; its request waits for another or, by the rules, ends. False if it had moved on.

    The request ends if the cause is final, or if two of the fleet's attempts made a false proof (then the witness is at
    fault, not the machine; provers of other operators could say so together), or if this was the last of
    ``max_attempts``.
    """
    document = cause.model_dump(mode="json")
    if not move_attempt(session, attempt.id, attempt.token, attempt.state, new, cause=document, finished_at=now):
        return False
    attempt_ended(session, attempt, new, cause, now)
    old = session.scalars(select(RequestRow.fulfilment).where(RequestRow.id == attempt.request_id)).one()
    verdict = cause if final else _verdict(session, attempt, cause, max_attempts)
    if verdict is None:
        move_fulfilment(session, attempt.request_id, old, Fulfilment.REQUESTED, updated_at=now)
    else:
        values = {"cause": verdict.model_dump(mode="json"), "updated_at": now}
        move_fulfilment(session, attempt.request_id, old, Fulfilment.UNFULFILLABLE, **values)
    return True


def _verdict(session: Session, attempt: AttemptRow, cause: Cause, max_attempts: int) -> Cause | None:
    """Why the request ends with this attempt, or None if it does not."""
    if attempt.prover is None and cause.code in (CauseCode.FALSE_PROOF, CauseCode.INVALID_PROOF):
        earlier = session.scalars(
            select(AttemptRow.cause).where(
                AttemptRow.request_id == attempt.request_id,
                AttemptRow.id != attempt.id,
                AttemptRow.prover.is_(None),
            )
        )
        if cause.code is CauseCode.FALSE_PROOF and any(old and old["code"] == cause.code for old in earlier):
            return Cause(code=CauseCode.UNSATISFIED_CIRCUIT, message=cause.message)
    if attempt.number >= max_attempts:
        return Cause(
            code=CauseCode.ATTEMPTS_EXHAUSTED,
            message=f"none of {attempt.number} attempts gave a valid proof; the last: {cause.code}: {cause.message}"[
                :2000
            ],
        )
    return None


def withdraw(session: Session, request_id: str, now: float) -> None:
    """End the live attempt of a request that ended without it."""
    attempt = live_attempt(session, request_id)
    if attempt is not None:
        cause = Cause(code=CauseCode.REQUEST_ENDED, message="the request ended before this attempt")
        values = {"cause": cause.model_dump(mode="json"), "finished_at": now}
        was = attempt.state
        if move_attempt(session, attempt.id, attempt.token, was, AttemptState.WITHDRAWN, **values):
            attempt_withdrawn(session, attempt, was, now)
