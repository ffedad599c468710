"""Prepared bases in a file, mapped by every process that proves with them.

    0     8  magic "PGPREPB\\n"
    8     4  version, 2
    12    4  size of the description
    16    8  Backend.checksum of the description
    24       the description, JSON: the key it belongs to; of each section name, form, n, multiples, offset, size and
             checksum
    4096     the sections, each at a multiple of 4096 bytes

A file is written whole under another name, flushed to the disk and renamed; every byte that counts is under a checksum,
which opening compares. Little-endian; made by a machine for itself, not for exchange.
"""

import json
import mmap
import os
import secrets
import stat
import struct
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Group
from proofgrid.kernels.prepared import PreparedBases

VERSION = 2
PAGE = 4096
_MAGIC = b"PGPREPB\n"
_HEAD = struct.Struct("<8sIIQ")

Identity = dict[str, str]
"""What a file is about: the key's digest and whatever else must agree."""


def write_prepared(
    path: Path, identity: Identity, sections: Iterable[tuple[str, PreparedBases]], backend: Backend, control: Control
) -> None:
    """Write the file, readable by its owner alone; the sections come one at a time and may be made while they do.

    On the disk when this returns. Raises :class:`OSError`, and what making a section raises; then there is no file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            described = []
            file.seek(PAGE)
            for name, bases in sections:
                described.append(_write_section(file, name, bases, backend, control))
            _write_head(file, {"identity": identity, "sections": described}, backend)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_section(
    file: BinaryIO, name: str, bases: PreparedBases, backend: Backend, control: Control
) -> dict[str, Any]:
    file.seek(-file.tell() % PAGE, os.SEEK_CUR)
    offset = file.tell()
    file.write(bases.data.data)
    checksum = backend.checksum(bases.data, control=control)
    described = {"name": name, "form": bases.form, "n": bases.n, "multiples": bases.multiples}
    return described | {"offset": offset, "size": bases.data.nbytes, "checksum": checksum}


def _write_head(file: BinaryIO, description: dict[str, Any], backend: Backend) -> None:
    text = json.dumps(description).encode()
    if _HEAD.size + len(text) > PAGE:
        raise MalformedInput(f"the description of prepared bases takes {len(text)} bytes, at most a page is free")
    file.seek(0)
    file.write(_HEAD.pack(_MAGIC, VERSION, len(text), backend.checksum(np.frombuffer(text, np.uint8))) + text)


def map_prepared(
    path: Path, identity: Identity, groups: Mapping[str, Group], backend: Backend, control: Control
) -> dict[str, PreparedBases]:
    """The bases of a file that :func:`write_prepared` wrote, mapped read-only, whole and of this backend's forms.

    Cost: one reading of the file at the speed of memory, or of the disk. Raises :class:`FileNotFoundError` and other
    :class:`OSError`, and :class:`MalformedInput` that says what is wrong with the file.
    """
    data = _map(path)
    description = _read_head(data, path, backend)
    try:
        if description["identity"] != identity:
            raise MalformedInput(f"{path}: of another key")
        sections = {section["name"]: section for section in description["sections"]}
        return {name: _section(data, path, sections[name], group, backend, control) for name, group in groups.items()}
    except (KeyError, TypeError) as error:
        raise MalformedInput(f"{path}: its description lacks {error}") from error


def _map(path: Path) -> NDArray[np.uint8]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise MalformedInput(f"{path}: not a regular file of this user's")
        if status.st_size < PAGE:
            raise MalformedInput(f"{path}: {status.st_size} bytes are less than a page")
        mapping = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    _ask_for_huge_pages(mapping)
    return np.frombuffer(mapping, np.uint8)


def _ask_for_huge_pages(mapping: mmap.mmap) -> None:
    """Points are gathered from all over the file; a file system with large folios maps it 2 MB at a time."""
    if sys.platform == "linux":
        with suppress(OSError):  # a kernel without huge pages
            mapping.madvise(mmap.MADV_HUGEPAGE)


def _read_head(data: NDArray[np.uint8], path: Path, backend: Backend) -> dict[str, Any]:
    magic, version, size, checksum = _HEAD.unpack_from(data[: _HEAD.size].tobytes())
    if magic != _MAGIC or version != VERSION:
        raise MalformedInput(f"{path}: magic {magic!r} and version {version}, expected {_MAGIC!r} and {VERSION}")
    text = data[_HEAD.size : PAGE][:size]
    if len(text) != size or backend.checksum(text) != checksum:
        raise MalformedInput(f"{path}: its description is damaged")
    description: dict[str, Any] = json.loads(text.tobytes())
    return description


def _section(
    data: NDArray[np.uint8], path: Path, section: dict[str, Any], group: Group, backend: Backend, control: Control
) -> PreparedBases:
    control.check()
    name, form, offset, size = section["name"], section["form"], section["offset"], section["size"]
    if form != backend.prepared_form(group):
        raise MalformedInput(f"{path}: {name} is of the form {form!r}, expected {backend.prepared_form(group)!r}")
    content = data[offset : offset + size]
    if len(content) != size:
        raise MalformedInput(f"{path}: cut off in {name}, which takes {size} bytes from {offset} on")
    if backend.checksum(content, control=control) != section["checksum"]:
        raise MalformedInput(f"{path}: {name} is damaged")
    return PreparedBases(group, form, section["n"], content, section["multiples"])
