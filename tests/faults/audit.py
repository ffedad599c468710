"""What must be true when everything has healed: seen from outside, in the database, and on the chain."""

import importlib
import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from proofgrid.errors import ProofgridError
from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Verification
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.database import BatchRow, Database, EpochRow, LeafRow, RequestRow
from proofgrid.verifier.receipts import Leaf
from tests.faults import chain
from tests.faults.processes import ASK, Cluster
from tests.faults.requesters import Job, Offer, fetch

FINAL_S = 60.0
"""For the last batches to become final."""


@dataclass
class Verdict:
    """Complaints in words; a network that lost nothing has none."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    @property
    def is_perfect(self) -> bool:
        return not (self.lost or self.duplicated or self.unbalanced)

    def lines(self) -> list[str]:
        kinds = {"lost": self.lost, "duplicated": self.duplicated, "unbalanced": self.unbalanced}
        return [f"{kind}: {what}" for kind, found in kinds.items() for what in found]


def from_outside(cluster: Cluster, jobs: list[Job], offers: list[Offer], verdict: Verdict) -> None:
    """Each request ended as it must, under one id; each proof is verified again, its receipt against the chain."""
    for job in jobs:
        name = f"request {job.number} ({job.wish})"
        if job.complaint is not None:
            verdict.lost.append(f"{name}: {job.complaint}")
        elif job.ending not in job.wish.endings:
            verdict.lost.append(f"{name} ended {job.ending}")
        elif job.ending is Fulfilment.FULFILLED:
            (request_id, *_) = job.ids
            try:
                done = fetch(cluster.url, cluster.rpc_url, offers[job.offer], request_id)
            except ProofgridError as error:
                verdict.lost.append(f"{name}: {type(error).__name__}: {error}")
            else:
                if not done.on_chain or done.receipt.leaf.price_lamports != ASK:
                    verdict.unbalanced.append(f"{name}: its receipt says {done.receipt.leaf.price_lamports}")
        if len(job.ids) > 1:
            verdict.duplicated.append(f"{name} has the ids {sorted(job.ids)}")


def in_database(cluster: Cluster, jobs: list[Job], verdict: Verdict) -> None:
    """One row for each request, nothing live, one accepted attempt and one leaf for each proof; the money adds up."""
    database = Database(cluster.config.resolved_database_url)
    try:
        _until_final(database)
        with database.reading() as session:
            _judge_rows(session, jobs, verdict)
            _judge_leaves(session, verdict)
            _judge_chain(session, chain.read(cluster.rpc_url), verdict)
            verdict.unbalanced += _audit(session)
    finally:
        database.close()


def _judge_rows(session: Session, jobs: list[Job], verdict: Verdict) -> None:
    rows = {row.idempotency_key: row for row in session.scalars(select(RequestRow))}
    n_rows = session.scalar(select(func.count()).select_from(RequestRow)) or 0
    if n_rows != len(jobs):
        (verdict.duplicated if n_rows > len(jobs) else verdict.lost).append(f"{n_rows} requests in the database")
    for job in jobs:
        row = rows.get(job.key)
        if row is None:
            verdict.lost.append(f"request {job.number} is not in the database")
            continue
        name, states = f"request {job.number} ({row.id[:8]})", Counter(one.state for one in row.attempts)
        if not row.fulfilment.is_terminal:
            verdict.lost.append(f"{name} is {row.fulfilment}")
        if job.ending is not None and row.fulfilment is not job.ending:
            verdict.duplicated.append(f"{name} ended {job.ending} and then {row.fulfilment}")
        if live := [state for state in states if state in LIVE_ATTEMPTS]:
            verdict.lost.append(f"{name} is {row.fulfilment} and has an attempt {live[0]}")
        is_fulfilled = row.fulfilment is Fulfilment.FULFILLED
        if states[AttemptState.ACCEPTED] != is_fulfilled:
            verdict.duplicated.append(
                f"{name} is {row.fulfilment} with {states[AttemptState.ACCEPTED]} proofs accepted"
            )
        if is_fulfilled and (row.verification, row.settlement) != (Verification.VALID, Settlement.COMMITTED):
            verdict.lost.append(f"{name} is fulfilled, {row.verification} and {row.settlement}")
        if row.price_lamports != (ASK if is_fulfilled else None):
            verdict.unbalanced.append(f"{name} is {row.fulfilment} at a price of {row.price_lamports}")


def _judge_leaves(session: Session, verdict: Verdict) -> None:
    """Each fulfilled request has one leaf with its id and price under a batch on chain; nobody else has one."""
    on_chain = (BatchState.COMMITTED, BatchState.FINAL)
    leaves = session.execute(select(LeafRow, BatchRow.state).join(BatchRow, BatchRow.id == LeafRow.batch_id)).all()
    fulfilled = set(session.scalars(select(RequestRow.id).where(RequestRow.fulfilment == Fulfilment.FULFILLED)))
    paid = Counter[str]()
    for leaf, state in leaves:
        decoded = Leaf.decode(leaf.data)
        if state in on_chain:
            paid[decoded.request_id.hex()] += 1
        if leaf.receipt is None or decoded.request_id.hex() != leaf.request_id:
            verdict.lost.append(f"the leaf of request {leaf.request_id[:8]} has no receipt, or another's")
    verdict.lost += [f"request {one[:8]} is fulfilled and unpaid" for one in fulfilled - paid.keys()]
    verdict.duplicated += [f"request {one[:8]} is paid {times} times" for one, times in paid.items() if times > 1]
    verdict.unbalanced += [f"request {one[:8]} is paid and not fulfilled" for one in paid.keys() - fulfilled]


def _judge_chain(session: Session, log: chain.Log, verdict: Verdict) -> None:
    """The chain holds exactly the roots that the database knows as committed, each once."""
    if (epochs := session.scalar(select(func.count()).select_from(EpochRow))) != 1:
        verdict.lost.append(f"the chain stayed one, and the database has {epochs} epochs")
    batches = session.scalars(select(BatchRow).where(BatchRow.state.in_((BatchState.COMMITTED, BatchState.FINAL))))
    known = Counter({batch.root: 1 for batch in batches})
    verdict.duplicated += [f"root {root[:8]} is on chain, and unknown here or twice" for root in log.roots - known]
    verdict.lost += [f"root {root[:8]} is not on chain" for root in known - log.roots]
    paid = session.scalar(
        select(func.count()).select_from(RequestRow).where(RequestRow.settlement == Settlement.COMMITTED)
    )
    if log.n_leaves != paid:
        verdict.unbalanced.append(f"the chain holds {log.n_leaves} leaves for {paid} requests")


def _until_final(database: Database) -> None:
    ends_at = time.monotonic() + FINAL_S
    while time.monotonic() < ends_at:
        with database.reading() as session:
            if session.scalar(select(BatchRow.id).where(BatchRow.state == BatchState.COMMITTED).limit(1)) is None:
                return
        time.sleep(0.2)


def _audit(session: Session) -> list[str]:
    """What the ledger itself complains about, where this version has one."""
    try:
        ledger = importlib.import_module("proofgrid.network.ledger")
    except ModuleNotFoundError:
        return []
    return list(ledger.audit(session))
