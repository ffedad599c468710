"""Between coordinator and worker: the task queue's message and the lease API."""

from typing import Annotated, Any

from pydantic import Field

from proofgrid.models.causes import Cause
from proofgrid.models.fields import AttemptId, Decimal, Digest, Message, RequestId, Token, UnixTime, WorkerName
from proofgrid.models.requests import InputKind, SealedKey

MAX_TASK_BYTES = 64 << 10


class ProveTask(Message):
    """What the task queue carries: names and a fencing token, never a blob."""

    attempt_id: AttemptId
    token: Token
    request_id: RequestId
    gateway_url: str
    circuit_id: Digest
    zkey_digest: Digest
    wasm_digest: Digest | None
    sealed_digest: Digest
    sealed_key: SealedKey | None = None
    """The artifact's key, sealed to the attempt's prover; None: the artifact is sealed to the fleet's key itself."""
    input_kind: InputKind


class Claim(Message):
    """A worker takes an attempt."""

    worker: WorkerName


class Lease(Message):
    """The terms: a heartbeat at least each ``heartbeat_s``; after ``timeout_s`` of silence the lease is lost."""

    attempt_id: AttemptId
    deadline_at: UnixTime
    heartbeat_s: float
    timeout_s: float


class Heartbeat(Message):
    """The holder of a lease lives."""

    progress: Annotated[float, Field(ge=0, le=1)] = 0.0


class HeartbeatAnswer(Message):
    """When the lease ends unless another heartbeat comes."""

    lease_ends_at: UnixTime


class Submission(Message):
    """A proof, in snarkjs' forms, made under a lease."""

    proof: dict[str, Any]
    public_inputs: Annotated[tuple[Decimal, ...], Field(max_length=4096)]


class Failure(Message):
    """A worker gives up. ``final`` says that no other worker would do better."""

    cause: Cause
    final: bool


class WorkerPulse(Message):
    """A worker lives, busy or idle."""

    backend: Annotated[str, Field(max_length=64)]
    version: Annotated[str, Field(max_length=32)]
    fleet_key: Digest
    """The public key that it opens witnesses with; another fleet's is refused."""
    started_at: UnixTime
