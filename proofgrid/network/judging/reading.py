"""``python -m proofgrid.network.judging.reading MEMORY_BYTES CPU_S``: reads one proving key that a stranger uploaded.

The key is its standard input, a file of which nothing is written; what it is goes out at the standard output.
"""

import mmap
import os
import socket
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from proofgrid.config import NetworkConfig
from proofgrid.errors import MalformedInput
from proofgrid.network.circuits import KeyFacts, read_key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.judging.child import Child
from proofgrid.network.judging.limits import allow_cpu, choose_backend, close_the_doors, limit

PROGRAM = "proofgrid.network.judging.reading"
MOST_AT_ONCE = 2
_BYTES_PER_S = 20e6
"""A pass over a key is 50 times as fast where the disk keeps up."""
_MAX_ANSWER_BYTES = 4 << 20


class KeyReader:
    """Reads keys, each in a child of its own; more than ``MOST_AT_ONCE`` wait for their turn."""

    def __init__(self, config: NetworkConfig, *, program: str = PROGRAM) -> None:
        self._memory_bytes = config.limits.verify_memory_bytes
        self._timeout_s, self._program = config.timing.verify_timeout_s, program
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)

    def __call__(self, path: Path) -> KeyFacts:
        """What the proving key is. Cost: the start of a process beside the reading.

        Raises :class:`MalformedInput`, also for one that the reader does not survive or that takes too long;
        :class:`BackendUnavailable` where no reader can start.
        """
        with self._turns, path.open("rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            timeout_s = self._timeout_s + n_bytes / _BYTES_PER_S
            memory_bytes = self._memory_bytes + n_bytes  # it is mapped whole
            child = Child(self._program, memory_bytes=memory_bytes, timeout_s=timeout_s, stdin=file.fileno())
            words = ""
            try:
                ends_at = time.monotonic() + timeout_s
                return _facts(child.channel.receive_json(limit=_MAX_ANSWER_BYTES, ends_at=ends_at))
            except BrokenChannel as error:
                words = str(error)
            finally:
                words = child.end(words)
        raise MalformedInput(
            f"the proving key could not be read within {timeout_s:.0f} s and {memory_bytes >> 20} MiB: {words}"
        )


def _facts(answer: Any) -> KeyFacts:
    if isinstance(answer, dict) and isinstance(answer.get("refused"), str):
        raise MalformedInput(answer["refused"][:2000])
    try:
        return KeyFacts(**answer)
    except TypeError as error:
        raise BrokenChannel("it answers with what is no key") from error


def _standard_input() -> memoryview:
    return memoryview(mmap.mmap(0, 0, access=mmap.ACCESS_READ) if os.fstat(0).st_size else b"")


def run(memory_bytes: int, cpu_s: int) -> None:
    channel = Channel(socket.socket(fileno=1))
    backend = choose_backend()
    limit(memory_bytes)
    allow_cpu(cpu_s)
    source = _standard_input()  # a mapping takes a descriptor of its own
    close_the_doors()
    channel.send({"ready": backend.name})
    try:
        facts = read_key(source, backend=backend)
    except MalformedInput as error:
        channel.send({"refused": str(error)})
    else:
        channel.send(asdict(facts))


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]))
