"""A judge that may die: ``python -m proofgrid.network.judging`` with limits, watched over one channel and replaced."""

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from pydantic import ValidationError

from proofgrid.config import NetworkConfig
from proofgrid.errors import BackendUnavailable
from proofgrid.models import Cause, CauseCode
from proofgrid.network.judging.cases import Case, JudgeFailed, Key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.judging.child import Child

log = logging.getLogger(__name__)

PROGRAM = "proofgrid.network.judging"
_MAX_REPLY_BYTES = 1 << 20
_SAYS = frozenset({CauseCode.INVALID_PROOF, CauseCode.INPUTS_MISMATCH, CauseCode.VERIFIER_FAILED})


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
        self._child: Child | None = None
        self.starts = 0

    @classmethod
    def of(cls, config: NetworkConfig) -> "JudgeProcess":
        """With the limits of a network's settings."""
        return cls(memory_bytes=config.limits.verify_memory_bytes, timeout_s=config.timing.verify_timeout_s)

    @property
    def pid(self) -> int | None:
        """The living child's process id."""
        return None if self._child is None else self._child.pid

    @property
    def detail(self) -> str:
        """Where the verdicts come from, in words."""
        return "not running" if self._child is None else f"process {self.pid}, {self._child.backend} kernels"

    def judge(self, key: Key, cases: Sequence[Case]) -> list[Cause | None]:
        """One opinion a case. Cost beside the verification: one round trip, two for a key that the child has not."""
        with self._turn:
            child = self._ready()
            ends_at = time.monotonic() + self._timeout_s
            try:
                return self._ask(child.channel, key, cases, ends_at)
            except BrokenChannel as error:
                self._child, words = None, child.end(str(error))
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

    def _ready(self) -> Child:
        """The living child, a new one where there is none."""
        if self._is_closed:
            raise BackendUnavailable("the verifier was stopped")
        if self._child is not None and self._child.pid is None:
            log.warning("the verifier's process ended while nobody asked it: %s", self._child.end())
            self._child = None
        if self._child is None:
            self.starts += 1
            self._child = Child(self._program, memory_bytes=self._memory_bytes, timeout_s=self._timeout_s)
        return self._child

    def __enter__(self) -> "JudgeProcess":
        with self._turn:
            self._ready()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_closed = True
        if self._child is not None:
            self._child.kill()  # who waits for its answer now sees its end
        with self._turn:
            if self._child is not None:
                self._child.end()
                self._child = None


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
