"""Provers that win and do not come: after ``claim_s`` the attempt ends, and its request goes to somebody else."""

from sqlalchemy import select

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, Cause, CauseCode
from proofgrid.network.attempts import end_attempt
from proofgrid.network.database import AttemptRow, Database

_UNCLAIMED = (AttemptState.QUEUED, AttemptState.SENT)


def take_back(database: Database, config: NetworkConfig, now: float) -> int:
    """End what other provers were given and did not claim in time; their number."""
    late = select(AttemptRow).where(
        AttemptRow.state.in_(_UNCLAIMED),
        AttemptRow.prover.is_not(None),
        AttemptRow.created_at <= now - config.market.claim_s,
    )
    with database.reading() as session:
        if session.execute(late.limit(1)).first() is None:
            return 0
    with database.writing() as session:
        taken = 0
        for attempt in session.scalars(late).all():
            cause = Cause(
                code=CauseCode.NOT_CLAIMED,
                message=f"prover {attempt.prover} won this and did not claim it within {config.market.claim_s:g} s",
            )
            taken += end_attempt(
                session, attempt, AttemptState.WITHDRAWN, cause, max_attempts=config.max_attempts, now=now
            )
        return taken
