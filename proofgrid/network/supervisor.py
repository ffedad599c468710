"""Keeps one worker process alive: started again when it ends or hangs, ever more slowly while it does not last."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from proofgrid.network.leash import leashed

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LAST_PAUSE_S = 0.2, 30.0
LASTED_S = 20.0
"""A worker that lived so long is started again at once."""
STOP_TIMEOUT_S = 15.0
_WATCH_S = 0.2


class WorkerSupervisor:
    """One ``python -m proofgrid.prover.worker`` under watch; a context manager.

    ``hangs(pid, started_at)`` says that this worker has not been heard of for too long; then it is killed.
    """

    def __init__(
        self, environment: Mapping[str, str], log_file: Path, *, hangs: Callable[[int, float], bool] | None = None
    ) -> None:
        self._environment, self._log_file = dict(environment), log_file
        self._hangs = hangs or (lambda pid, started_at: False)
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # The leash is held by the thread that starts the child: this one lives as long as the child may.
        self._thread = threading.Thread(target=self._watch, name="worker-supervisor", daemon=True)
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The living worker's process id."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def last_words(self) -> str:
        """The end of the worker's log."""
        if not self._log_file.exists():
            return "no log yet"
        lines = self._log_file.read_text(errors="replace").splitlines()
        return " | ".join(lines[-3:])

    def __enter__(self) -> "WorkerSupervisor":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(timeout=STOP_TIMEOUT_S + 10)

    def _watch(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            started_at = time.time()
            self._process = self._start()
            while self._process.poll() is None and not self._stop.wait(_WATCH_S):
                if self._hangs(self._process.pid, started_at):
                    log.warning("worker %d hangs and is killed", self._process.pid)
                    self._process.kill()
            if self._stop.is_set():
                break
            pause_s = FIRST_PAUSE_S if time.time() - started_at > LASTED_S else min(LAST_PAUSE_S, 2 * pause_s)
            log.warning("the worker ended with %s; started again in %.1f s", self._process.returncode, pause_s)
            self._stop.wait(pause_s)
        self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self._log_file.open("ab") as output:
            return subprocess.Popen(
                leashed([sys.executable, "-m", "proofgrid.prover.worker"]),
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        if process.poll() is None:
            process.kill()
            process.wait(STOP_TIMEOUT_S)
