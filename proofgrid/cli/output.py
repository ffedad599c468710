"""How the commands speak: people read stderr and a summary, machines read one JSON object on stdout."""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from proofgrid.errors import (
    BackendUnavailable,
    Cancelled,
    InvalidProof,
    MalformedInput,
    ProofgridError,
    QueueError,
    SettlementError,
    UnsatisfiedCircuit,
)

if TYPE_CHECKING:
    from proofgrid.kernels.control import Control

T = TypeVar("T")

INTERRUPTED, DEFECT = 130, 70


class MissingPackage(ProofgridError):
    """A command of the node in an environment that has the files' commands only."""

    code = "missing_package"


EXIT_CODES: dict[type[ProofgridError], int] = {
    InvalidProof: 1,
    UnsatisfiedCircuit: 1,
    MalformedInput: 2,
    BackendUnavailable: 3,
    QueueError: 3,
    SettlementError: 3,
    MissingPackage: 3,
    Cancelled: INTERRUPTED,
}
"""1: the answer is no. 2: bad input or usage. 3: something this command needs is not there. 4: any other refusal.
70: a defect. 130: interrupted."""


def exit_code(error: ProofgridError) -> int:
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return 4


class Output:
    """Where a command's words go; one for each run of the program."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, text: str) -> None:
        """A line for a person; nothing with ``--json``."""
        if not self.as_json:
            print(text, flush=True)  # noqa: T201 - this module is where printing happens

    def note(self, text: str) -> None:
        """A line on stderr, in both modes."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    def result(self, facts: Mapping[str, Any], text: str) -> None:
        """The command's answer: ``facts`` as one JSON object, or ``text``."""
        print(json.dumps(facts) if self.as_json else text, flush=True)  # noqa: T201

    def failure(self, error: ProofgridError) -> None:
        """The error: as JSON on stdout, or as ``error: …`` on stderr."""
        facts = {"code": error.code, "message": str(error), "retryable": error.retryable}
        if self.as_json:
            print(json.dumps({"error": facts}), flush=True)  # noqa: T201
        else:
            self.note(f"error: {error}")


def require_folders(*files: Path) -> None:
    """Raise :class:`MalformedInput` if one cannot be written for want of its folder: before long work, not after."""
    for file in files:
        if not file.absolute().parent.is_dir():
            raise MalformedInput(f"{file}: there is no folder {file.absolute().parent}; make it first")


def run_with_progress(label: str, work: "Callable[[Control], T]", *, threads: int = 0) -> tuple[T, float]:
    """Run ``work`` in a thread, show its progress on a terminal's stderr, and give its result and seconds.

    Ctrl-C cancels the computation between two windows and raises :class:`~proofgrid.errors.Cancelled`.
    """
    from proofgrid.kernels.control import Control  # numpy: not for --help

    control = Control(threads=threads)
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work(control))
        except BaseException as error:  # noqa: BLE001 - carried to the calling thread
            failure.append(error)
        finally:
            done.set()

    # Not by joining: a join that Ctrl-C interrupts may take the thread for ended (CPython 3.11).
    done = threading.Event()
    thread = threading.Thread(target=run, name=label, daemon=True)
    start = time.perf_counter()
    thread.start()
    on_terminal = sys.stderr.isatty()
    while not done.is_set():
        try:
            done.wait(0.1)
        except KeyboardInterrupt:
            control.cancel()
        if on_terminal:
            seconds = time.perf_counter() - start
            sys.stderr.write(f"\r{label} {100 * control.fraction:3.0f} %  {seconds:5.1f} s\x1b[K")
            sys.stderr.flush()
    if on_terminal:
        sys.stderr.write("\r\x1b[K")
    if failure:
        raise failure[0]
    return answer[0], time.perf_counter() - start
