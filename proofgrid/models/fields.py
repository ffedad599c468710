"""The types that messages share: digests, names, amounts, times."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """A frozen message; unknown fields are refused, so that a misspelt option is never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 as 64 lower-case hex digits."""

RequestId = Digest
AttemptId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Token = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
WorkerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,96}$")]
CircuitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._ -]{1,96}$")]
IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]

Lamports = Annotated[int, Field(ge=0, lt=1 << 63)]
"""Below 2^63, so that a database's signed 64-bit column holds it."""

UnixTime = float
"""Seconds since 1970-01-01 UTC."""

Decimal = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
"""A field element as snarkjs writes it."""
