"""Every move that a status may make, in one table, and the compare-and-set that makes it.

A move names the state it starts from; if the row is no longer there, nothing changes and the caller is told.
So two coordinators, a late worker and a reaper may all act on one row: one wins.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Verification
from proofgrid.network.database import AttemptRow, BatchRow, RequestRow

_F, _V, _S, _A, _B = Fulfilment, Verification, Settlement, AttemptState, BatchState

# By enum first: members of two enums with the same word are equal as strings.
MOVES: Mapping[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]] = {
    Fulfilment: {
        _F.REQUESTED: frozenset({_F.ASSIGNED, _F.UNFULFILLABLE, _F.EXPIRED, _F.CANCELLED}),
        _F.ASSIGNED: frozenset({_F.PROVING, _F.REQUESTED, _F.UNFULFILLABLE, _F.EXPIRED, _F.CANCELLED}),
        _F.PROVING: frozenset({_F.FULFILLED, _F.REQUESTED, _F.UNFULFILLABLE, _F.EXPIRED}),
    },
    Verification: {
        _V.UNVERIFIED: frozenset({_V.VALID, _V.INVALID}),
        _V.INVALID: frozenset({_V.VALID, _V.INVALID}),  # a later attempt may still give a true proof
    },
    Settlement: {
        _S.UNSETTLED: frozenset({_S.COMMITTED, _S.REFUNDED}),
        _S.COMMITTED: frozenset({_S.SETTLED, _S.DISPUTED}),
        _S.DISPUTED: frozenset({_S.SETTLED, _S.REFUNDED}),
    },
    AttemptState: {
        _A.QUEUED: frozenset({_A.SENT, _A.RUNNING, _A.WITHDRAWN}),  # running: claimed before "sent" was written
        _A.SENT: frozenset({_A.QUEUED, _A.RUNNING, _A.WITHDRAWN}),  # queued: put back, to be sent again
        _A.RUNNING: frozenset({_A.SUBMITTED, _A.FAILED, _A.LOST, _A.WITHDRAWN}),
        _A.SUBMITTED: frozenset({_A.ACCEPTED, _A.REFUSED, _A.WITHDRAWN}),
    },
    BatchState: {
        _B.BUILT: frozenset({_B.COMMITTED, _B.ABANDONED}),
        _B.COMMITTED: frozenset({_B.FINAL}),
    },
}


def require_allowed(old: StrEnum, new: StrEnum) -> None:
    """Raise ``ValueError`` (a defect of ours, never an input's) for a move that the table lacks."""
    if type(old) is not type(new) or new not in MOVES[type(old)].get(old, frozenset()):
        raise ValueError(f"{type(old).__name__} may not move from {old} to {new}")


def move_fulfilment(session: Session, request_id: str, old: Fulfilment, new: Fulfilment, **values: Any) -> bool:
    """Did the request move from ``old`` to ``new``?"""
    return _move(session, RequestRow.fulfilment, RequestRow.id == request_id, old, new, values)


def move_fulfilments(
    session: Session, request_ids: Collection[str], old: Fulfilment, new: Fulfilment, **values: Any
) -> set[str]:
    """Which of these requests moved from ``old`` to ``new``, in one statement."""
    require_allowed(old, new)
    statement = (
        update(RequestRow)
        .where(RequestRow.id.in_(request_ids), RequestRow.fulfilment == old)
        .values(fulfilment=new, **values)
        .returning(RequestRow.id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def move_verification(session: Session, request_id: str, old: Verification, new: Verification, **values: Any) -> bool:
    return _move(session, RequestRow.verification, RequestRow.id == request_id, old, new, values)


def move_settlement(session: Session, request_id: str, old: Settlement, new: Settlement, **values: Any) -> bool:
    return _move(session, RequestRow.settlement, RequestRow.id == request_id, old, new, values)


def move_attempt(
    session: Session, attempt_id: str, token: str, old: AttemptState, new: AttemptState, **values: Any
) -> bool:
    """Did the attempt move? A token that is not its own moves nothing."""
    where = (AttemptRow.id == attempt_id) & (AttemptRow.token == token)
    return _move(session, AttemptRow.state, where, old, new, values)


def move_batch(session: Session, batch_id: int, old: BatchState, new: BatchState, **values: Any) -> bool:
    return _move(session, BatchRow.state, BatchRow.id == batch_id, old, new, values)


def _move(
    session: Session,
    column: InstrumentedAttribute[Any],
    where: ColumnElement[bool],
    old: StrEnum,
    new: StrEnum,
    values: Mapping[str, Any],
) -> bool:
    require_allowed(old, new)
    statement = update(column.class_).where(where, column == old).values({column.key: new, **values})
    result = cast(CursorResult[Any], session.execute(statement, execution_options={"synchronize_session": "fetch"}))
    return result.rowcount == 1
