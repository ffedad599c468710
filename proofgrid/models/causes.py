"""Why a request or an attempt ended as it did, in words that the requester can read."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from proofgrid.models.fields import Message


class CauseCode(StrEnum):
    """The stable name of a reason."""

    # final: no other worker would do better
    UNSATISFIED_CIRCUIT = "unsatisfied_circuit"
    MALFORMED_INPUT = "malformed_input"
    PRICE_BELOW_ASK = "price_below_ask"
    DEADLINE_PASSED = "deadline_passed"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CANCELLED_BY_REQUESTER = "cancelled_by_requester"
    # of one attempt: the request goes to another
    WORKER_LOST = "worker_lost"
    NOT_CLAIMED = "not_claimed"  # the prover that won it did not come
    FALSE_PROOF = "false_proof"  # the worker's own check failed: a bad witness or a bad machine
    INVALID_PROOF = "invalid_proof"  # the coordinator's verifier said no
    INPUTS_MISMATCH = "inputs_mismatch"  # a true proof of another statement
    ARTIFACT_UNAVAILABLE = "artifact_unavailable"
    BACKEND_UNAVAILABLE = "backend_unavailable"
    PROVER_ERROR = "prover_error"
    REQUEST_ENDED = "request_ended"


class Cause(Message):
    """A reason: a stable code and a sentence. Never a secret, never a witness value."""

    code: CauseCode
    message: Annotated[str, Field(max_length=2000)] = ""
