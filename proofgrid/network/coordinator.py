"""The coordinator's loops: dispatch, verify, settle, reap. Each is a plain function called again and again.

A loop ticks when its interval has passed or its bell rings, writes down each tick that went well (health reads
that, not a process id), and outlives every error: it backs off and tries again.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from sqlalchemy import select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import ProofgridError
from proofgrid.models import Component
from proofgrid.network import dispatch, holdings, provers, reap, settle, verify
from proofgrid.network.admission import challenges, slashing
from proofgrid.network.admission.examiner import Examiner
from proofgrid.network.broker import Broker
from proofgrid.network.chain import Chain
from proofgrid.network.database import Database, LoopRow
from proofgrid.network.judging.cases import Judge, JudgeHere
from proofgrid.network.market import price_index, unclaimed, usage
from proofgrid.network.market.board import Fleet
from proofgrid.network.market.waiting import WaitingRoom
from proofgrid.network.uploads import Uploads
from proofgrid.network.workers import last_heartbeat
from proofgrid.prover.artifacts import ArtifactStore

log = logging.getLogger(__name__)

LOOPS = ("dispatch", "verify", "settle", "reap")
STALE_AFTER_S = {"dispatch": 15.0, "verify": 60.0, "settle": 120.0, "reap": 15.0}
"""A loop that had no good tick for so long is not ready; settling waits for confirmations."""

_NOTE_EVERY_S = 1.0
_MAX_BACKOFF_S = 10.0
_REST_S = 0.05
"""Between two ticks, however often the bell rings: one tick then serves all who rang."""


@dataclass
class Coordinator:
    """Everything the loops need; ``run_…`` are one tick each, idempotent, and give the number of things done."""

    database: Database
    store: ArtifactStore
    broker: Broker
    chain: Chain
    config: NetworkConfig
    prover: bytes
    """The fleet's ed25519 public key, which leaves name."""
    gateway_url: str
    judge: Judge = field(default_factory=JudgeHere)
    """Who verifies; a network that strangers reach wants a ``JudgeProcess``."""
    room: WaitingRoom = field(default_factory=WaitingRoom)
    examiner: Examiner | None = None
    """Poses challenges to provers of other operators; None: nobody is asked."""
    clock: Callable[[], float] | None = None
    """Says when a verdict was reached, since verifying takes time; None takes the tick's own time."""

    def run_dispatch(self, now: float) -> int:
        """Waiting requests into attempts, attempts into the queue, lost ones again."""
        usage.close_ended(self.database, now)
        unclaimed.take_back(self.database, self.config, now)
        dispatch.assign(self.database, self.config, self.prover.hex(), now, room=self.room)
        price_index.advance(self.database, self.config, Fleet(self.prover.hex(), dispatch.MAX_OUTSTANDING), now)
        dispatch.put_back_lost(self.database, self.config, self.broker, now)
        return dispatch.send(self.database, self.broker, self.gateway_url, self.prover.hex(), now)

    def run_verify(self, now: float) -> int:
        return verify.verify_submitted(self.database, self.store, self.judge, self.config, self.clock or (lambda: now))

    def run_settle(self, now: float) -> int:
        if isinstance(self.chain, slashing.Court):
            slashing.send_due(self.database, self.chain, now)
        return settle.settle(self.database, self.store, self.chain, self.config, self.prover, now)

    def run_reap(self, now: float) -> int:
        """Silent workers, late requests, old witnesses."""
        done = reap.reap_silent(self.database, self.config, now) + reap.expire_late(self.database, now)
        reap.purge_sealed(self.database, self.store, self.config, now)
        if self.examiner is not None:
            done += challenges.tend(self.database, self.examiner, now)
        provers.prune(self.database, now)
        holdings.sweep(self.database, self.store, self.config, now)
        Uploads(self.database, self.store, self.config).expire(now)
        return done


class Loop:
    """One function in a thread of its own, called at an interval and whenever its bell rings."""

    def __init__(self, name: str, tick: Callable[[float], int], database: Database, interval_s: float) -> None:
        self.name = name
        self._tick, self._database, self._interval_s = tick, database, interval_s
        self._bell, self._stop = threading.Event(), threading.Event()
        self._noted_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"loop-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """Tick soon."""
        self._bell.set()

    def stop(self) -> None:
        """Ask the loop to end after its tick."""
        self._stop.set()
        self._bell.set()

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        pause_s = self._interval_s
        while not self._stop.is_set():
            self._bell.clear()
            try:
                self._tick(time.time())
                self._note(None)
                pause_s = self._interval_s
            except Exception as error:  # a loop outlives any error; health shows it
                pause_s = min(_MAX_BACKOFF_S, 2 * pause_s)
                expected = isinstance(error, ProofgridError)
                log.warning("loop %s: %s", self.name, error, exc_info=None if expected else error)
                self._note(f"{type(error).__name__}: {error}")
                self._stop.wait(min(pause_s, _MAX_BACKOFF_S) - self._interval_s)
            self._stop.wait(min(_REST_S, self._interval_s))
            self._bell.wait(self._interval_s)

    def _note(self, error: str | None) -> None:
        """Write down a good tick (at most once a second), or why the last one failed."""
        now = time.time()
        if error is None and now - self._noted_at < _NOTE_EVERY_S:
            return
        self._noted_at = now if error is None else 0.0
        try:
            with self._database.writing() as session:
                row = session.get(LoopRow, self.name) or LoopRow(name=self.name, ticked_at=0.0)
                row.ticked_at, row.error = (now, None) if error is None else (row.ticked_at, error)
                session.add(row)
        except Exception as trouble:  # noqa: BLE001  # the database is away; the tick said so already
            log.warning("loop %s could not write down its tick: %s", self.name, trouble)


class Loops:
    """The coordinator's four loops in this process; a context manager."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator, interval_s = coordinator, coordinator.config.timing.loop_interval_s
        ticks = {
            "dispatch": coordinator.run_dispatch,
            "verify": self._verify,
            "settle": coordinator.run_settle,
            "reap": coordinator.run_reap,
        }
        self._loops = {name: Loop(name, ticks[name], coordinator.database, interval_s) for name in LOOPS}

    def ring(self, name: str) -> None:
        """There is something to do for this loop."""
        self._loops[name].ring()

    def _verify(self, now: float) -> int:
        """A verdict frees its prover for the next request."""
        done = self._coordinator.run_verify(now)
        if done:
            self.ring("dispatch")
        return done

    def __enter__(self) -> "Loops":
        for loop in self._loops.values():
            loop.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for loop in self._loops.values():
            loop.stop()
        for loop in self._loops.values():
            loop.join(timeout_s=15)


def components(session: Session, config: NetworkConfig, now: float) -> list[Component]:
    """The loops and the workers, ready or not by what they last did."""
    rows = {row.name: row for row in session.scalars(select(LoopRow))}
    found = []
    for name in LOOPS:
        row = rows.get(name)
        ready = row is not None and row.error is None and row.ticked_at >= now - STALE_AFTER_S[name]
        detail = "has not run yet" if row is None else row.error or ""
        found.append(
            Component(name=f"loop {name}", ready=ready, last_tick_at=row.ticked_at if row else None, detail=detail)
        )
    heard = last_heartbeat(session)
    alive = heard is not None and heard >= now - config.timing.worker_timeout_s
    detail = "" if alive else "no worker has been heard of lately; start one with: proofgrid worker"
    return [*found, Component(name="workers", ready=alive, last_tick_at=heard, detail=detail)]
