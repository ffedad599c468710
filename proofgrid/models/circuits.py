"""Circuits as the network knows them."""

from typing import Any

from proofgrid.models.fields import CircuitName, Digest, Message


class CircuitRegistration(Message):
    """A circuit whose artifacts have been uploaded."""

    name: CircuitName
    zkey_digest: Digest
    wasm_digest: Digest | None = None


class CircuitInfo(CircuitRegistration):
    """A registered circuit; ``id`` is SHA-256 over its artifacts' digests, so equal artifacts are one circuit."""

    id: Digest
    curve: str
    n_public: int
    domain_size: int = 0
    """Constraints that a proof is made over, a power of two: what a price counts in. 0: not known; register again."""
    verifying_key_digest: Digest
    verifying_key: dict[str, Any]
    """snarkjs' ``verification_key.json``."""
