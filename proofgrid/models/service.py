"""What the gateway says of itself."""

from typing import Any

from proofgrid.errors import ProgramRefused, ProofgridError
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


class ErrorAnswer(Message):
    """Every refusal of the HTTP API."""

    code: str
    message: str
    retryable: bool
    details: dict[str, Any] | None = None

    @classmethod
    def of(cls, error: ProofgridError) -> "ErrorAnswer":
        """The answer that says this error."""
        details = {"name": error.name} if isinstance(error, ProgramRefused) else None
        return cls(code=error.code, message=str(error), retryable=error.retryable, details=details)

    def to_error(self) -> ProofgridError:
        """The error that was answered; of a code that this version does not know, a :class:`ProofgridError`."""
        kind = error_classes().get(self.code, ProofgridError)
        if kind is ProgramRefused:
            return ProgramRefused(str((self.details or {}).get("name", "unknown")), self.message)
        return kind(self.message)


def error_classes() -> dict[str, type[ProofgridError]]:
    """The error tree by code; of two classes that share a code, the one nearer to the root."""
    found: dict[str, type[ProofgridError]] = {}
    level: list[type[ProofgridError]] = [ProofgridError]
    while level:
        for kind in level:
            found.setdefault(kind.code, kind)
        level = [child for kind in level for child in kind.__subclasses__() if child.__module__ == "proofgrid.errors"]
    return found
