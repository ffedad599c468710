"""The one error tree of the package.

    ProofgridError(code, retryable)
    ├── MalformedInput        bytes, files or arguments are not what they claim to be
    │   └── TooLarge          more bytes than is accepted here
    ├── InvalidProof          well formed and false: the verifier's no
    ├── UnsatisfiedCircuit    the inputs do not satisfy the circuit; says which constraint or assertion
    ├── BackendUnavailable    the kernels asked for cannot run here; says why
    ├── Cancelled             the caller asked to stop
    ├── RequestFailed         a proof request ended without a proof; says why
    ├── NotFound              no such request, artifact or receipt
    ├── AccessDenied          no token, or one that does not open this door
    ├── Conflict              the state moved on: stale fencing token, reused idempotency key
    ├── QueueError            the task queue or the coordinator cannot be reached
    └── SettlementError
        ├── ChainUnavailable  the RPC endpoint does not answer
        ├── BalanceTooLow     the hot key cannot pay for the next batch; says how much it needs
        └── ProgramRefused    the on-chain program said no, by the refusal's name

A message says what was expected, what came, where, and what to do next. It never holds a secret or a
witness value.
"""

from typing import ClassVar


class ProofgridError(Exception):
    """Base of every error that the package raises on purpose.

    ``code`` is stable and machine-readable (``--json`` and the HTTP API carry it); ``retryable`` says
    whether the same call may succeed later without any change.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class MalformedInput(ProofgridError):
    """Bytes, a file or an argument that is not what it claims to be."""

    code = "malformed_input"


class TooLarge(MalformedInput):
    """More bytes than is accepted here."""

    code = "too_large"


class InvalidProof(ProofgridError):
    """A well-formed proof that is false: the verifier's no, never an accident."""

    code = "invalid_proof"


class UnsatisfiedCircuit(ProofgridError):
    """Inputs or a witness that do not satisfy the circuit."""

    code = "unsatisfied_circuit"


class BackendUnavailable(ProofgridError):
    """The kernels asked for cannot run on this machine."""

    code = "backend_unavailable"


class Cancelled(ProofgridError):
    """The caller asked a running computation to stop."""

    code = "cancelled"


class RequestFailed(ProofgridError):
    """A proof request reached a terminal state without a proof; ``cause`` is the reason's stable name."""

    code = "request_failed"

    def __init__(self, message: str, cause: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class NotFound(ProofgridError):
    """No request, artifact or receipt has that name."""

    code = "not_found"


class AccessDenied(ProofgridError):
    """The caller shows no token, or one that does not open this door."""

    code = "access_denied"


class Conflict(ProofgridError):
    """The state has moved on: a stale fencing token or a reused idempotency key."""

    code = "conflict"


class QueueError(ProofgridError):
    """The task queue or the coordinator cannot be reached."""

    code = "queue_unavailable"
    retryable = True


class SettlementError(ProofgridError):
    """Something about the chain went wrong."""

    code = "settlement_error"


class ChainUnavailable(SettlementError):
    """The chain's RPC endpoint does not answer."""

    code = "chain_unavailable"
    retryable = True


class BalanceTooLow(SettlementError):
    """The key that pays for transactions has too few lamports for the next; nothing was signed."""

    code = "balance_too_low"
    retryable = True


class ProgramRefused(SettlementError):
    """The on-chain program refused an instruction; ``name`` is the refusal's name."""

    code = "program_refused"

    def __init__(self, name: str, message: str | None = None) -> None:
        super().__init__(message or f"the program refused the instruction: {name}")
        self.name = name
