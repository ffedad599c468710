"""The container of ``.r1cs``, ``.wtns`` and ``.zkey`` files: magic, version, then sections in any order.

    "wtns"  u32 version  u32 n_sections  { u32 id, u64 size, size bytes } * n_sections

All integers are little-endian. Nothing that a file says about a length is believed before it is compared with
what is there: a section ends inside the file, a field ends inside its section, and no byte is left over.
Source: iden3/binfileutils; iden3/r1csfile, doc/r1cs_bin_format.md.
"""

import mmap
import os
import secrets
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput, NotFound
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import CURVES, Curve

Source = str | os.PathLike[str] | bytes | memoryview

MAX_SECTIONS = 64
_HEADER = struct.Struct("<4sII")
_SECTION = struct.Struct("<IQ")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class Cursor:
    """Reads one section from its start to its end; a read past the end is :class:`MalformedInput`."""

    def __init__(self, data: memoryview, what: str) -> None:
        self._data = data
        self._at = 0
        self.what = what

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def take(self, size: int, field: str) -> memoryview:
        """The next ``size`` bytes, not copied."""
        if size > self.left:
            raise MalformedInput(f"{self.what}: {field} takes {size} bytes at offset {self._at}, {self.left} are left")
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def u32(self, field: str) -> int:
        return int(_U32.unpack(self.take(4, field))[0])

    def u64(self, field: str) -> int:
        return int(_U64.unpack(self.take(8, field))[0])

    def integer(self, size: int, field: str) -> int:
        """A little-endian integer of ``size`` bytes."""
        return int.from_bytes(self.take(size, field), "little")

    def records(self, dtype: np.dtype[Any], count: int, field: str) -> NDArray[Any]:
        """``count`` records as a read-only view of the file; the view may be unaligned."""
        return np.frombuffer(self.take(count * dtype.itemsize, field), dtype=dtype)

    def words(self, shape: tuple[int, ...], field: str) -> Array:
        """A read-only ``uint64`` view of the file in that shape; the view may be unaligned."""
        count = 1
        for length in shape:
            count *= length
        return self.records(np.dtype(np.uint64), count, field).reshape(shape)

    def finish(self) -> None:
        """Demand that nothing is left."""
        if self.left:
            raise MalformedInput(f"{self.what}: {self.left} bytes follow the last field at offset {self._at}")


@dataclass(frozen=True)
class BinFile:
    """The sections of one file; views into it keep it mapped."""

    name: str
    version: int
    sections: dict[int, memoryview]

    def section(self, number: int, title: str) -> Cursor:
        """A cursor at the start of a section, or :class:`MalformedInput` if there is none."""
        if number not in self.sections:
            raise MalformedInput(f"{self.name}: section {number} ({title}) is missing")
        return Cursor(self.sections[number], f"{self.name}: section {number} ({title})")


def open_sections(source: Source, magic: str, versions: range) -> BinFile:
    """The sections of a file (mapped, not read) or of bytes.

    Raises :class:`NotFound` if there is no such file and :class:`MalformedInput` for another magic or version, a
    section that is there twice or does not end where the file says, and bytes after the last section. A mapped
    file must not be truncated while its views live: the operating system would kill the process.
    """
    data, name = _map(source, magic)
    if len(data) < _HEADER.size:
        raise MalformedInput(f"{name}: a .{magic} file has at least {_HEADER.size} bytes, this has {len(data)}")
    found, version, n_sections = _HEADER.unpack_from(data)
    if found != magic.encode():
        raise MalformedInput(f"{name}: expected the magic {magic!r}, got {found!r}; is it a .{magic} file?")
    if version not in versions:
        raise MalformedInput(f"{name}: .{magic} version {version}, expected {versions[0]} to {versions[-1]}")
    if n_sections > MAX_SECTIONS:
        raise MalformedInput(f"{name}: {n_sections} sections, expected at most {MAX_SECTIONS}")
    sections: dict[int, memoryview] = {}
    cursor = Cursor(data, name)
    cursor.take(_HEADER.size, "the header")
    for index in range(n_sections):
        number, size = _SECTION.unpack(cursor.take(_SECTION.size, f"the head of section {index + 1} of {n_sections}"))
        if number in sections:
            raise MalformedInput(f"{name}: section {number} is there twice")
        sections[number] = cursor.take(size, f"section {number}")
    cursor.finish()
    return BinFile(name, version, sections)


def _map(source: Source, magic: str) -> tuple[memoryview, str]:
    if isinstance(source, (bytes, memoryview)):
        return memoryview(source).cast("B").toreadonly(), f"<{magic} bytes>"
    path = Path(source)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a named pipe must not block
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise MalformedInput(f"{path}: expected a regular file")
            if status.st_size == 0:
                return memoryview(b""), str(path)
            return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)), str(path)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise MalformedInput(f"{path}: cannot be read: {error}") from error


def curve_of_scalar_field(prime: int, where: str) -> Curve:
    """The curve whose Fr has that modulus, or :class:`MalformedInput` naming the modulus."""
    for curve in CURVES.values():
        if curve.r == prime:
            return curve
    known = ", ".join(CURVES)
    raise MalformedInput(f"{where}: the prime {prime:#x} is the scalar field of no curve known here ({known})")


class SectionWriter:
    """Writes sections one after another; a section's size is filled in when it ends."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @contextmanager
    def section(self, number: int) -> Iterator[None]:
        """Everything written inside belongs to section ``number``."""
        self._file.write(_SECTION.pack(number, 0))
        start = self._file.tell()
        yield
        end = self._file.tell()
        self._file.seek(start - 8)
        self._file.write(_U64.pack(end - start))
        self._file.seek(end)

    def u32(self, value: int) -> None:
        self._file.write(_U32.pack(value))

    def u64(self, value: int) -> None:
        self._file.write(_U64.pack(value))

    def integer(self, value: int, size: int) -> None:
        self._file.write(value.to_bytes(size, "little"))

    def raw(self, data: bytes | memoryview) -> None:
        self._file.write(data)

    def array(self, values: NDArray[Any]) -> None:
        """The array's bytes in C order, straight from its memory when it is contiguous."""
        if values.size:
            self._file.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)


@contextmanager
def create(
    path: str | os.PathLike[str], magic: str, version: int, n_sections: int, *, secret: bool = False
) -> Iterator[SectionWriter]:
    """Write a file of ``n_sections`` sections: into a temporary neighbour, then renamed when all went well.

    ``secret`` keeps the file readable to its owner alone (witnesses).
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, 0o600 if secret else 0o666), "wb") as file:
            file.write(_HEADER.pack(magic.encode(), version, n_sections))
            yield SectionWriter(file)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
