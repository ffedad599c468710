"""The settle loop: valid proofs become leaves, leaves a root, the root a transaction, the transaction receipts.

Each step is written to the database before the next begins, so a crash anywhere is resumed by the next tick:
leaves and root, then signature and bytes, then sending, then receipts. One batch is under way at a time, since
each root names its predecessor.
"""

import logging

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import ProgramRefused, SettlementError
from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Submission, Verification
from proofgrid.network.chain import Chain, Outcome
from proofgrid.network.database import AttemptRow, BatchRow, Database, EpochRow, LeafRow, RequestRow
from proofgrid.network.transitions import move_batch, move_settlement
from proofgrid.network.verify import load_submission
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.verifier.keys import Proof
from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.receipts import Leaf, Receipt, digest_public_inputs

log = logging.getLogger(__name__)

_UNDER_WAY = (BatchState.BUILT, BatchState.SIGNED)


def settle(
    database: Database, store: ArtifactStore, chain: Chain, config: NetworkConfig, prover: bytes, now: float
) -> int:
    """Drive the batch under way as far as it goes, or begin one; number of requests committed by this call.

    ``prover`` is the fleet's ed25519 public key. Raises :class:`~proofgrid.errors.SettlementError`.
    """
    epoch = enter_epoch(database, chain, now)
    batch = _under_way(database, epoch) or build(database, store, chain, config, epoch, prover, now)
    if batch is None:
        return 0
    if batch.state is BatchState.BUILT:
        batch = sign(database, chain, batch)
    return conclude(database, chain, batch, now)


def enter_epoch(database: Database, chain: Chain, now: float) -> int:
    """The number of this chain's epoch. Batches under way on another chain are abandoned, their leaves set free."""
    names = {"chain_id": chain.chain_id, "program_id": chain.program_id, "committer": chain.committer}
    with database.writing() as session:
        epoch = session.scalar(select(EpochRow).filter_by(**names))
        if epoch is None:
            epoch = EpochRow(**names, started_at=now)
            session.add(epoch)
            session.flush()
        stranded = session.scalars(
            select(BatchRow).where(BatchRow.epoch != epoch.number, BatchRow.state.in_(_UNDER_WAY))
        ).all()
        for batch in stranded:
            move_batch(session, batch.id, batch.state, BatchState.ABANDONED)
            session.execute(delete(LeafRow).where(LeafRow.batch_id == batch.id))
            log.warning("batch %d of epoch %d is abandoned: its chain is gone", batch.number, batch.epoch)
        return epoch.number


def _under_way(database: Database, epoch: int) -> BatchRow | None:
    with database.reading() as session:
        return session.scalar(select(BatchRow).where(BatchRow.epoch == epoch, BatchRow.state.in_(_UNDER_WAY)))


def build(
    database: Database,
    store: ArtifactStore,
    chain: Chain,
    config: NetworkConfig,
    epoch: int,
    prover: bytes,
    now: float,
) -> BatchRow | None:
    """Write the next batch if enough proofs wait, or one waits long enough; None if not."""
    with database.reading() as session:
        if not _is_due(_waiting(session, config.batch_size), config, now):
            return None
    head = chain.head()
    with database.writing() as session:
        rows = _waiting(session, config.batch_size)
        if not _is_due(rows, config, now):
            return None
        leaves = [_leaf(store, config, request, digest, prover).encode() for request, digest in rows]
        batch = BatchRow(
            epoch=epoch,
            number=head.next_number,
            prev_root=head.latest_root.hex(),
            root=MerkleTree(leaves).root.hex(),
            n_leaves=len(leaves),
            state=BatchState.BUILT,
            created_at=now,
        )
        batch.leaves = [
            LeafRow(request_id=request.id, position=position, data=data)
            for position, ((request, _), data) in enumerate(zip(rows, leaves, strict=True))
        ]
        session.add(batch)
        session.flush()
        return batch


def _waiting(session: Session, limit: int) -> list[tuple[RequestRow, str]]:
    """Fulfilled requests that have no leaf, in order of arrival, and the digests of their proofs."""
    rows = session.execute(
        select(RequestRow, AttemptRow.result_digest)
        .join(AttemptRow, AttemptRow.request_id == RequestRow.id)
        .outerjoin(LeafRow, LeafRow.request_id == RequestRow.id)
        .where(
            RequestRow.fulfilment == Fulfilment.FULFILLED,
            RequestRow.verification == Verification.VALID,
            RequestRow.settlement == Settlement.UNSETTLED,
            AttemptRow.state == AttemptState.ACCEPTED,
            LeafRow.request_id.is_(None),
        )
        .order_by(RequestRow.sequence)
        .limit(limit)
    ).all()
    return [(request, digest) for request, digest in rows if digest is not None]


