"""Readers of the program's accounts: bytes that are not such an account raise MalformedInput."""

from dataclasses import dataclass
from typing import cast

from proofgrid.errors import MalformedInput
from proofgrid.settlement.layout import (
    BATCH_ACCOUNT,
    G1_SIZE,
    KEY_ACCOUNT,
    KEY_FIXED_SIZE,
    LOG_ACCOUNT,
    MAX_PUBLIC_INPUTS,
    UPLOAD_ACCOUNT,
    Layout,
    Value,
)


@dataclass(frozen=True)
class KeyAccount:
    """A registered verifying key; ``encoding`` is ``VerifyingKey.encode()``."""

    digest: bytes
    n_public: int
    bump: int
    encoding: bytes

    @classmethod
    def decode(cls, data: bytes) -> "KeyAccount":
        values, encoding = _split(KEY_ACCOUNT, data)
        n_public = cast(int, values["n_public"])
        if n_public > MAX_PUBLIC_INPUTS or len(encoding) != key_encoding_size(n_public):
            raise MalformedInput(f"a key account with {n_public} inputs does not hold {len(encoding)} bytes of key")
        return cls(**values, encoding=encoding)  # type: ignore[arg-type]


@dataclass(frozen=True)
class UploadAccount:
    """An upload of a verifying key that is not finished; ``encoding`` is what has arrived, the rest zeros."""

    authority: bytes
    digest: bytes
    encoding_size: int
    bump: int
    encoding: bytes

    @classmethod
    def decode(cls, data: bytes) -> "UploadAccount":
        values, encoding = _split(UPLOAD_ACCOUNT, data)
        size = cast(int, values["encoding_size"])
        if len(encoding) != size:
            raise MalformedInput(f"an upload of {size} bytes does not hold {len(encoding)}")
        return cls(**values, encoding=encoding)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LogAccount:
    """A committer's log: the number its next batch must have and the root that batch must follow."""

    committer: bytes
    next_number: int
    latest_root: bytes
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "LogAccount":
        return cls(**LOG_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class BatchAccount:
    """One committed batch; ``slot`` and ``unix_time_s`` are the chain's when it was written."""

    committer: bytes
    number: int
    prev_root: bytes
    root: bytes
    slot: int
    unix_time_s: int
    leaf_count: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "BatchAccount":
        return cls(**BATCH_ACCOUNT.decode(data))  # type: ignore[arg-type]


def key_encoding_size(n_public: int) -> int:
    """Bytes of a BN254 verifying key with this many public inputs."""
    return KEY_FIXED_SIZE + G1_SIZE * (n_public + 1)


def _split(record: Layout, data: bytes) -> tuple[dict[str, Value], bytes]:
    return record.decode(data[: record.size]), data[record.size :]
