"""What the SDK hands out: circuits, and proofs that were checked on this machine."""

from dataclasses import dataclass

from proofgrid.models import CircuitInfo, RequestStatus
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.receipts import Receipt


@dataclass(frozen=True)
class Circuit:
    """A registered circuit. ``verifying_key`` is the requester's own: what comes back is checked against it."""

    id: str
    name: str
    verifying_key: VerifyingKey
    takes_inputs: bool
    """Registered with its wasm, so that inputs will do; else a witness is needed."""

    @classmethod
    def of(cls, info: CircuitInfo, verifying_key: VerifyingKey) -> "Circuit":
        return cls(info.id, info.name, verifying_key, info.wasm_digest is not None)


@dataclass(frozen=True)
class Fulfilled:
    """A proof, its public inputs and its receipt, all checked here before they are handed out."""

    request_id: str
    proof: Proof
    public_inputs: tuple[int, ...]
    receipt: Receipt
    chain_id: str
    is_current_chain: bool
    """False if the receipt's root lies on a chain that the network no longer uses."""
    on_chain: bool
    """True if the root was also read from the chain (the client has an ``rpc_url``)."""
    status: RequestStatus
    """How the request stood at the end: times, attempts, price."""