def _is_due(rows: list[tuple[RequestRow, str]], config: NetworkConfig, now: float) -> bool:
    if len(rows) >= config.batch_size:
        return True
    fulfilled_at = [request.fulfilled_at for request, _ in rows if request.fulfilled_at is not None]
    return bool(fulfilled_at) and min(fulfilled_at) <= now - config.timing.batch_age_s


def _leaf(store: ArtifactStore, config: NetworkConfig, request: RequestRow, digest: str, prover: bytes) -> Leaf:
    submission: Submission = load_submission(store, digest, config)
    return Leaf(
        request_id=bytes.fromhex(request.id),
        verifying_key_digest=bytes.fromhex(request.circuit.verifying_key_digest),
        public_inputs_digest=digest_public_inputs([int(value) for value in submission.public_inputs]),
        proof_digest=Proof.from_json(submission.proof).digest(),
        prover=prover,
        price_lamports=request.price_lamports or 0,
    )


def sign(database: Database, chain: Chain, batch: BatchRow) -> BatchRow:
    """Sign the batch's transaction and store it, signature and bytes, before anyone can send it."""
    signed = chain.sign_batch(batch.number, bytes.fromhex(batch.prev_root), bytes.fromhex(batch.root), batch.n_leaves)
    with database.writing() as session:
        move_batch(
            session,
            batch.id,
            BatchState.BUILT,
            BatchState.SIGNED,
            signature=signed.signature,
            transaction=signed.transaction,
            last_valid_block_height=signed.last_valid_block_height,
            address=signed.address,
        )
        return session.get_one(BatchRow, batch.id)


def conclude(database: Database, chain: Chain, batch: BatchRow, now: float) -> int:
    """Send a signed batch (again) and write receipts if it landed; the number of receipts.

    A transaction that expired or was refused is signed anew, unless the chain holds this root already.
    """
    if batch.signature is None or batch.transaction is None or batch.last_valid_block_height is None:
        raise SettlementError(f"batch {batch.number} is signed but its transaction is not stored")
    try:
        outcome = chain.outcome(batch.signature, batch.last_valid_block_height)
        if outcome is Outcome.PENDING:
            chain.broadcast(batch.transaction)
            outcome = chain.outcome(batch.signature, batch.last_valid_block_height)
    except ProgramRefused as error:
        return _settle_refused(database, chain, batch, error, now)
    if outcome is Outcome.LANDED:
        return _write_receipts(database, chain, batch, now)
    if outcome is Outcome.EXPIRED:
        if chain.committed_root(batch.number) == bytes.fromhex(batch.root):
            return _write_receipts(database, chain, batch, now)
        _unsign(database, batch)
    return 0


def _settle_refused(database: Database, chain: Chain, batch: BatchRow, error: ProgramRefused, now: float) -> int:
    """The program refuses a number it has: if it has it with our root, an earlier send of ours landed."""
    if chain.committed_root(batch.number) == bytes.fromhex(batch.root):
        return _write_receipts(database, chain, batch, now)
    _unsign(database, batch)
    raise error


def _unsign(database: Database, batch: BatchRow) -> None:
    with database.writing() as session:
        values = {"signature": None, "transaction": None, "last_valid_block_height": None}
        move_batch(session, batch.id, BatchState.SIGNED, BatchState.BUILT, **values)


def _write_receipts(database: Database, chain: Chain, batch: BatchRow, now: float) -> int:
    with database.writing() as session:
        if not move_batch(session, batch.id, BatchState.SIGNED, BatchState.COMMITTED, committed_at=now):
            return 0
        leaves = session.scalars(select(LeafRow).where(LeafRow.batch_id == batch.id).order_by(LeafRow.position)).all()
        tree = MerkleTree([leaf.data for leaf in leaves])
        for leaf in leaves:
            leaf.receipt = _receipt(chain, batch, tree, leaf).encode_json().decode()
            values = {"committed_at": now, "updated_at": now}
            move_settlement(session, leaf.request_id, Settlement.UNSETTLED, Settlement.COMMITTED, **values)
        return len(leaves)


def _receipt(chain: Chain, batch: BatchRow, tree: MerkleTree, leaf: LeafRow) -> Receipt:
    return Receipt.model_validate(
        {
            "leaf": Leaf.decode(leaf.data),
            "index": leaf.position,
            "n_leaves": batch.n_leaves,
            "path": tuple(tree.path(leaf.position)),
            "root": tree.root,
            "batch": batch.number,
            "transaction": batch.signature,
            "program_id": chain.program_id,
            "batch_address": batch.address,
        }
    )
