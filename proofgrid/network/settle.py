"""The settle loop: valid proofs become leaves, leaves a root, the root a transaction, the transaction receipts.

Each step is written down before the next begins, so a crash anywhere is resumed by the next tick: leaves and root
under a number here, transactions in the chain's outbox, then receipts here. One batch is under way at a time, since
each root follows its predecessor. Receipts are given when it is confirmed; a fork may put it into another transaction
before it is final, and then they are written anew.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Submission, Verification
from proofgrid.network.chain import Chain, CommittedBatch
from proofgrid.network.database import AttemptRow, BatchRow, Database, EpochRow, LeafRow, RequestRow
from proofgrid.network.locks import lock
from proofgrid.network.transitions import move_batch, move_settlement
from proofgrid.network.verify import load_submission
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.receipts import Leaf, Receipt, digest_public_inputs

log = logging.getLogger(__name__)


class Proven(NamedTuple):
    """A request with its proof's digest and its prover's key; None: the operator's own fleet."""

    request: RequestRow
    digest: str
    prover: str | None


_LOG = "log of batches"
_ON_CHAIN = (BatchState.COMMITTED, BatchState.FINAL)


def settle(
    database: Database, store: ArtifactStore, chain: Chain, config: NetworkConfig, prover: bytes, now: float
) -> int:
    """Commit the batch under way, or the next one if it is due; number of requests that got their receipt.

    ``prover`` is the fleet's ed25519 public key. Raises :class:`~proofgrid.errors.SettlementError`.
    """
    chain.tend()
    write_final(database, chain)
    if not _has_work(database, config, now):
        return 0
    epoch = enter_epoch(database, chain, now)
    batch = _under_way(database, epoch) or build(database, store, chain, config, epoch, prover, now)
    if batch is None:
        return 0
    try:
        committed = commit(chain, batch)
    except Conflict:  # another network signs with this key: the number is gone, the proofs are not
        _abandon(database, batch.id)
        raise
    return write_receipts(database, chain, batch, committed, now)


def _has_work(database: Database, config: NetworkConfig, now: float) -> bool:
    with database.reading() as session:
        under_way = session.scalar(select(BatchRow.id).where(BatchRow.state == BatchState.BUILT).limit(1))
        return under_way is not None or _is_due(_waiting(session, config.batch_size), config, now)


def enter_epoch(database: Database, chain: Chain, now: float) -> int:
    """The number of this chain's epoch: the latest one, unless the chain is another or has lost its log.

    Batches under way on the chain that is gone are abandoned, their leaves set free for the next.
    """
    names = _names(chain)
    next_number = chain.next_number()
    with database.writing() as session:
        lock(session, _LOG)
        latest = session.scalar(select(EpochRow).order_by(EpochRow.number.desc()).limit(1))
        if latest is not None and _names(latest) == names and _has_log(session, latest, next_number):
            return latest.number
        for batch in session.scalars(select(BatchRow).where(BatchRow.state == BatchState.BUILT)).all():
            log.warning("batch %d of epoch %d is abandoned: its chain is gone", batch.number, batch.epoch)
            _set_free(session, batch)
        epoch = EpochRow(**names, started_at=now)
        session.add(epoch)
        session.flush()
        return epoch.number


def _abandon(database: Database, batch_id: int) -> None:
    """Give up a batch whose number the chain holds with another root."""
    with database.writing() as session:
        batch = session.get_one(BatchRow, batch_id)
        if batch.state is BatchState.BUILT:
            log.warning("batch %d of epoch %d is abandoned: its number is taken", batch.number, batch.epoch)
            _set_free(session, batch)


def _set_free(session: Session, batch: BatchRow) -> None:
    """Abandon a batch; its leaves go into the next."""
    if move_batch(session, batch.id, BatchState.BUILT, BatchState.ABANDONED):
        session.execute(delete(LeafRow).where(LeafRow.batch_id == batch.id))


def _names(log: EpochRow | Chain) -> dict[str, str]:
    return {"chain_id": log.chain_id, "program_id": log.program_id, "committer": log.committer}


def _has_log(session: Session, epoch: EpochRow, next_number: int) -> bool:
    """Does the chain still count the last batch that it confirmed?"""
    last = session.scalar(
        select(func.max(BatchRow.number)).where(BatchRow.epoch == epoch.number, BatchRow.state.in_(_ON_CHAIN))
    )
    return last is None or last < next_number


def _under_way(database: Database, epoch: int) -> BatchRow | None:
    with database.reading() as session:
        return _built(session, epoch)


def _built(session: Session, epoch: int) -> BatchRow | None:
    return session.scalar(select(BatchRow).where(BatchRow.epoch == epoch, BatchRow.state == BatchState.BUILT))


