"""Uploads in pieces that go on where they broke off: tus 1.0 (https://tus.io/protocols/resumable-upload).

An upload is a row (whose, what, how long) and a file beside the store, whose length is the offset. One writer at a time
holds the file's lock. The last piece checks the SHA-256 and puts the file into the store. Beginning the same upload
again finds it, so a client need not remember where it was.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import func, select

from proofgrid.config import Limits, NetworkConfig
from proofgrid.errors import Conflict, MalformedInput, NotFound, TooLarge
from proofgrid.network.database import Database
from proofgrid.network.holdings import charge, quota_locks, require_room, touch
from proofgrid.network.locks import artifact_lock, lock
from proofgrid.network.tables.record import UploadRow
from proofgrid.prover.artifacts import ArtifactStore, require_digest


@dataclass(frozen=True)
class Upload:
    """``offset`` of ``size`` bytes are here; ``id`` is empty if the store had the artifact already."""

    id: str
    offset: int
    size: int


@dataclass(frozen=True)
class Uploads:
    """The uploads of one network."""

    database: Database
    store: ArtifactStore
    config: NetworkConfig

    @property
    def folder(self) -> Path:
        return self.store.folder / "uploads"

    def begin(self, owner: str, digest: str, size: int, now: float) -> Upload:
        """A new upload, the same owner's open one of these bytes, or a finished one if they are here.

        Raises :class:`MalformedInput`, :class:`TooLarge` past a cap or quota, :class:`Conflict` for too many open ones.
        """
        limits, digest = self.config.limits, require_digest(digest)
        if not 0 < size <= limits.max_artifact_bytes:
            raise TooLarge(f"an artifact here has 1 to {limits.max_artifact_bytes} bytes, this one {size}")
        with self.database.writing() as session:
            lock(session, *quota_locks(owner))
            lock(session, artifact_lock(digest))
            row = session.scalar(select(UploadRow).where(UploadRow.owner == owner, UploadRow.digest == digest))
            if self.store.exists(digest):
                charge(session, digest, self.store.path(digest).stat().st_size, owner, now)
                if row is not None:
                    session.delete(row)
                return Upload("", size, size)
            if row is not None and row.size != size:
                raise Conflict(f"an upload of these bytes with another length ({row.size}) is open; end it first")
            if row is None:
                self._require_few(session.scalar(select(func.count()).where(UploadRow.owner == owner)) or 0, limits)
                require_room(session, owner, size, limits)
                row = UploadRow(id=uuid.uuid4().hex, owner=owner, digest=digest, size=size, touched_at=now)
                session.add(row)
            row.touched_at = now
            self.folder.mkdir(exist_ok=True, mode=0o700)
            self._file(row.id).touch(mode=0o600)
        return Upload(row.id, self._file(row.id).stat().st_size, size)

    def find(self, identity: str, owner: str) -> Upload:
        """Raises :class:`NotFound`: finished, ended, expired, or somebody else's."""
        row = self._row(identity, owner)
        return Upload(row.id, self._file(row.id).stat().st_size, row.size)

    @contextmanager
    def appending(self, identity: str, owner: str, offset: int) -> Iterator["Appender"]:
        """Take the pieces that follow ``offset``; what came before an error stays.

        Raises :class:`NotFound`, and :class:`Conflict` for another offset or while another writes.
        """
        row = self._row(identity, owner)
        with self._file(identity).open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Conflict("another writer is sending this upload; ask for its offset in a moment") from error
            here = file.seek(0, os.SEEK_END)
            if here != offset:
                raise Conflict(f"the upload goes on at {here}, not at {offset}; ask for its offset")
            yield Appender(file, here, row.size)

    def finish(self, identity: str, owner: str, now: float) -> None:
        """Touch the upload; if it is whole, check its digest and store it. Another digest ends it: MalformedInput."""
        row = self._row(identity, owner)
        path = self._file(identity)
        if path.stat().st_size == row.size:
            touch(self.database, row.digest, now)  # if an old one is about to be swept away
            try:
                self.store.adopt(path, row.digest)
            except MalformedInput:
                self.end(identity, owner)
                raise
        with self.database.writing() as session:
            found = session.get(UploadRow, identity)
            if found is None:
                raise NotFound(f"no upload of yours is named {identity}")
            found.touched_at = now
            if not path.exists():
                charge(session, row.digest, row.size, owner, now)
                session.delete(found)

    def end(self, identity: str, owner: str) -> None:
        """Give up an upload; its bytes are gone."""
        self._row(identity, owner)
        self._drop(identity)

    def expire(self, now: float) -> int:
        """Drop uploads that nobody went on with; their number."""
        with self.database.reading() as session:
            since = now - self.config.timing.upload_expiry_s
            old = session.scalars(select(UploadRow.id).where(UploadRow.touched_at < since)).all()
        for identity in old:
            self._drop(identity)
        return len(old)

    def _drop(self, identity: str) -> None:
        with self.database.writing() as session:
            row = session.get(UploadRow, identity)
            if row is not None:
                session.delete(row)
        self._file(identity).unlink(missing_ok=True)

    def _row(self, identity: str, owner: str) -> UploadRow:
        with self.database.reading() as session:
            row = session.get(UploadRow, identity)
        if row is None or row.owner != owner or not self._file(row.id).exists():
            raise NotFound(f"no upload of yours is named {identity}; begin it again")
        return row

    def _file(self, identity: str) -> Path:
        return self.folder / identity

    def _require_few(self, count: int, limits: Limits) -> None:
        if count >= limits.max_open_uploads:
            raise Conflict(f"an account has at most {limits.max_open_uploads} uploads open; finish or end one first")


class Appender:
    """The end of an upload's file."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file, self.offset, self._size = file, offset, size

    def write(self, piece: bytes) -> None:
        """Raises :class:`TooLarge` for more than the upload's length."""
        if self.offset + len(piece) > self._size:
            raise TooLarge(f"the upload's length is {self._size} bytes; this piece goes past it")
        self._file.write(piece)
        self.offset += len(piece)
