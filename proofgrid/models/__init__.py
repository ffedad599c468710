"""What travels between the rooms: statuses, causes, and the messages of the HTTP API and the task queue.

Messages are frozen pydantic models that refuse fields they do not know. Nothing here imports another room.
"""

from proofgrid.models.causes import Cause, CauseCode
from proofgrid.models.circuits import CircuitInfo, CircuitRegistration
from proofgrid.models.leases import (
    Claim,
    Failure,
    Heartbeat,
    HeartbeatAnswer,
    Lease,
    ProveTask,
    Submission,
    WorkerPulse,
)
from proofgrid.models.requests import (
    MAX_RECIPIENTS,
    AttemptView,
    InputKind,
    ProofAnswer,
    ProofRequest,
    ReceiptAnswer,
    RequestStatus,
)
from proofgrid.models.service import Component, ErrorAnswer, Health, NetworkInfo, error_of_answer
from proofgrid.models.statuses import AttemptState, BatchState, Fulfilment, Settlement, Verification

__all__ = [
    "MAX_RECIPIENTS",
    "AttemptState",
    "AttemptView",
    "BatchState",
    "Cause",
    "CauseCode",
    "CircuitInfo",
    "CircuitRegistration",
    "Claim",
    "Component",
    "ErrorAnswer",
    "Failure",
    "Fulfilment",
    "Health",
    "Heartbeat",
    "HeartbeatAnswer",
    "InputKind",
    "Lease",
    "NetworkInfo",
    "ProofAnswer",
    "ProofRequest",
    "ProveTask",
    "ReceiptAnswer",
    "RequestStatus",
    "Settlement",
    "Submission",
    "Verification",
    "WorkerPulse",
    "error_of_answer",
]
