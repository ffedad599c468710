"""Prepared proving keys on a disk: made once, mapped by every process of the user, forgotten when space runs short.

One file for each key (by the SHA-256 of its ``.zkey``) and each set of layouts, in a folder of the user's own. A file
that is damaged, cut off or of another key is noticed when it is opened, said in the log and made again; a folder that
cannot be used costs speed, never a proof.
"""

import fcntl
import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from proofgrid.config import DEFAULT_MULTIPLES_BYTES, DEFAULT_PREPARED_BYTES
from proofgrid.errors import MalformedInput
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.prepared import PreparedBases
from proofgrid.prover.artifacts import hash_file, require_digest
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.prover.groth16.prepared import (
    BASES,
    PreparedKey,
    assemble,
    expect_preparation,
    fingerprint,
    group_of,
    multiples_within,
    prepare_bases,
    prepare_key,
)
from proofgrid.prover.groth16.prepared_file import Identity, map_prepared, write_prepared

log = logging.getLogger(__name__)

WAIT_S = 120.0
SETTLED_S = 2.0
"""A file that changed less than this ago may change again within the clock's tick: its digest is not remembered."""

LEFT_AFTER_S = 3600.0
"""A partial file that nobody wrote to for so long is nobody's."""

_SUFFIX = ".prepared"


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/proofgrid/prepared``; ``~/.cache`` without the variable."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(named) if named and Path(named).is_absolute() else Path.home() / ".cache"
    return root / "proofgrid" / "prepared"


@dataclass(frozen=True)
class KeyCache:
    """A folder of prepared keys; safe for several processes at once.

    ``max_bytes`` bounds its files (the one just used is kept whatever its size); ``wait_s`` is how long to wait for
    another process that prepares the same key before doing the work again in memory. A key is kept with as many
    multiples of its points as ``multiples_bytes`` hold.
    """

    folder: Path
    max_bytes: int = DEFAULT_PREPARED_BYTES
    wait_s: float = WAIT_S
    multiples_bytes: int = DEFAULT_MULTIPLES_BYTES

    def open(
        self, zkey: Zkey, digest: str, *, backend: Backend | None = None, control: Control | None = None
    ) -> PreparedKey:
        """The key prepared for the backend: mapped from the folder, or made and put there, or made in memory.

        ``digest`` is the SHA-256 of the file that ``zkey`` was read from. Cost: reading the prepared file once; the
        first time, making the points' multiples (as long as some twenty proofs) and a file as large as all. Raises
        :class:`MalformedInput` for a coordinate >= q and :class:`~proofgrid.errors.Cancelled`; never for the folder's
        sake. In memory there are no multiples.
        """
        backend, control = backend or select(), control or Control()
        identity = {"zkey": require_digest(digest), "header": fingerprint(zkey)}
        path = self.folder / f"{digest}-{_forms(zkey, backend)}{_SUFFIX}"
        try:
            _own_folder(self.folder)
            bases = self._mapped(path, identity, zkey, backend, control) or self._made(
                path, identity, zkey, backend, control
            )
            _touch(path)
        except OSError as error:
            log.warning("prepared keys cannot be kept in %s, preparing in memory: %s", self.folder, error)
            return prepare_key(zkey, backend=backend, control=control)
        return assemble(zkey, bases, backend)

    def _mapped(
        self, path: Path, identity: Identity, zkey: Zkey, backend: Backend, control: Control
    ) -> dict[str, PreparedBases] | None:
        groups = {name: group_of(zkey, name) for name in BASES}
        try:
            return map_prepared(path, identity, groups, backend, control)
        except FileNotFoundError:
            return None
        except MalformedInput as error:
            log.warning("a prepared key is made again: %s", error)
            return None

    def _made(
        self, path: Path, identity: Identity, zkey: Zkey, backend: Backend, control: Control
    ) -> dict[str, PreparedBases]:
        with _locked(path.with_suffix(".lock"), self.wait_s, control):
            if (bases := self._mapped(path, identity, zkey, backend, control)) is not None:
                return bases  # another process made it while this one waited
            expect_preparation(zkey, control)
            multiples = multiples_within(zkey, self.multiples_bytes)
            made = ((name, prepare_bases(zkey, name, multiples, backend, control)) for name in BASES)
            write_prepared(path, identity, made, backend, control)
            self._evict(path)
        if (bases := self._mapped(path, identity, zkey, backend, control)) is None:
            raise OSError(f"{path.name} cannot be read back")
        return bases

    def _evict(self, keep: Path) -> None:
        """Delete the files used longest ago until the rest fit; who has one mapped keeps its bytes.

        And what writers left that were killed.
        """
        for path in self.folder.glob(".*.part"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - LEFT_AFTER_S:
                    path.unlink()
        total = keep.stat().st_size
        for size, path in self._files():
            if path == keep:
                continue
            total += size
            if total > self.max_bytes:
                path.unlink(missing_ok=True)
                log.info("a prepared key was forgotten for want of space: %s", path.name)

    def _files(self) -> list[tuple[int, Path]]:
        """Sizes and paths of the prepared keys, the one used last first."""
        found = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
        return [(size, path) for _, size, path in sorted(found, reverse=True)]

    def size(self) -> tuple[int, int]:
        """How many prepared keys there are, and their bytes."""
        files = self._files()
        return len(files), sum(size for size, _ in files)

    def clear(self) -> tuple[int, int]:
        """Forget everything; what :meth:`size` said. Not while keys are being prepared."""
        size = self.size()
        for pattern in (f"*{_SUFFIX}", ".*.part", "*.lock", "*.digest"):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)
        return size

    def digest_of(self, path: Path) -> str:
        """The SHA-256 of a file, remembered while its place, size, inode and times stay as they are.

        Cost: microseconds, or one pass at the speed of SHA-256.
        """
        before = _signature(path)
        note = self.folder / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.digest"
        try:
            _own_folder(self.folder)
            remembered = json.loads(note.read_bytes())
            if remembered["signature"] == before:
                return require_digest(remembered["digest"])
        except (OSError, ValueError, KeyError, TypeError, MalformedInput):
            pass  # no note, or not one of ours: hash
        digest = hash_file(path)
        if _signature(path) != before:
            raise MalformedInput(f"{path} changed while it was read; try again when its writer is done")
        if time.time_ns() - max(before[-2:]) > SETTLED_S * 1e9:
            self._remember(note, json.dumps({"signature": before, "digest": digest}))
        return digest

    def _remember(self, note: Path, text: str) -> None:
        partial = note.with_name(f".{note.name}.{os.getpid()}.part")
        try:
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
            partial.replace(note)
        except OSError as error:
            log.info("a file's digest is not remembered: %s", error)


