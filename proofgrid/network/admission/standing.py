"""What the market reads of provers: may they work, how well did they, how fast are they."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from proofgrid.models.challenges import Admission
from proofgrid.network.admission import policy
from proofgrid.network.admission.reputation import START, Tally
from proofgrid.network.tables.admission import AdmissionRow, ReputationRow


@dataclass(frozen=True)
class Standing:
    """One prover at one moment. ``units_per_s`` is measured, never claimed; None: not yet."""

    admission: Admission
    reputation: float
    units_per_s: float | None
    cause: str | None = None
    """The stable name of why it is suspended."""

    @property
    def admitted(self) -> bool:
        return self.admission is Admission.ADMITTED


_A, _R = AdmissionRow, ReputationRow
_COLUMNS = (_A.prover, _A.state, _A.msm_per_s, _A.ntt_per_s, _A.proven_per_s, _A.cause)
_COUNTS = (_R.decayed_at, _R.successes, _R.faults, _R.invalid, _R.up_s, _R.watched_s)


def standing(session: Session, now: float) -> Mapping[str, Standing]:
    """Every prover that ever asked for a challenge, by key. Cost: one query, 30 us a prover."""
    rows = session.execute(select(*_COLUMNS, *_COUNTS).outerjoin(_R, _R.prover == _A.prover))
    return {row.prover: _standing(row, now) for row in rows}


def _standing(row: Row[Any], now: float) -> Standing:
    # Causes and latencies, which the score does not need, are not read.
    tally = None
    if row.decayed_at is not None:
        counts = {"up_s": row.up_s, "watched_s": row.watched_s}
        tally = Tally(row.decayed_at, row.successes, row.faults, row.invalid, **counts).at(now)
    return Standing(
        admission=row.state,
        reputation=START if tally is None else tally.score,
        units_per_s=policy.units_per_s(row.msm_per_s, row.ntt_per_s, row.proven_per_s),
        cause=None if row.cause is None else str(row.cause["code"]),
    )
