"""A batch's data for whoever watches the chain: what its root commits to, from the database and the store."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import MalformedInput, NotFound
from proofgrid.models import AttemptState, BatchState
from proofgrid.network.database import AttemptRow, BatchRow, CircuitRow, LeafRow, RequestRow
from proofgrid.network.verify import load_submission
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.settlement.layout.keys import MAX_PUBLIC_INPUTS
from proofgrid.settlement.watcher.documents import BatchData, LeafData, Statement
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.receipts import Leaf

_CURVE = "bn254"  # what the program verifies


def batch_data(session: Session, store: ArtifactStore, config: NetworkConfig, root: str) -> BatchData:
    """The data of the batch with this root (hex); raises NotFound.

    A leaf whose proof the store has lost, or that the program cannot verify, comes alone. Cost: a file of the store for
    each leaf, and the check of each verifying key.
    """
    batch = session.scalar(select(BatchRow.id).where(BatchRow.root == root, BatchRow.state != BatchState.ABANDONED))
    if batch is None:
        raise NotFound(f"no batch of this network has the root {root}")
    rows = session.execute(
        select(LeafRow.data, AttemptRow.result_digest, CircuitRow.curve, CircuitRow.verifying_key)
        .join(RequestRow, RequestRow.id == LeafRow.request_id)
        .join(CircuitRow, CircuitRow.id == RequestRow.circuit_id)
        .outerjoin(
            AttemptRow, (AttemptRow.request_id == LeafRow.request_id) & (AttemptRow.state == AttemptState.ACCEPTED)
        )
        .where(LeafRow.batch_id == batch)
        .order_by(LeafRow.position)
    ).all()
    leaves, keys = [], {}
    for data, digest, curve, verifying_key in rows:
        leaf = Leaf.decode(data)
        is_ours = curve == _CURVE and verifying_key["nPublic"] <= MAX_PUBLIC_INPUTS
        if is_ours and leaf.verifying_key_digest not in keys:
            keys[leaf.verifying_key_digest] = _encoding(verifying_key)
        leaves.append(LeafData.of(leaf, _statement(store, config, digest) if is_ours else None))
    return BatchData(leaves, keys)


def _encoding(verifying_key: dict[str, Any]) -> bytes:
    return VerifyingKey.from_json(verifying_key).encode()


def _statement(store: ArtifactStore, config: NetworkConfig, digest: str | None) -> Statement | None:
    try:
        submission = load_submission(store, digest or "", config)
        inputs = tuple(int(value).to_bytes(32, "big") for value in submission.public_inputs)
        return Statement(inputs, Proof.from_json(submission.proof).encode())
    except (NotFound, MalformedInput, OverflowError):
        return None
