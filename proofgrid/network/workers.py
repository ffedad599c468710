"""Which workers live, by their last heartbeat."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from proofgrid.models import WorkerPulse
from proofgrid.network.database import WorkerRow
from proofgrid.network.locks import lock


def record_pulse(session: Session, name: str, pulse: WorkerPulse, now: float) -> None:
    """A worker says what it is and that it lives."""
    lock(session, f"worker {name}")
    session.merge(WorkerRow(name=name, **pulse.model_dump(exclude={"fleet_key"}), heartbeat_at=now))


def touch(session: Session, name: str, now: float) -> None:
    """A sign of life in passing (a claim, a lease's heartbeat) of a worker that has introduced itself."""
    row = session.get(WorkerRow, name)
    if row is not None:
        row.heartbeat_at = now


def live_workers(session: Session, *, since: float) -> list[str]:
    """Names of the workers heard of after ``since``."""
    return list(session.scalars(select(WorkerRow.name).where(WorkerRow.heartbeat_at >= since)))


def last_heartbeat(session: Session) -> float | None:
    return session.scalar(select(WorkerRow.heartbeat_at).order_by(WorkerRow.heartbeat_at.desc()).limit(1))


def heard_of(session: Session, name: str) -> float | None:
    """When this worker was last heard of."""
    row = session.get(WorkerRow, name)
    return None if row is None else row.heartbeat_at
