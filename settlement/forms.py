"""How the records and instructions of the on-chain program are declared; :mod:`.layout` declares them.

Every record is little-endian with C's natural alignment (padding is written as ``reserved`` fields), so that the
program reads its structs in place.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from proofgrid.errors import MalformedInput

_SCALARS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i64": "q"}

Value = int | bytes


@dataclass(frozen=True)
class Field:
    """One member of a layout: ``kind`` is a scalar's name or a number of bytes."""

    name: str
    kind: str | int

    @property
    def size(self) -> int:
        return self.kind if isinstance(self.kind, int) else struct.calcsize("<" + _SCALARS[self.kind])

    @property
    def code(self) -> str:
        return f"{self.kind}s" if isinstance(self.kind, int) else _SCALARS[self.kind]


@dataclass(frozen=True)
class Layout:
    """A fixed-width record; accounts open with eight bytes that name their type, arguments with their tag."""

    name: str
    fields: tuple[Field, ...]
    discriminator: bytes | None = None
    tag: int | None = None

    @cached_property
    def _all(self) -> tuple[Field, ...]:
        head = () if self.discriminator is None else (Field("discriminator", 8),)
        tag = () if self.tag is None else (Field("tag", "u8"),)
        return head + tag + self.fields

    @cached_property
    def _struct(self) -> struct.Struct:
        return struct.Struct("<" + "".join(field.code for field in self._all))

    @property
    def members(self) -> tuple[Field, ...]:
        """All fields, the discriminator or the tag among them, in order."""
        return self._all

    @property
    def size(self) -> int:
        """Bytes."""
        return self._struct.size

    def offset(self, name: str) -> int:
        """Bytes before the field called ``name``."""
        position = 0
        for field in self._all:
            if field.name == name:
                return position
            position += field.size
        raise KeyError(f"{self.name} has no field {name}")

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The record's bytes; reserved fields are zero. Raises MalformedInput for a value that does not fit."""
        given: dict[str, Value] = dict(values)
        if self.discriminator is not None:
            given["discriminator"] = self.discriminator
        if self.tag is not None:
            given["tag"] = self.tag
        for field in self._all:
            value = given.setdefault(field.name, bytes(field.size)) if field.name.startswith("reserved") else None
            value = given[field.name] if value is None else value
            if isinstance(field.kind, int) and (not isinstance(value, bytes) or len(value) != field.kind):
                raise MalformedInput(f"{self.name}.{field.name} must be {field.kind} bytes")
        try:
            return self._struct.pack(*(given[field.name] for field in self._all))
        except struct.error as error:
            raise MalformedInput(f"{self.name}: a value does not fit its field: {error}") from None

    def decode(self, data: bytes) -> dict[str, Value]:
        """The fields of exactly ``size`` bytes.

        Raises MalformedInput on another length, another discriminator or tag, or a reserved byte that is not zero.
        """
        if len(data) != self.size:
            raise MalformedInput(f"{self.name} takes {self.size} bytes, got {len(data)}")
        values: dict[str, Value] = dict(zip((f.name for f in self._all), self._struct.unpack(data), strict=True))
        if values.pop("discriminator", None) != self.discriminator or values.pop("tag", None) != self.tag:
            raise MalformedInput(f"these bytes are not a {self.name}: their first bytes say something else")
        for name in [name for name in values if name.startswith("reserved")]:
            if any(values.pop(name)):  # type: ignore[arg-type]  # reserved fields are bytes
                raise MalformedInput(f"{self.name}.{name} must be zero")
        return values


SIGNER, WRITABLE = 1, 2


@dataclass(frozen=True)
class Use:
    """One account of an instruction: its name there, what it must be (flags), and of which type if it exists already.

    ``of`` is a record that the program owns, or :data:`SYSTEM_PROGRAM` or :data:`TOKEN_PROGRAM`; the program checks all
    of it before an instruction's own code runs. None: the instruction checks the account itself.
    """

    name: str
    flags: int = 0
    of: "Layout | str | None" = None


SYSTEM_PROGRAM = Use("system_program", 0, "system_program")
TOKEN_PROGRAM = Use("token_program", 0, "token_program")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its arguments' layout and the accounts it takes, in order.

    ``tail``: more bytes may follow the arguments. ``uploadable``: they may stand in an upload instead, which is then
    one account more, after the others.
    """

    arguments: Layout
    accounts: tuple[Use, ...]
    tail: bool = False
    uploadable: bool = False

    @property
    def name(self) -> str:
        return self.arguments.name
