"""Progress and cancellation of a running kernel, shared with any backend through three words of memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from proofgrid.errors import Cancelled


class Control:
    """A handle that one thread passes into a kernel and another reads or cancels.

    ``words`` is ``uint64[3]``: cancel flag, steps done, steps in total. Native code reads and writes it with
    relaxed atomics between windows, so a cancel takes effect within one window (milliseconds), not at once.
    ``threads`` is the number of threads a kernel may use; 0 means one for each core.
    """

    def __init__(self, threads: int = 0) -> None:
        self.words = np.zeros(3, dtype=np.uint64)
        self.threads = threads
        self._part: tuple[Control, int] | None = None

    def cancel(self) -> None:
        self.words[0] = 1
        if (part := self._part) is not None:
            part[0].cancel()

    @property
    def cancelled(self) -> bool:
        return bool(self.words[0])

    @property
    def fraction(self) -> float:
        """Share of the announced steps that is done, 0.0 to 1.0."""
        done, total, part = float(self.words[1]), int(self.words[2]), self._part
        if part is not None:
            done += part[0].fraction * part[1]
        return min(1.0, done / total) if total else 0.0

    @contextmanager
    def share(self, steps: int) -> Iterator["Control"]:
        """A control for a part of the work that is worth ``steps`` announced steps of this one, one part at a time."""
        part = Control(self.threads)
        self._part = (part, steps)
        try:
            self.check()  # after the part is known: a cancel before it is seen here, one after it reaches the part
            yield part
        finally:
            self._part = None
        self.step(steps)

    def expect(self, steps: int) -> None:
        """Announce ``steps`` more steps to come."""
        self.words[2] += np.uint64(steps)

    def step(self, steps: int = 1) -> None:
        """Count steps as done; raises :class:`Cancelled` if the caller asked to stop."""
        self.words[1] += np.uint64(steps)
        self.check()

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled("the computation was cancelled by its caller")
