"""What the gateway says of itself."""

import hashlib
from typing import Any

from pydantic import ValidationError

from proofgrid.errors import ProgramRefused, ProofgridError, QueueError, RequestFailed
from proofgrid.models.fields import Lamports, Message, UnixTime


class Component(Message):
    """One part of the service; ready means that it did its work recently, not that its process exists."""

    name: str
    ready: bool
    last_tick_at: UnixTime | None
    detail: str = ""


class Health(Message):
    """Ready if every component is."""

    ready: bool
    components: tuple[Component, ...]


class NetworkInfo(Message):
    """What a requester must know before the first request."""

    version: str
    chain_id: str
    program_id: str
    committer: str
    rpc_url: str | None
    fleet_key: str
    """The fleet's ed25519 key, hex: it names the prover in leaves, and witnesses are sealed to its X25519 form."""
    ask_lamports: Lamports
    limits: dict[str, int]

    @property
    def audience(self) -> str:
        """The name that signed calls to this network carry: its chain and its program, shortened."""
        return f"{self.chain_id}:{hashlib.sha256(self.program_id.encode()).hexdigest()[:16]}"


class ErrorAnswer(Message):
    """Every refusal of the HTTP API."""

    code: str
    message: str
    retryable: bool
    details: dict[str, Any] | None = None

    @classmethod
    def of(cls, error: ProofgridError) -> "ErrorAnswer":
        """The answer that says this error."""
        details = None
        if isinstance(error, ProgramRefused):
            details = {"name": error.name}
        elif isinstance(error, RequestFailed) and error.cause is not None:
            details = {"cause": error.cause}
        return cls(code=error.code, message=str(error), retryable=error.retryable, details=details)

    def to_error(self) -> ProofgridError:
        """The error that was answered; of a code that this version does not know, a :class:`ProofgridError`."""
        kind = error_classes().get(self.code, ProofgridError)
        details = self.details or {}
        if kind is ProgramRefused:
            return ProgramRefused(str(details.get("name", "unknown")), self.message)
        if kind is RequestFailed:
            return RequestFailed(self.message, details.get("cause"))
        return kind(self.message)


def error_of_answer(status: int, content: bytes) -> ProofgridError:
    """The error that a gateway's answer says; an answer that is not ours is :class:`QueueError`."""
    try:
        return ErrorAnswer.model_validate_json(content).to_error()
    except ValidationError:
        return QueueError(f"the gateway answered with HTTP status {status} and did not say why")


def error_classes() -> dict[str, type[ProofgridError]]:
    """The error tree by code; of two classes that share a code, the one nearer to the root."""
    found: dict[str, type[ProofgridError]] = {}
    level: list[type[ProofgridError]] = [ProofgridError]
    while level:
        for kind in level:
            found.setdefault(kind.code, kind)
        level = [child for kind in level for child in kind.__subclasses__() if child.__module__ == "proofgrid.errors"]
    return found
