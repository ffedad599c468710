"""Artifacts (keys, wasm, sealed witnesses, proofs) in a local folder, named by their SHA-256.

``folder/ab/abcdef…``: a file appears under its name only when it is complete and on disk, so a reader never
sees half of one. Names are checked before they touch a path.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from proofgrid.errors import MalformedInput, NotFound, TooLarge

CHUNK_BYTES = 1 << 20


class ArtifactStore:
    """A content-addressed folder; safe for several processes at once."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._incoming = self.folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def writer(self, max_bytes: int | None = None) -> "ArtifactWriter":
        """A writer for bytes that arrive in pieces; use it in a ``with`` block."""
        return ArtifactWriter(self, self._incoming, max_bytes)

    def put(self, data: bytes) -> str:
        """Store ``data``; its digest."""
        return self.put_stream([data])

    def put_file(self, path: Path | str, *, max_bytes: int | None = None) -> str:
        """Store a copy of the file; its digest. Cost: one pass, constant memory."""
        with Path(path).open("rb") as file:
            return self.put_stream(iter(lambda: file.read(CHUNK_BYTES), b""), max_bytes=max_bytes)

    def put_stream(
        self, chunks: Iterable[bytes], *, max_bytes: int | None = None, expected_digest: str | None = None
    ) -> str:
        """Store what the chunks add up to; raises :class:`TooLarge`, and :class:`MalformedInput` on another digest."""
        with self.writer(max_bytes) as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.commit(expected_digest)

    def adopt(self, file: Path, digest: str) -> None:
        """Move a complete file of this file system under its name; raises :class:`MalformedInput` on another digest."""
        with file.open("rb") as content:
            if (found := hashlib.file_digest(content, "sha256").hexdigest()) != require_digest(digest):
                raise MalformedInput(f"the bytes' SHA-256 is {found}, announced was {digest}")
            os.fsync(content.fileno())
        target = self._place(digest)
        target.parent.mkdir(exist_ok=True)
        file.replace(target)
        _sync_folder(target.parent)

    def path(self, digest: str) -> Path:
        """The file of that name; raises :class:`NotFound`."""
        path = self._place(digest)
        if not path.is_file():
            raise NotFound(f"no artifact is named {digest}; upload it first")
        return path

    def exists(self, digest: str) -> bool:
        return self._place(digest).is_file()

    def open(self, digest: str) -> IO[bytes]:
        return self.path(digest).open("rb")

    def read(self, digest: str, *, max_bytes: int) -> bytes:
        """The whole artifact, its digest checked; for small ones."""
        with self.open(digest) as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise TooLarge(f"artifact {digest} is larger than the {max_bytes} bytes expected of it")
        if hashlib.sha256(data).hexdigest() != digest:
            raise MalformedInput(f"the artifact stored as {digest} has another content; delete it and upload it again")
        return data

    def verify(self, digest: str) -> Path:
        """The file's path after its content was hashed and compared. Cost: one pass, 0.3 to 2 GB/s."""
        path = self.path(digest)
        if hash_file(path) != digest:
            raise MalformedInput(f"the artifact stored as {digest} has another content; delete it and upload it again")
        return path

    def delete(self, digest: str) -> None:
        """Forget the artifact; it is no error if there is none. A reader that has it open keeps its bytes."""
        self._place(digest).unlink(missing_ok=True)

    def sweep(self, *, older_than_s: float) -> int:
        """Delete what writers left that were killed: incoming files that nobody wrote to for so long; their number."""
        left = [path for path in self._incoming.iterdir() if path.stat().st_mtime < time.time() - older_than_s]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _place(self, digest: str) -> Path:
        require_digest(digest)
        return self.folder / digest[:2] / digest


class ArtifactWriter:
    """Bytes on their way into a store; left without :meth:`commit`, they are gone."""

    def __init__(self, store: ArtifactStore, incoming: Path, max_bytes: int | None) -> None:
        self._store, self._max_bytes = store, max_bytes
        self._hash, self.size = hashlib.sha256(), 0
        descriptor, name = tempfile.mkstemp(dir=incoming)
        self._path: Path | None = Path(name)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Raises :class:`TooLarge` as soon as the cap is passed."""
        self.size += len(chunk)
        if self._max_bytes is not None and self.size > self._max_bytes:
            raise TooLarge(f"an artifact here is at most {self._max_bytes} bytes; this one is larger")
        self._hash.update(chunk)
        self._file.write(chunk)

    def commit(self, expected_digest: str | None = None) -> str:
        """Make the artifact durable and visible; its digest."""
        digest = self._hash.hexdigest()
        if expected_digest is not None and digest != require_digest(expected_digest):
            raise MalformedInput(f"the bytes' SHA-256 is {digest}, announced was {expected_digest}")
        if self._path is None:
            raise ValueError("this writer is closed")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target = self._store._place(digest)
        target.parent.mkdir(exist_ok=True)
        self._path.replace(target)
        self._path = None
        _sync_folder(target.parent)
        return digest

    def __enter__(self) -> "ArtifactWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


def require_digest(digest: Any) -> str:
    """``digest`` if it is 64 lower-case hex digits, else :class:`MalformedInput`."""
    if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise MalformedInput("an artifact's name is its SHA-256: 64 lower-case hex digits")
    return digest


def hash_file(path: Path | str) -> str:
    """SHA-256 of a file, hex. Cost: one pass, constant memory."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
