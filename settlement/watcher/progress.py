"""What a watcher remembers: the next batch of each committer, the batches not done with, what it spent of its budgets.

SQLite, in one file; every method is one transaction, so that a kill leaves the state before or after it, and raises
QueueError (retryable) where the file is locked or the disk full. Losing the file costs work, and what was counted
against the budgets; no leaf is challenged twice for it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, QueueError
from proofgrid.settlement.accounts import BatchAccount

_TABLES = """
CREATE TABLE IF NOT EXISTS committers (
    network TEXT, committer BLOB, next_number INTEGER, PRIMARY KEY (network, committer));
CREATE TABLE IF NOT EXISTS batches (
    network TEXT, address BLOB, committer BLOB, number INTEGER, root BLOB, n_leaves INTEGER, until_s INTEGER,
    state TEXT, PRIMARY KEY (network, address));
CREATE TABLE IF NOT EXISTS demands (
    network TEXT, batch BLOB, leaf INTEGER, bonds INTEGER, is_posted INTEGER, PRIMARY KEY (network, batch));
CREATE TABLE IF NOT EXISTS keys (network TEXT, digest BLOB, lamports INTEGER, PRIMARY KEY (network, digest));
"""
NEW, CLEAN, FALSE = "new", "clean", "false"
"""States of a batch: not checked in full; without a false leaf, or with some, and waiting for that to be final."""


@dataclass(frozen=True)
class Watched:
    """A batch that is not done with; ``until_s`` is the end of its challenge window in the chain's time."""

    address: Pubkey
    committer: Pubkey
    number: int
    root: bytes
    n_leaves: int
    until_s: int
    state: str = NEW

    @classmethod
    def of(cls, address: Pubkey, account: BatchAccount) -> "Watched":
        committer = Pubkey(account.committer)
        return cls(address, committer, account.number, account.root, account.leaf_count, account.challenge_until_s)

    def now(self, account: BatchAccount) -> "Watched":
        """The same batch as the chain holds it now: NEW if that is another."""
        seen = Watched.of(self.address, account)
        return replace(seen, state=self.state) if seen.root == self.root else seen


class Progress:
    """One file for any number of networks; ``network`` names the chain and the program. Use ``close``."""

    def __init__(self, path: Path | str, network: str, *, patience_s: float = 10.0) -> None:
        self.network = network
        try:
            self._database = sqlite3.connect(path, timeout=patience_s, isolation_level=None)
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)
        except sqlite3.Error as error:
            raise MalformedInput(
                f"{path} cannot be used as the watcher's memory: {error}; delete it to begin anew"
            ) from error

    def close(self) -> None:
        self._database.close()

    def next_number(self, committer: Pubkey) -> int:
        """The committer's first batch that was never looked at."""
        row = self._one("SELECT next_number FROM committers WHERE network=? AND committer=?", bytes(committer))
        return 0 if row is None else int(row[0])

    def add(self, committer: Pubkey, next_number: int, found: Sequence[Watched]) -> None:
        """Remember these batches, and that the next one to look at is ``next_number``, both or neither."""
        with self._transaction():
            for one in found:
                self.put(one)
            self._run("INSERT OR REPLACE INTO committers VALUES (?, ?, ?)", bytes(committer), next_number)

    def open(self) -> list[Watched]:
        """The batches not done with, those first whose window ends first."""
        rows = self._all(
            "SELECT address, committer, number, root, n_leaves, until_s, state FROM batches WHERE network=? "
            "ORDER BY until_s, committer, number"
        )
        return [Watched(Pubkey(row[0]), Pubkey(row[1]), *row[2:]) for row in rows]

    def put(self, one: Watched) -> None:
        """Remember a batch, or what is known of it now."""
        values = (bytes(one.address), bytes(one.committer), one.number, one.root, one.n_leaves, one.until_s, one.state)
        self._run("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def done(self, address: Pubkey) -> None:
        """Nothing is left to do about this batch."""
        self._run("DELETE FROM batches WHERE network=? AND address=?", bytes(address))

    def rewind(self, committer: Pubkey, number: int) -> None:
        """Look at this batch and those after it again: the chain rolled back."""
        with self._transaction():
            self._run(
                "UPDATE committers SET next_number=min(next_number, ?2) WHERE network=?1 AND committer=?3",
                number,
                bytes(committer),
            )
            self._run("DELETE FROM batches WHERE network=? AND committer=? AND number>=?", bytes(committer), number)

    def register(self, digest: bytes, lamports: int, budget: int) -> bool:
        """Count the rent of a key before it is registered, once; False where all of them would exceed the budget."""
        with self._transaction():
            row = self._one("SELECT coalesce(sum(lamports), 0) FROM keys WHERE network=? AND digest!=?", digest)
            if row is None or int(row[0]) + lamports > budget:
                return False
            self._run("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", digest, lamports)
            return True

    def bonds_out(self) -> int:
        """Tokens posted for demands, or perhaps posted, that have not come back."""
        row = self._one("SELECT coalesce(sum(bonds), 0) FROM demands WHERE network=?")
        return 0 if row is None else int(row[0])

    def demands(self) -> list[tuple[Pubkey, int]]:
        """Batches and leaves of the demands that were posted, or perhaps."""
        rows = self._all("SELECT batch, leaf FROM demands WHERE network=?")
        return [(Pubkey(batch), leaf) for batch, leaf in rows]

    def demand_of(self, batch: Pubkey) -> int | None:
        """The leaf of this batch that was demanded, or was about to be."""
        row = self._one("SELECT leaf FROM demands WHERE network=? AND batch=?", bytes(batch))
        return None if row is None else int(row[0])

    def is_posted(self, batch: Pubkey) -> bool:
        """Whether a demand for a leaf of this batch is known to have landed."""
        row = self._one("SELECT is_posted FROM demands WHERE network=? AND batch=?", bytes(batch))
        return row is not None and bool(row[0])

    def intend(self, batch: Pubkey, leaf: int, bond: int) -> None:
        """Count a bond, before it is posted; each attempt counts until it is withdrawn."""
        self._run(
            "INSERT INTO demands VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET bonds=bonds+excluded.bonds",
            bytes(batch),
            leaf,
            bond,
        )

    def withdraw(self, batch: Pubkey, bond: int) -> None:
        """An attempt certainly moved nothing."""
        self._run("UPDATE demands SET bonds=bonds-?2 WHERE network=?1 AND batch=?3", bond, bytes(batch))

    def posted(self, batch: Pubkey) -> None:
        """A demand has landed."""
        self._run("UPDATE demands SET is_posted=1 WHERE network=? AND batch=?", bytes(batch))

    def returned(self, batch: Pubkey) -> None:
        """The leaf is void: the bond is back."""
        self._run("DELETE FROM demands WHERE network=? AND batch=?", bytes(batch))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _as_trouble(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        return next(iter(self._all(statement, *values)), None)

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with _as_trouble():
            return self._database.execute(statement, (self.network, *values)).fetchall()

    def _run(self, statement: str, *values: Any) -> None:
        with _as_trouble():
            self._database.execute(statement, (self.network, *values))


@contextmanager
def _as_trouble() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise QueueError(f"the watcher's memory cannot be used now: {error}") from error
