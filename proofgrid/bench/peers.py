"""A peer: another program measured beside ours, turn by turn.

The protocol, for whoever wraps one: the command is started once with the case in its arguments,

    COMMAND msm|ntt|groth16|verify --log-n N --threads T --curve bn254|bls12_381 --group g1|g2
            [--zkey FILE --witness FILE] [--verifying-key FILE --public FILE --proof FILE]

and then gets one line on its standard input for each run. It answers each with one line, the seconds that this run
took, as a decimal number, and ends when its input does. It prepares its inputs before the first answer, which is a
warm-up and not counted. Messages belong on standard error. What it cannot do it refuses by ending with another status
than 0 and the reason there.
"""

import os
import select
import shlex
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Self

from proofgrid.errors import BackendUnavailable, MalformedInput

TIMEOUT_S = 900.0
_TAIL = 600


def parse_peers(words: list[str]) -> dict[str, str]:
    """``NAME=COMMAND`` as a mapping; raises :class:`MalformedInput`."""
    commands: dict[str, str] = {}
    for word in words:
        name, equals, command = word.partition("=")
        if not (name and equals and command.strip()):
            raise MalformedInput(f"--peer {word!r}: expected NAME=COMMAND")
        if name in commands or name == "proofgrid":
            raise MalformedInput(f"--peer {word!r}: the name {name} is taken")
        commands[name] = command
    return commands


class PeerFailed(BackendUnavailable):
    """A peer did not start, refused the case, broke down or answered nonsense; ``name`` says which."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"peer {name}: {what}")
        self.name = name


class Peer:
    """A running peer; use it as a context. Raises :class:`PeerFailed` with the peer's last words."""

    def __init__(self, name: str, command: str, arguments: list[str], *, timeout_s: float = TIMEOUT_S) -> None:
        self.name = name
        self._words = [*shlex.split(command), *arguments]
        self._timeout_s = timeout_s
        self._pending = b""

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
            )
        except OSError as error:
            self._errors.close()
            raise PeerFailed(self.name, f"cannot start {self._words[0]}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        try:
            process.wait(timeout=5 if kind is None else 0.2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._errors.close()

    def run(self) -> float:
        """The seconds of one more run."""
        assert self._process.stdin
        try:
            self._process.stdin.write(b"\n")
        except BrokenPipeError:
            raise self._failure("it ended") from None
        line = self._read_line().decode(errors="replace").strip()
        try:
            seconds = float(line)
        except ValueError:
            raise self._failure(f"it answered {line[:80]!r}, not a number of seconds") from None
        if not 0 < seconds < float("inf"):
            raise self._failure(f"it answered {line}, not a time")
        return seconds

    def _read_line(self) -> bytes:
        assert self._process.stdout
        output, deadline = self._process.stdout.fileno(), time.monotonic() + self._timeout_s
        while b"\n" not in self._pending:
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self._failure(f"it was silent for {self._timeout_s:.0f} s")
            chunk = os.read(output, 1 << 16)
            if not chunk:
                raise self._failure("it ended")
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _failure(self, what: str) -> PeerFailed:
        try:
            status = f" with status {self._process.wait(timeout=1)}"
        except subprocess.TimeoutExpired:
            status = ""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        words = self._errors.read().decode(errors="replace").strip()
        said = f"; it said: {words}" if words else "; it said nothing on standard error"
        return PeerFailed(self.name, f"{what}{status}{said}")
