"""The node side: installs the pinned packages, runs their command lines, and keeps one process for many calls."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).parent
CACHE = FOLDER / ".cache"


class NodeUnavailable(Exception):
    """Node, npm or the packages are not there; the message says what is missing."""


class NodeError(Exception):
    """A call of a reference implementation ended in an error."""


def install(folder: Path = FOLDER) -> None:
    """``npm ci`` into ``folder/node_modules``, unless that was done from this very lock file."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        raise NodeUnavailable(f"{' and '.join(missing)} not found; install Node.js 20 or newer")
    stamp = folder / "node_modules" / ".installed-from"
    lock = digest(folder / "package-lock.json", folder / ".npmrc")
    if stamp.is_file() and stamp.read_text() == lock:
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise NodeUnavailable(f"npm ci failed in tests/{folder.name}: {done.stderr.strip()[-500:]}")
    stamp.write_text(lock)


def digest(*files: Path) -> str:
    """SHA-256 over the contents of files, in order, as hex."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def command(tool: str, *arguments: str | Path) -> str:
    """Run a package's command line in ``tests/interop``; its standard output, or :class:`NodeError`."""
    executable = FOLDER / "node_modules" / ".bin" / tool
    done = subprocess.run([executable, *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise NodeError(f"{tool} {' '.join(map(str, arguments))}: {(done.stdout + done.stderr).strip()[-1000:]}")
    return done.stdout


class Runner:
    """``runner.mjs`` behind a pipe: a call at a time, arguments and results are JSON."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", "runner.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def call(self, name: str, **arguments: Any) -> Any:
        """The call's result; :class:`NodeError` with the reference implementation's own message."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}, default=str) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NodeError(f"{name}: the node process ended with status {self._process.wait(timeout=30)}")
        answer = json.loads(line)
        if "error" in answer:
            raise NodeError(f"{name}: {answer['error']}")
        return answer["result"]