def open_prepared(
    path: Path,
    zkey: Zkey,
    *,
    cache: KeyCache | None = None,
    backend: Backend | None = None,
    control: Control | None = None,
) -> PreparedKey:
    """The key of a ``.zkey`` file, prepared, by way of the user's cache (or ``cache``); see :meth:`KeyCache.open`."""
    cache = cache or KeyCache(default_folder())
    return cache.open(zkey, cache.digest_of(path), backend=backend, control=control)


def _touch(path: Path) -> None:
    """Note a use, for the eviction; a file that another process just evicted needs none."""
    with suppress(OSError):
        os.utime(path)


def _forms(zkey: Zkey, backend: Backend) -> str:
    forms = "\n".join(backend.prepared_form(group_of(zkey, name)) for name in BASES)
    return hashlib.sha256(forms.encode()).hexdigest()[:16]


def _signature(path: Path) -> list[int]:
    """What changes when a file does; the last two are its times in ns, and ctime is nobody's to set."""
    status = path.stat()
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _own_folder(folder: Path) -> None:
    """Make the folder for its owner alone. Raises :class:`OSError` if another user owns it or may write into it.

    Whoever can write there could choose the bases of C, and let proofs tell of their witness.
    """
    for part in reversed([folder, *folder.parents]):
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{folder} belongs to another user, or others may write into it")


@contextmanager
def _locked(path: Path, wait_s: float, control: Control) -> Iterator[None]:
    """Hold the lock file; the system frees it when the holder dies. Raises :class:`TimeoutError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process has held {path.name} for {wait_s:.0f} s") from None
            control.check()
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
