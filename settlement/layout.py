"""The one home of every byte that crosses between the on-chain program and this client.

Tags, account and argument layouts, account flags, seeds, limits and refusals are declared here;
``program/codegen.py`` renders them as ``program/src/layout.h``. Every layout is little-endian with C's
natural alignment (padding is written as ``reserved`` fields), so that the program reads its structs in place.
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
class Instruction:
    """One instruction: its arguments' layout and its accounts, in order, with the flags the program demands."""

    arguments: Layout
    accounts: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        return self.arguments.name


# Sizes of the encodings (EIP-197: big-endian, G2 as x.c1, x.c0, y.c1, y.c0).
G1_SIZE, G2_SIZE, SCALAR_SIZE = 64, 128, 32
PROOF_SIZE = 2 * G1_SIZE + G2_SIZE  # A, B, C
KEY_FIXED_SIZE = G1_SIZE + 3 * G2_SIZE  # alpha1, beta2, gamma2, delta2; then ic, one G1 point more than public inputs
MAX_PUBLIC_INPUTS = 64
# A key's digest is SHA-256 of this head, n_public (u32 big-endian) and the encoding, as VerifyingKey.digest().
KEY_DIGEST_HEAD = b"proofgrid.verifying-key.v1".ljust(32, b"\0") + b"bn254".ljust(16, b"\0")
ROOT_SIZE = 32
ZERO_ROOT = bytes(ROOT_SIZE)

SEEDS = {"key": b"key", "upload": b"upload", "log": b"log", "batch": b"batch"}

KEY_ACCOUNT = Layout(
    "key_account",
    (Field("digest", 32), Field("n_public", "u32"), Field("bump", "u8"), Field("reserved", 3)),
    discriminator=b"pg.key.1",
)  # followed by the key's encoding
UPLOAD_ACCOUNT = Layout(
    "upload_account",
    (
        Field("authority", 32),
        Field("digest", 32),
        Field("encoding_size", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.upld1",
)  # followed by the part of the encoding that has arrived
LOG_ACCOUNT = Layout(
    "log_account",
    (
        Field("committer", 32),
        Field("next_number", "u64"),
        Field("latest_root", ROOT_SIZE),
        Field("bump", "u8"),
        Field("reserved", 7),
    ),
    discriminator=b"pg.log.1",
)
BATCH_ACCOUNT = Layout(
    "batch_account",
    (
        Field("committer", 32),
        Field("number", "u64"),
        Field("prev_root", ROOT_SIZE),
        Field("root", ROOT_SIZE),
        Field("slot", "u64"),
        Field("unix_time_s", "i64"),
        Field("leaf_count", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.batch",
)
ACCOUNTS = (KEY_ACCOUNT, UPLOAD_ACCOUNT, LOG_ACCOUNT, BATCH_ACCOUNT)

INIT_KEY = Instruction(
    Layout("init_key", (Field("reserved", 3), Field("encoding_size", "u32"), Field("digest", 32)), tag=0),
    (("authority", SIGNER | WRITABLE), ("upload", WRITABLE), ("system_program", 0)),
)
WRITE_KEY = Instruction(
    Layout("write_key", (Field("reserved", 3), Field("offset", "u32")), tag=1),  # then the chunk
    (("authority", SIGNER), ("upload", WRITABLE)),
)
FINALIZE_KEY = Instruction(
    Layout("finalize_key", (), tag=2),
    (("authority", SIGNER | WRITABLE), ("upload", WRITABLE), ("key", WRITABLE), ("system_program", 0)),
)
CANCEL_KEY = Instruction(
    Layout("cancel_key", (), tag=3),
    (("authority", SIGNER | WRITABLE), ("upload", WRITABLE)),
)
VERIFY_GROTH16 = Instruction(
    Layout("verify_groth16", (Field("reserved", 7), Field("proof", PROOF_SIZE)), tag=4),  # then the public inputs
    (("key", 0),),
)
COMMIT_BATCH = Instruction(
    Layout(
        "commit_batch",
        (
            Field("batch_bump", "u8"),
            Field("reserved", 2),
            Field("leaf_count", "u32"),
            Field("number", "u64"),
            Field("prev_root", ROOT_SIZE),
            Field("root", ROOT_SIZE),
        ),
        tag=5,
    ),
    (("committer", SIGNER | WRITABLE), ("log", WRITABLE), ("batch", WRITABLE), ("system_program", 0)),
)
INSTRUCTIONS = (INIT_KEY, WRITE_KEY, FINALIZE_KEY, CANCEL_KEY, VERIFY_GROTH16, COMMIT_BATCH)
