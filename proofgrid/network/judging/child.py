"""A child process of ours for work that may kill it: no secrets, limits, one channel, gone when we are."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from proofgrid.errors import BackendUnavailable
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.leash import leashed

START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 5.0
_LAST_WORDS_BYTES = 1 << 16
_MAX_GREETING_BYTES = 1 << 10
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PROOFGRID_ISA")


class Child:
    """``python -m program MEMORY_BYTES CPU_S``, started and ready; its standard output is the channel.

    The thread that starts it must live as long as the child should (see ``leash``). ``stdin`` is a descriptor that it
    may read. Raises :class:`BackendUnavailable` if it does not say ready.
    """

    def __init__(self, program: str, *, memory_bytes: int, timeout_s: float, stdin: int = subprocess.DEVNULL) -> None:
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        cpu_s = int(timeout_s + 1) * (os.cpu_count() or 1)
        with theirs:
            self._process = subprocess.Popen(
                leashed([sys.executable, "-P", "-m", program, str(memory_bytes), str(cpu_s)]),
                env=_environment(),
                cwd="/",
                stdin=stdin,
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        try:
            ends_at = time.monotonic() + START_TIMEOUT_S
            self.backend = str(self.channel.receive_json(limit=_MAX_GREETING_BYTES, ends_at=ends_at)["ready"])
        except (BrokenChannel, TypeError, KeyError) as error:
            raise BackendUnavailable(f"the verifier's process does not start: {self.end(str(error))}") from error

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._process.pid if self._process.poll() is None else None

    def kill(self) -> None:
        """At once, with whatever it started; whoever waits for its answer sees its end."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self, words: str = "") -> str:
        """Kill it if it lives, and wait for it; ``words`` and how it ended. Harmless when it has ended."""
        self.channel.close()
        process = self._process
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2 if words == "it ended" else 0)  # its own end says more than our kill
        was_alive = process.poll() is None
        self.kill()
        process.wait(_STOP_TIMEOUT_S)
        said = b""
        if process.stderr is not None and not process.stderr.closed:
            with process.stderr:
                said = os.read(process.stderr.fileno(), _LAST_WORDS_BYTES)
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        end = "killed by us" if was_alive else _end_of(process.returncode)
        return f"{words} ({'; '.join([end, *(line[:200] for line in last)])})"


def _environment() -> dict[str, str]:
    """What Python needs to find this package, and nothing else: secrets come in environments."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    # Arenas and BLAS threads reserve address space that the limit counts.
    return {**kept, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}


def _end_of(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-status).name}"
    return f"signal {-status}"
