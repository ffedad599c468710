"""The submitter's memory: every batch to be committed, and its signed transaction, before anything is sent.

One SQLite file, written through to the disk at each step. A batch's state moves by compare-and-set: of two processes
that act on one row, one wins and the other is told.

    pending -> signed -> confirmed -> finalized -> released        conflict: the number belongs to another root
       ^---------'  <---------'   a transaction that expired or failed; a fork that undid a confirmed one
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from proofgrid.errors import Conflict, MalformedInput, SettlementError
from proofgrid.settlement.layout.batches import MAX_LEAVES, ZERO_ROOT
from proofgrid.settlement.layout.provers import ROOT_SIZE

BUSY_TIMEOUT_S = 30.0
_VERSION = 1
_MAX_NUMBER = (1 << 63) - 1

_SCHEMA = """
CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    chain_id TEXT NOT NULL, program_id TEXT NOT NULL, prover TEXT NOT NULL,
    signer TEXT NOT NULL, endpoints TEXT NOT NULL, opened_at REAL NOT NULL,
    UNIQUE (chain_id, program_id, prover)
) STRICT;
CREATE TABLE batches (
    log INTEGER NOT NULL REFERENCES logs (id),
    number INTEGER NOT NULL, root BLOB NOT NULL, leaf_count INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, forks INTEGER NOT NULL DEFAULT 0,
    retry_at REAL NOT NULL DEFAULT 0, error TEXT,
    signature TEXT, raw BLOB, last_valid_block_height INTEGER,
    slot INTEGER NOT NULL DEFAULT 0, address TEXT, prev_root BLOB, challenge_until_s INTEGER,
    created_at REAL NOT NULL, moved_at REAL NOT NULL,
    PRIMARY KEY (log, number)
) STRICT;
CREATE INDEX batches_by_state ON batches (log, state);
"""


class State(StrEnum):
    """How far a batch is."""

    PENDING = "pending"  # no transaction of it can land
    SIGNED = "signed"  # its transaction is stored and may have been sent
    CONFIRMED = "confirmed"  # on chain; a fork can still undo it
    FINALIZED = "finalized"  # on chain for good; its stake is locked
    RELEASED = "released"  # its stake is free again
    CONFLICT = "conflict"  # the chain holds another root under its number


_S = State
MOVES: Mapping[State, frozenset[State]] = {
    _S.PENDING: frozenset({_S.SIGNED, _S.CONFIRMED, _S.CONFLICT}),
    _S.SIGNED: frozenset({_S.PENDING, _S.CONFIRMED, _S.CONFLICT}),
    _S.CONFIRMED: frozenset({_S.PENDING, _S.SIGNED, _S.FINALIZED, _S.CONFLICT}),
    _S.FINALIZED: frozenset({_S.RELEASED}),
    _S.RELEASED: frozenset(),
    _S.CONFLICT: frozenset(),
}
UNCONFIRMED = (_S.PENDING, _S.SIGNED)
UNSETTLED = (_S.PENDING, _S.SIGNED, _S.CONFIRMED)


@dataclass(frozen=True)
class Log:
    """One prover's batches through one program on one chain; ``endpoints`` are where it was last written to."""

    chain_id: str
    program_id: str
    prover: str
    signer: str
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One batch. ``attempts`` counts transactions, ``failures`` those that failed on chain, ``forks`` what undid it."""

    number: int
    root: bytes
    leaf_count: int
    state: State
    attempts: int
    failures: int
    forks: int
    retry_at: float
    error: str | None
    signature: str | None
    raw: bytes | None
    last_valid_block_height: int | None
    slot: int
    address: str | None
    prev_root: bytes | None
    challenge_until_s: int | None
    created_at: float
    moved_at: float


_COLUMNS = ", ".join(Entry.__dataclass_fields__)
_CHANGEABLE = frozenset(Entry.__dataclass_fields__) - {"number", "root", "leaf_count", "created_at"}


class Outbox:
    """The batches of one log, in a file of mode 0600 that several logs may share.

    ``register`` False is for readers: the log is there already, and is not noted as opened.
    Raises SettlementError when the disk refuses: then nothing was written, and nothing may be sent.
    """

    def __init__(self, path: Path | str, log: Log, *, register: bool = True) -> None:
        self._database = _open(path)
        self.log = log
        if register:
            self._register(log)
        self._log = _log_id(self._database, log)

    def _register(self, log: Log) -> None:
        with _Writing(self._database) as database:
            database.execute(
                "INSERT INTO logs (chain_id, program_id, prover, signer, endpoints, opened_at) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET signer = excluded.signer, endpoints = excluded.endpoints, opened_at = excluded.opened_at",
                (log.chain_id, log.program_id, log.prover, log.signer, "\n".join(log.endpoints), time.time()),
            )

    def put(self, number: int, root: bytes, leaf_count: int) -> Entry:
        """Take a batch in, once: the same again changes nothing; raises Conflict for another under its number.

        Raises MalformedInput for one that the program would never take: it would hold up all that follow.
        """
        if len(root) != ROOT_SIZE or root == ZERO_ROOT:
            raise MalformedInput(f"a batch's root is {ROOT_SIZE} bytes, and not all zeros")
        if not 0 < leaf_count <= MAX_LEAVES:
            raise MalformedInput(f"a batch has 1 to {MAX_LEAVES} leaves, got {leaf_count}")
        if not 0 <= number <= _MAX_NUMBER:
            raise MalformedInput(f"a batch's number is from 0 to 2^63 - 1, got {number}")
        now = time.time()
        with _Writing(self._database) as database:
            database.execute(
                "INSERT OR IGNORE INTO batches (log, number, root, leaf_count, state, created_at, moved_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._log, number, root, leaf_count, State.PENDING, now, now),
            )
        entry = self.entry(number)
        if entry is None or (entry.root, entry.leaf_count) != (root, leaf_count):
            kept = "another" if entry is None else entry.root.hex()
            raise Conflict(f"batch {number} has root {kept}, not {root.hex()}: take the next number")
        return entry

    def move(self, entry: Entry, to: State, **values: object) -> bool:
        """Did the entry move from where it was read? If its state or its signature has changed since, nothing does."""
        if to not in MOVES[entry.state]:
            raise ValueError(f"a batch may not move from {entry.state} to {to}")
        return self._update(entry, {"state": to, "moved_at": time.time(), "error": None, **values})

    def note(self, entry: Entry, error: str | None) -> None:
        """Remember why the entry does not move."""
        if error != entry.error:
            self._update(entry, {"error": error})

    def entry(self, number: int) -> Entry | None:
        found = self._select("number = ?", number)
        return found[0] if found else None

    def entries(self, states: Sequence[State], limit: int = -1) -> list[Entry]:
        """Those in one of these states, by number."""
        return self._select(f"state IN ({', '.join('?' * len(states))})", *states, limit=limit)

    def last(self) -> Entry | None:
        """The one with the highest number."""
        found = self._select("1", order="DESC", limit=1)
        return found[0] if found else None

    def counts(self) -> dict[State, int]:
        rows = self._database.execute("SELECT state, count(*) FROM batches WHERE log = ? GROUP BY state", (self._log,))
        return {State(state): count for state, count in rows}

    def newest_slot(self) -> int:
        """The newest slot that is known of; an endpoint that has not reached it is behind."""
        row = self._database.execute("SELECT max(slot) FROM batches WHERE log = ?", (self._log,)).fetchone()
        return row[0] or 0

    def close(self) -> None:
        self._database.close()

    def _select(self, where: str, *values: object, order: str = "ASC", limit: int = -1) -> list[Entry]:
        query = f"SELECT {_COLUMNS} FROM batches WHERE log = ? AND {where} ORDER BY number {order} LIMIT ?"  # noqa: S608
        rows = self._database.execute(query, (self._log, *values, limit))
        return [_entry(row) for row in rows]

    def _update(self, entry: Entry, values: Mapping[str, object]) -> bool:
        if not values.keys() <= _CHANGEABLE:
            raise ValueError(f"a batch has no {', '.join(values.keys() - _CHANGEABLE)} to change")
        assignments = ", ".join(f"{name} = ?" for name in values)
        with _Writing(self._database) as database:
            done = database.execute(
                f"UPDATE batches SET {assignments} WHERE log = ? AND number = ? AND state = ? AND signature IS ?",  # noqa: S608
                (*values.values(), self._log, entry.number, entry.state, entry.signature),
            )
            return done.rowcount == 1


def read_logs(path: Path | str) -> list[Log]:
    """The logs of an outbox file, the one opened last first; none where there is no file."""
    if not Path(path).exists():
        return []
    database = _open(path)
    try:
        rows = database.execute(
            "SELECT chain_id, program_id, prover, signer, endpoints FROM logs ORDER BY opened_at DESC"
        )
        return [
            Log(chain, program, prover, signer, tuple(urls.splitlines()))
            for chain, program, prover, signer, urls in rows
        ]
    finally:
        database.close()


class _Writing:
    """One transaction of the database; sqlite3's troubles become SettlementError."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._do("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        if error is None:
            self._do("COMMIT")
            return
        self._database.rollback()
        if isinstance(error, sqlite3.Error):
            raise _disk_refuses(error) from error

    def _do(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.rollback()
            raise _disk_refuses(error) from error


def _disk_refuses(error: sqlite3.Error) -> SettlementError:
    return SettlementError(f"the outbox cannot be written: {error}; nothing is sent until it can")


def _open(path: Path | str) -> sqlite3.Connection:
    """The database, made if it is not there. Raises MalformedInput for a file that is no outbox."""
    if str(path) != ":memory:":
        Path(path).touch(mode=0o600)  # SQLite's other files take its mode
    database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            database.execute(f"PRAGMA {pragma}")
        with _Writing(database):
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {_VERSION}")
    except (sqlite3.Error, SettlementError) as error:
        database.close()
        raise MalformedInput(f"{path} cannot be used as an outbox: {error}") from error
    if version not in (0, _VERSION):
        database.close()
        raise MalformedInput(f"{path} is an outbox of version {version}, this program reads {_VERSION}")
    return database


def _log_id(database: sqlite3.Connection, log: Log) -> int:
    query = "SELECT id FROM logs WHERE chain_id = ? AND program_id = ? AND prover = ?"
    found: tuple[int] = database.execute(query, (log.chain_id, log.program_id, log.prover)).fetchone()
    return found[0]


def _entry(row: tuple[object, ...]) -> Entry:
    values = dict(zip(Entry.__dataclass_fields__, row, strict=True))
    return Entry(**{**values, "state": State(str(values["state"]))})  # type: ignore[arg-type]
