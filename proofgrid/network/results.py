"""What came of a request: its proof and its receipt."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import Conflict, NotFound, RequestFailed
from proofgrid.models import AttemptState, Cause, Fulfilment, ProofAnswer
from proofgrid.network.database import AttemptRow, BatchRow, EpochRow, LeafRow, RequestRow
from proofgrid.network.requests import owned
from proofgrid.network.verify import load_submission
from proofgrid.prover.artifacts import ArtifactStore


@dataclass(frozen=True)
class StoredReceipt:
    """``document`` is the receipt's JSON; the chain may be one that this network no longer uses."""

    document: str
    chain_id: str
    is_current_chain: bool


def proof(
    session: Session, store: ArtifactStore, config: NetworkConfig, request_id: str, requester: str
) -> ProofAnswer:
    """The proof that the verifier accepted; raises :class:`Conflict` while there is none, :class:`RequestFailed`."""
    row = owned(session, request_id, requester)
    _require_fulfilled(row)
    digest = session.scalar(
        select(AttemptRow.result_digest).where(
            AttemptRow.request_id == request_id, AttemptRow.state == AttemptState.ACCEPTED
        )
    )
    if digest is None:
        raise NotFound(f"the proof of request {request_id} is not stored")
    submission = load_submission(store, digest, config)
    return ProofAnswer(request_id=request_id, proof=submission.proof, public_inputs=submission.public_inputs)


def receipt(session: Session, request_id: str, requester: str) -> StoredReceipt:
    """The request's receipt; raises :class:`Conflict` while its batch is not on chain, :class:`RequestFailed`."""
    row = owned(session, request_id, requester)
    _require_fulfilled(row)
    found = session.execute(
        select(LeafRow.receipt, EpochRow.chain_id, EpochRow.number)
        .join(BatchRow, BatchRow.id == LeafRow.batch_id)
        .join(EpochRow, EpochRow.number == BatchRow.epoch)
        .where(LeafRow.request_id == request_id)
    ).one_or_none()
    if found is None or found.receipt is None:
        raise Conflict("the proof is verified; its batch is not on chain yet: ask again in a moment")
    latest = session.scalar(select(EpochRow.number).order_by(EpochRow.number.desc()).limit(1))
    return StoredReceipt(found.receipt, found.chain_id, found.number == latest)


def _require_fulfilled(row: RequestRow) -> None:
    if row.fulfilment is Fulfilment.FULFILLED:
        return
    if row.fulfilment.is_terminal:
        cause = None if row.cause is None else Cause.model_validate(row.cause)
        why = f": {cause.code}: {cause.message}" if cause else ""
        raise RequestFailed(f"the request is {row.fulfilment}{why}", cause.code if cause else None)
    raise Conflict(f"the request is {row.fulfilment}: there is no proof yet")
