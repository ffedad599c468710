"""Locks that end with the transaction, so that what it read is still true when it writes.

SQLite has one writer, so a writing transaction holds them all from its beginning. PostgreSQL runs them side by side
(READ COMMITTED): whoever decides by what it read takes the lock first and reads afterwards. The order is fixed, which
keeps deadlocks away: a request (several by their sequence), then its attempts, then a worker.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from proofgrid.network.database import AttemptRow, RequestRow


def lock(session: Session, *names: str) -> None:
    """Nobody else holds one of these names; for what has no row yet, or is no row. Taken in one order."""
    if _is_alone(session):
        return
    for key in sorted(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in set(names)):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def artifact_lock(digest: str) -> str:
    """The name that whoever names an artifact, or deletes it, locks before it looks whether it is there."""
    return f"artifact {digest}"


def lock_requests(session: Session, identities: Iterable[str]) -> None:
    """Nobody else moves these requests or their attempts; rows read before may be stale: read them again."""
    if _is_alone(session):
        return
    rows = select(RequestRow.sequence).where(RequestRow.id.in_(set(identities))).order_by(RequestRow.sequence)
    session.execute(rows.with_for_update(key_share=True))


def lock_request_of(session: Session, attempt_id: str) -> None:
    """As :func:`lock_requests` for an attempt's request; an unknown attempt locks nothing."""
    if _is_alone(session):
        return
    identity = session.scalar(select(AttemptRow.request_id).where(AttemptRow.id == attempt_id))
    if identity is not None:
        lock_requests(session, [identity])


def _is_alone(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
