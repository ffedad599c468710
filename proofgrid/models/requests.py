"""A requester's messages: what is asked for, how it stands, what came of it."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from proofgrid.models.causes import Cause
from proofgrid.models.fields import Decimal, Digest, IdempotencyKey, Lamports, Message, RequestId, UnixTime
from proofgrid.models.market import ProverKey
from proofgrid.models.statuses import AttemptState, Fulfilment, Settlement, Verification

MAX_RECIPIENTS = 32
SealedKey = Annotated[str, Field(pattern=r"^[0-9a-f]{270}$")]
"""An envelope's key, sealed to one recipient (``prover.sealing.SEALED_KEY_BYTES``), hex."""


class InputKind(StrEnum):
    """What lies in the sealed artifact."""

    WITNESS = "witness"  # a .wtns file
    INPUTS = "inputs"  # the circuit's JSON inputs; the worker runs the circuit's wasm


class ProofRequest(Message):
    """A request for one proof. The same ``idempotency_key`` from the same requester is the same request."""

    idempotency_key: IdempotencyKey
    circuit_id: Digest
    sealed_digest: Digest
    """The uploaded artifact: an envelope with a witness or inputs for this circuit."""
    input_kind: InputKind
    expected_public_inputs: Annotated[tuple[Decimal, ...], Field(max_length=4096)] | None = None
    """A proof of any other statement is refused, if given."""
    deadline_s: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600.0
    pay_until_s: Annotated[float, Field(gt=0, le=7 * 86400)] | None = None
    """The first deadline: full price until it, a part of it (the network's late rule) until ``deadline_s``."""
    max_price_lamports: Lamports
    is_price_default: bool = False
    """The cap came from a quote, not from the caller: then it is no part of what makes two requests the same."""
    allow: Annotated[tuple[ProverKey, ...], Field(max_length=64)] | None = None
    """Only these provers, if given."""
    deny: Annotated[tuple[ProverKey, ...], Field(max_length=64)] = ()
    recipients: Annotated[dict[ProverKey, SealedKey], Field(min_length=1, max_length=MAX_RECIPIENTS)] | None = None
    """Who can open the artifact, each with its key sealed to it; None: it is sealed to the fleet's key itself."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.pay_until_s is not None and self.pay_until_s > self.deadline_s:
            raise ValueError("pay_until_s must not lie after deadline_s")
        return self


class AttemptView(Message):
    """One attempt as its requester sees it."""

    number: int
    state: AttemptState
    prover: str | None = None
    """Its key; None: the operator's own fleet."""
    price_lamports: int | None = None
    """What the market settled for this attempt."""
    worker: str | None
    progress: float
    cause: Cause | None
    claimed_at: UnixTime | None
    submitted_at: UnixTime | None
    finished_at: UnixTime | None


class RequestStatus(Message):
    """How a request stands."""

    id: RequestId
    circuit_id: Digest
    fulfilment: Fulfilment
    verification: Verification
    settlement: Settlement
    progress: float
    """Share of the running proof that is done, 0.0 to 1.0."""
    cause: Cause | None
    attempts: tuple[AttemptView, ...]
    price_lamports: int | None
    created_at: UnixTime
    deadline_at: UnixTime
    pay_until_at: UnixTime | None = None
    fulfilled_at: UnixTime | None
    committed_at: UnixTime | None


class ProofAnswer(Message):
    """A verified proof, in snarkjs' forms."""

    request_id: RequestId
    proof: dict[str, Any]
    public_inputs: tuple[Decimal, ...]


class ReceiptAnswer(Message):
    """A receipt (``proofgrid.verifier.receipts.Receipt``) and the chain that holds its root."""

    receipt: dict[str, Any]
    chain_id: str
    is_current_chain: bool
    """False where the root was committed to a chain that this network no longer uses (a devnet that restarted)."""
