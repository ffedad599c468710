"""A PostgreSQL cluster of the tests' own: made in a temporary folder, reached through a socket there, gone at the end.

It gives up durability, which no test here needs. Tests get a database that others used before, its rows deleted: about
20 ms, where a fresh one takes 200.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from proofgrid.network import schema
from proofgrid.network.database import Base, open_engine
from proofgrid.network.leash import leashed

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "max_connections": "100",
}
_START_TIMEOUT_S = 30.0


class Cluster:
    """A running cluster: it lends databases with today's schema and no rows, and empty ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._free: list[str] = []

    def lend(self) -> str:
        """The URL of a database that nobody else has."""
        if self._free:
            return self._free.pop()
        url = self.new()
        engine = open_engine(url)
        schema.upgrade(engine)
        engine.dispose()
        return url

    def take_back(self, url: str) -> None:
        """Forget a lent database's rows, whoever is still connected."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        with self._connect(make_url(url).database) as connection:
            connection.execute(others.encode() + b"pg_backend_pid()")
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(f'DELETE FROM "{table.name}"'.encode())
            connection.execute(b"SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
        self._free.append(url)

    def new(self) -> str:
        """The URL of an empty database, for good."""
        name = f"test_{next(self._numbers)}"
        with self._connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        return f"postgresql+psycopg://proofgrid@/{name}?host={self._folder}"

    def _connect(self, name: str | None) -> "psycopg.Connection[Any]":
        return psycopg.connect(autocommit=True, host=str(self._folder), user="proofgrid", dbname=name)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster for a block's time. Without PostgreSQL's programs the tests are skipped, but fail in CI."""
    programs = find_programs()
    if programs is None:
        told = "PostgreSQL's programs are not here: apt-get install postgresql (looked in PATH, /usr/lib/postgresql)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    folder = Path(tempfile.mkdtemp(prefix="proofgrid-pg-"))
    data, log = folder / "data", folder / "log"
    try:
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "proofgrid", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            _as_nobody([*initdb, "--locale=C", "--no-sync"], folder), cwd=folder, capture_output=True, text=True
        )
        if made.returncode != 0:
            pytest.fail(f"initdb: {made.stderr[-500:]}")
        options = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *options]
        with log.open("wb") as sink:
            server = subprocess.Popen(
                _as_nobody(command, folder), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=folder
            )
        try:
            _wait(server, folder, log)
            yield Cluster(folder)
        finally:
            server.send_signal(signal.SIGINT)  # at once, whoever is connected
            server.wait(timeout=_START_TIMEOUT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, the newest first; in PATH, or where Debian puts them."""
    found = shutil.which("initdb")
    if found is not None and shutil.which("postgres"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _as_nobody(command: list[str], folder: Path) -> list[str]:
    """The command, ended with this process; for root another user runs it, since the server refuses to be root."""
    if os.geteuid() != 0:
        return leashed(command)
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig=TERM", *command]  # a leash would be off with the change of user


def _wait(server: "subprocess.Popen[bytes]", folder: Path, log: Path) -> None:
    ends_at = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="proofgrid", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > ends_at:
                pytest.fail(f"the test's PostgreSQL does not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.02)
