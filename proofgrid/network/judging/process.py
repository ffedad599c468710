"""A judge that may die: ``python -m proofgrid.network.judging`` with limits, watched over one channel and replaced."""

import contextlib
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from proofgrid.config import NetworkConfig
from proofgrid.errors import BackendUnavailable
from proofgrid.models import Cause, CauseCode
from proofgrid.network.judging.cases import Case, JudgeFailed, Key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.leash import leashed

log = logging.getLogger(__name__)

PROGRAM = "proofgrid.network.judging"
START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 5.0
_MAX_REPLY_BYTES = 1 << 20
_SAYS = frozenset({CauseCode.INVALID_PROOF, CauseCode.INPUTS_MISMATCH, CauseCode.VERIFIER_FAILED})
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PROOFGRID_ISA")


class JudgeProcess:
    """A ``Judge`` in a child process; a context manager that returns when the child has shown that it can judge.

    The child has no secrets in its environment, no descriptor but its channel, ``memory_bytes`` of address space, and
    ``timeout_s`` for each question. One that dies, is late or talks nonsense is killed and the question raises
    :class:`JudgeFailed`; the next one starts another. Raises :class:`BackendUnavailable` where no child can start, and
    after the end. Several threads may ask; they take turns.
    """

    def __init__(self, *, memory_bytes: int, timeout_s: float, program: str = PROGRAM) -> None:
        self._memory_bytes, self._timeout_s, self._program = memory_bytes, timeout_s, program
        self._turn = threading.Lock()
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._backend = ""
        self.starts = 0

    @classmethod
    def of(cls, config: NetworkConfig) -> "JudgeProcess":
        """With the limits of a network's settings."""
        return cls(memory_bytes=config.limits.verify_memory_bytes, timeout_s=config.timing.verify_timeout_s)

    @property
    def pid(self) -> int | None:
        """The living child's process id."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def detail(self) -> str:
        """Where the verdicts come from, in words."""
        return f"process {self.pid}, {self._backend} kernels"

    def judge(self, key: Key, cases: Sequence[Case]) -> list[Cause | None]:
        """One opinion a case. Cost beside the verification: one round trip, two for a key that the child has not."""
        with self._turn:
            channel = self._ready()
            ends_at = time.monotonic() + self._timeout_s
            try:
                return self._ask(channel, key, cases, ends_at)
            except BrokenChannel as error:
                words = self._end(str(error))
        if self._is_closed:
            raise BackendUnavailable("the verifier was stopped")  # by us: that is nobody's failure
        log.warning("the verifier's process is replaced: %s", words)
        raise JudgeFailed(words)

    def _ask(self, channel: Channel, key: Key, cases: Sequence[Case], ends_at: float) -> list[Cause | None]:
        blobs, expected = [case.submission for case in cases], [case.expected for case in cases]
        for document in (None, dict(key.document)):
            question = {"digest": key.digest, "document": document, "expected": expected}
            channel.send(question, blobs, ends_at=ends_at)
            answer = channel.receive_json(limit=_MAX_REPLY_BYTES, ends_at=ends_at)
            if answer != {"unknown_key": True}:
                return _opinions(answer, len(cases))
        raise BrokenChannel("it says that it does not know the key that it was given")

    def _ready(self) -> Channel:
        """The living child's channel, of a new child where there is none."""
        if self._is_closed:
            raise BackendUnavailable("the verifier was stopped")
        if self._channel is not None and self.pid is not None:
            return self._channel
        self._end("")
        return self._start()

    def _start(self) -> Channel:
        ours, theirs = socket.socketpair()
        self._channel = channel = Channel(ours)
        self.starts += 1
        with theirs:
            self._process = subprocess.Popen(
                leashed([sys.executable, "-P", "-m", self._program, *self._arguments()]),
                env=_environment(),
                cwd="/",
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        try:
            answer = channel.receive_json(limit=_MAX_REPLY_BYTES, ends_at=time.monotonic() + START_TIMEOUT_S)
            self._backend = str(answer["ready"])
        except (BrokenChannel, TypeError, KeyError) as error:
            words = self._end(str(error))
            raise BackendUnavailable(f"the verifier's process does not start: {words}") from error
        return channel

    def _arguments(self) -> list[str]:
        cores = os.cpu_count() or 1
        return [str(self._memory_bytes), str(math.ceil(self._timeout_s) * cores + 1)]

    def _end(self, words: str) -> str:
        """Kill the child, if any, and wait for it; why it went, in words."""
        process, channel, self._process, self._channel = self._process, self._channel, None, None
        if channel is not None:
            channel.close()
        if process is None:
            return words
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2 if words == "it ended" else 0)  # its own end says more than our kill
        was_alive = process.poll() is None
        if was_alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_TIMEOUT_S)
        with process.stderr or contextlib.nullcontext() as stderr:
            said = b"" if stderr is None else os.read(stderr.fileno(), 1 << 16)
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        end = "killed by us" if was_alive else _end_of(process.returncode)
        return f"{words} ({'; '.join([end, *(line[:200] for line in last)])})"

    def __enter__(self) -> "JudgeProcess":
        with self._turn:
            self._ready()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_closed = True
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()  # who waits for its answer now sees its end
        with self._turn:
            self._end("")


def _opinions(answer: object, n: int) -> list[Cause | None]:
    """The child's reply, believed only as far as its form goes."""
    try:
        said = answer["opinions"]  # type: ignore[index]
        found = [None if one is None else Cause.model_validate(one) for one in said]
    except (TypeError, KeyError, ValidationError) as error:
        raise BrokenChannel("it answers with what is no opinion") from error
    if len(found) != n or any(cause is not None and cause.code not in _SAYS for cause in found):
        raise BrokenChannel(f"it answers with other opinions than asked for ({len(found)} of {n})")
    return found


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