def build(
    database: Database,
    store: ArtifactStore,
    chain: Chain,
    config: NetworkConfig,
    epoch: int,
    prover: bytes,
    now: float,
) -> BatchRow | None:
    """Write the next batch if enough proofs wait, or one waits long enough; None if not. Their keys come first."""
    with database.reading() as session:
        rows = _waiting(session, config.batch_size)
        if not _is_due(rows, config, now):
            return None
        keys = {request.circuit.verifying_key_digest: request.circuit.verifying_key for request, _, _ in rows}
    registered = _register(chain, keys)
    number = chain.next_number()
    with database.writing() as session:
        lock(session, _LOG)
        if (batch := _built(session, epoch)) is not None:
            return batch  # another coordinator was faster
        rows = _waiting(session, config.batch_size)
        rows = [row for row in rows if row[0].circuit.verifying_key_digest in registered]
        if not _is_due(rows, config, now):
            return None
        found = _leaves(store, config, rows, prover)
        if not found:
            return None
        leaves = [leaf for _, leaf in found]
        batch = BatchRow(
            epoch=epoch,
            number=number,
            root=MerkleTree(leaves).root.hex(),
            n_leaves=len(leaves),
            state=BatchState.BUILT,
            created_at=now,
        )
        batch.leaves = [
            LeafRow(request_id=request_id, position=position, data=data)
            for position, (request_id, data) in enumerate(found)
        ]
        session.add(batch)
        session.flush()
        return batch


def _register(chain: Chain, keys: Mapping[str, dict[str, Any]]) -> set[str]:
    """Bring the keys with these digests on chain, whatever of them it can judge; the digests of those that are there.

    A leaf under another key would be the prover's loss: anyone may demand it, and nobody could answer.
    """
    registered = set()
    for digest, key in keys.items():
        try:
            chain.register(VerifyingKey.from_json(key))
            registered.add(digest)
        except MalformedInput as error:
            log.error("proofs under key %s cannot be settled: %s", digest, error)
    return registered


def _waiting(session: Session, limit: int) -> list[Proven]:
    """Fulfilled requests that have no leaf, in order of arrival, and their proofs."""
    rows = session.execute(
        select(RequestRow, AttemptRow.result_digest, AttemptRow.prover)
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
    return [Proven(request, digest, prover) for request, digest, prover in rows if digest is not None]


def _is_due(rows: list[Proven], config: NetworkConfig, now: float) -> bool:
    if len(rows) >= config.batch_size:
        return True
    fulfilled_at = [request.fulfilled_at for request, _, _ in rows if request.fulfilled_at is not None]
    return bool(fulfilled_at) and min(fulfilled_at) <= now - config.timing.batch_age_s


def _leaves(store: ArtifactStore, config: NetworkConfig, rows: list[Proven], prover: bytes) -> list[tuple[str, bytes]]:
    """Each request's id and leaf; one whose proof the store has lost waits for it and holds up no other."""
    found = []
    for request, digest, by in rows:
        try:
            found.append(
                (
                    request.id,
                    _leaf(store, config, request, digest, prover if by is None else bytes.fromhex(by)).encode(),
                )
            )
        except (NotFound, MalformedInput) as error:
            log.error("request %s cannot be settled: %s", request.id, error)
    return found


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


def commit(chain: Chain, batch: BatchRow) -> CommittedBatch:
    """Bring the batch's root on chain; doing it again after a crash commits nothing twice."""
    return chain.commit(batch.number, bytes.fromhex(batch.root), batch.n_leaves)


def write_receipts(database: Database, chain: Chain, batch: BatchRow, committed: CommittedBatch, now: float) -> int:
    """Give each leaf of a committed batch its receipt; the number of receipts, 0 if they were written before."""
    with database.writing() as session:
        if not move_batch(session, batch.id, BatchState.BUILT, BatchState.COMMITTED, committed_at=now):
            return 0
        leaves = _write(session, chain, session.get_one(BatchRow, batch.id), committed)
        for leaf in leaves:
            moved = {"committed_at": now, "updated_at": now}
            move_settlement(session, leaf.request_id, Settlement.UNSETTLED, Settlement.COMMITTED, **moved)
        return len(leaves)


def write_final(database: Database, chain: Chain) -> int:
    """Note which batches no fork can undo any more; the number of those whose receipts name another transaction now."""
    with database.reading() as session:
        epoch = session.scalar(select(EpochRow).order_by(EpochRow.number.desc()).limit(1))
        if epoch is None or _names(epoch) != _names(chain):
            return 0
        waiting = session.scalars(
            select(BatchRow).where(BatchRow.epoch == epoch.number, BatchRow.state == BatchState.COMMITTED)
        ).all()
    changed = 0
    for batch in waiting:
        committed = chain.final(batch.number)
        if committed is None:
            continue
        with database.writing() as session:
            if not move_batch(session, batch.id, BatchState.COMMITTED, BatchState.FINAL):
                continue
            if committed.signature != batch.signature:
                _write(session, chain, session.get_one(BatchRow, batch.id), committed)
                changed += 1
    return changed


def _write(session: Session, chain: Chain, batch: BatchRow, committed: CommittedBatch) -> list[LeafRow]:
    """The receipts of this batch in this transaction."""
    batch.signature, batch.address = committed.signature, committed.address
    leaves = list(session.scalars(select(LeafRow).where(LeafRow.batch_id == batch.id).order_by(LeafRow.position)).all())
    tree = MerkleTree([leaf.data for leaf in leaves])
    for leaf in leaves:
        leaf.receipt = _receipt(chain, batch, committed, tree, leaf).encode_json().decode()
    return leaves


def _receipt(chain: Chain, batch: BatchRow, committed: CommittedBatch, tree: MerkleTree, leaf: LeafRow) -> Receipt:
    return Receipt(
        leaf=Leaf.decode(leaf.data),
        index=leaf.position,
        n_leaves=batch.n_leaves,
        path=tuple(tree.path(leaf.position)),
        root=tree.root,
        batch=batch.number,
        transaction=committed.signature,
        program_id=chain.program_id,
        batch_address=committed.address,
    )
