"""The reap loop: silent workers lose their lease, late requests end, sealed witnesses are forgotten."""

from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment
from proofgrid.network.attempts import end_attempt
from proofgrid.network.database import AttemptRow, CircuitRow, Database, RequestRow
from proofgrid.network.holdings import forget
from proofgrid.network.locks import artifact_lock, lock, lock_requests
from proofgrid.network.requests import expire
from proofgrid.prover.artifacts import ArtifactStore

_OPEN = tuple(state for state in Fulfilment if not state.is_terminal)
_ENDED = tuple(state for state in Fulfilment if state.is_terminal)


def reap_silent(database: Database, config: NetworkConfig, now: float) -> int:
    """End attempts whose worker has been silent too long; their requests go on. Their number."""
    silent_since = now - config.timing.heartbeat_timeout_s
    silent = select(AttemptRow).where(AttemptRow.state == AttemptState.RUNNING, AttemptRow.heartbeat_at < silent_since)
    if not _any(database, silent):
        return 0
    with database.writing() as session:
        lock_requests(session, session.scalars(silent.with_only_columns(AttemptRow.request_id)))
        attempts = session.scalars(silent).all()
        for attempt in attempts:
            cause = Cause(
                code=CauseCode.WORKER_LOST,
                message=f"worker {attempt.worker} was silent for {config.timing.heartbeat_timeout_s:g} s",
            )
            end_attempt(session, attempt, AttemptState.LOST, cause, max_attempts=config.max_attempts, now=now)
        return len(attempts)


def expire_late(database: Database, now: float) -> int:
    """End open requests whose deadline has passed; their number."""
    late = select(RequestRow).where(RequestRow.fulfilment.in_(_OPEN), RequestRow.deadline_at <= now)
    if not _any(database, late):
        return 0
    with database.writing() as session:
        lock_requests(session, session.scalars(late.with_only_columns(RequestRow.id)))
        return sum(expire(session, row, now) for row in session.scalars(late).all())


def purge_sealed(database: Database, store: ArtifactStore, config: NetworkConfig, now: float) -> int:
    """Delete sealed witnesses that no open or recent request needs; number of requests that were settled so."""
    ended = select(RequestRow).where(
        RequestRow.fulfilment.in_(_ENDED),
        RequestRow.sealed_purged.is_(False),
        RequestRow.updated_at < now - config.timing.sealed_retention_s,
    )
    if not _any(database, ended):
        return 0
    with database.writing() as session:
        digests = session.scalars(ended.with_only_columns(RequestRow.sealed_digest))
        lock(session, *(artifact_lock(digest) for digest in digests))
        old = session.scalars(ended).all()
        for digest in {row.sealed_digest for row in old}:
            needed = session.scalar(
                select(RequestRow.id)
                .where(RequestRow.sealed_digest == digest, RequestRow.id.not_in([row.id for row in old]))
                .where(RequestRow.sealed_purged.is_(False))
                .limit(1)
            )
            if needed is None and not _is_ours(session, digest):
                forget(session, store, digest)
        ids = [row.sequence for row in old]
        session.execute(update(RequestRow).where(RequestRow.sequence.in_(ids)).values(sealed_purged=True))
        return len(old)


def _is_ours(session: Session, digest: str) -> bool:
    """Is this a circuit's file or a proof? Requesters name what they send: any artifact whose digest they know."""
    circuit = select(CircuitRow.id).where(or_(CircuitRow.zkey_digest == digest, CircuitRow.wasm_digest == digest))
    proof = select(AttemptRow.id).where(AttemptRow.result_digest == digest)
    return any(session.execute(rows.limit(1)).first() is not None for rows in (circuit, proof))


def _any(database: Database, rows: Select[Any]) -> bool:
    """Is there anything to do? Asked without SQLite's write lock, which most ticks can do without."""
    with database.reading() as session:
        return session.execute(rows.limit(1)).first() is not None
