"""What proving was used for: a record for each attempt, per second of proving, and what it should agree with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.database import AttemptRow, Database, LeafRow, RequestRow
from proofgrid.network.market.candidates import Match
from proofgrid.network.market.pricing import payable
from proofgrid.network.tables.market import UsageRow
from proofgrid.verifier.receipts import Leaf

CLOSED_AT_ONCE = 500


def begin(session: Session, matches: Mapping[str, Match], now: float) -> None:
    """Open the records of these attempts, by their ids, in the transaction that assigns them."""
    records = [
        {
            "attempt_id": attempt_id,
            "request_id": match.request.id,
            "requester": match.request.requester,
            "prover": match.key,
            "units": match.request.units,
            "ask_lamports": match.ask,
            "second_lamports": match.second,
            "offer_lamports": match.offer,
            "price_lamports": match.price,
            "assigned_at": now,
        }
        for attempt_id, match in matches.items()
    ]
    if records:
        session.execute(insert(UsageRow), records)


def close_ended(database: Database, now: float) -> int:
    """Close the records of attempts that have ended; their number. Twice is once."""
    ended = (
        select(AttemptRow)
        .join(UsageRow, UsageRow.attempt_id == AttemptRow.id)
        .where(UsageRow.closed_at.is_(None), AttemptRow.state.not_in(LIVE_ATTEMPTS))
        .limit(CLOSED_AT_ONCE)
    )
    with database.reading() as session:
        attempts = session.scalars(ended).all()
    if not attempts:
        return 0
    with database.writing() as session:
        for attempt in attempts:
            record = session.get_one(UsageRow, attempt.id)
            ended_at = attempt.submitted_at or attempt.finished_at or now
            record.started_at = ended_at if attempt.claimed_at is None else attempt.claimed_at
            record.ended_at, record.closed_at, record.outcome = ended_at, now, attempt.state
    return len(attempts)


@dataclass(frozen=True)
class Difference:
    """Two records of one request that should agree and do not."""

    request_id: str
    sentence: str


def reconcile(session: Session, config: NetworkConfig) -> Iterator[Difference]:
    """Every difference between usage, requests and receipts; none is how it should be.

    For each request with a verified proof: exactly one accepted attempt, whose usage record was kept and closed; the
    request's price is that record's by the late rule; the leaf, where there is one, names that price and that prover.
    Cost: reads all of it, one request after the other; for audits, not for loops.
    """
    accepted = (
        select(AttemptRow, UsageRow, RequestRow, LeafRow.data)
        .join(AttemptRow.request)
        .outerjoin(UsageRow, UsageRow.attempt_id == AttemptRow.id)
        .outerjoin(LeafRow, LeafRow.request_id == AttemptRow.request_id)
        .where(AttemptRow.state == AttemptState.ACCEPTED, AttemptRow.price_lamports.is_not(None))
        .order_by(RequestRow.sequence)
        .execution_options(yield_per=500)
    )
    seen = ""
    for attempt, used, request, leaf in session.execute(accepted):
        if request.id == seen:
            yield Difference(request.id, "two attempts were accepted")
        seen = request.id
        for sentence in _differences(config, attempt, used, request, leaf):
            yield Difference(request.id, sentence)


def _differences(
    config: NetworkConfig, attempt: AttemptRow, used: UsageRow | None, request: RequestRow, leaf: bytes | None
) -> Iterator[str]:
    if used is None:
        yield f"attempt {attempt.number} has no usage record"
        return
    if used.price_lamports != attempt.price_lamports:
        yield f"usage says the price is {used.price_lamports}, the attempt {attempt.price_lamports}"
    if used.ended_at is not None and used.outcome is not AttemptState.ACCEPTED:
        yield f"usage says the attempt was {used.outcome}, but it was accepted"
    if (attempt.prover or used.prover) != used.prover:
        yield f"usage names prover {used.prover}, the attempt {attempt.prover}"
    arrived_at = attempt.submitted_at or request.deadline_at
    due = payable(used.price_lamports, arrived_at, request.pay_until_at, config.market.late_bps)
    if request.price_lamports != due:
        yield f"{due} are due by usage and the late rule, the request says {request.price_lamports}"
    if leaf is None:
        return
    found = Leaf.decode(leaf)
    if found.price_lamports != request.price_lamports:
        yield f"the receipt's price is {found.price_lamports}, the request's {request.price_lamports}"
    if found.prover.hex() != used.prover:
        yield f"the receipt names prover {found.prover.hex()}, usage {used.prover}"
