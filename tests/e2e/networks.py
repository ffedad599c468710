"""Embedded networks on free ports, and what lies in their databases."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from proofgrid.config import NetworkConfig, Timing
from proofgrid.gateway.embedded import Network, Station, WorkerOptions
from proofgrid.models import AttemptState, BatchState
from proofgrid.network.database import AttemptRow, BatchRow, LeafRow

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
STEPS = VECTORS / "bn254"
WAIT_S = 60.0
QUICK = Timing(heartbeat_s=0.2, heartbeat_timeout_s=1.5, batch_age_s=0.1, loop_interval_s=0.2, resend_after_s=2.0)


@contextmanager
def network(
    folder: Path, *, workers: int = 1, threads: int = 0, stations: list[Station] | None = None, **settings: Any
) -> Iterator[Network]:
    config = NetworkConfig(state_folder=folder, port=0, **{"timing": QUICK, **settings})
    on_station = None if stations is None else stations.append
    with Network(config, worker=WorkerOptions(count=workers, threads=threads), on_station=on_station) as running:
        yield running


def until(condition: Callable[[], object], timeout_s: float = WAIT_S) -> None:
    ends_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_at, f"it did not happen within {timeout_s:g} s"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Does the process exist, and is it more than a zombie?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> set[int]:
    """Process ids of the living children."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def leaves_of(running: Network, request_id: str) -> list[LeafRow]:
    with running.database.reading() as session:
        return list(session.scalars(select(LeafRow).where(LeafRow.request_id == request_id)))


def n_leaves_on_chain(running: Network) -> int:
    """Leaves of all the batches that this network's chain holds."""
    with running.database.reading() as session:
        committed = select(func.sum(BatchRow.n_leaves)).where(
            BatchRow.state.in_((BatchState.COMMITTED, BatchState.FINAL))
        )
        return session.scalar(committed) or 0


def latest_attempt(running: Network, request_id: str) -> AttemptRow | None:
    with running.database.reading() as session:
        newest = select(AttemptRow).where(AttemptRow.request_id == request_id).order_by(AttemptRow.number.desc())
        return session.scalar(newest.limit(1))


def sent_attempt(running: Network, request_id: str) -> AttemptRow:
    """The request's newest attempt, once it is in the task queue or beyond."""

    def is_sent() -> bool:
        found = latest_attempt(running, request_id)
        return found is not None and found.state is not AttemptState.QUEUED

    until(is_sent)
    found = latest_attempt(running, request_id)
    assert found is not None
    return found
