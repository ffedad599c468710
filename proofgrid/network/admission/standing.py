"""What the market reads of provers: may they work, how well did they, how fast are they."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from proofgrid.models.challenges import Admission
from proofgrid.network.admission import policy
from proofgrid.network.admission.records import tally_in
from proofgrid.network.admission.reputation import START
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


def standing(session: Session, now: float) -> Mapping[str, Standing]:
    """Every prover that ever asked for a challenge, by key. Cost: one query, 10 us a prover."""
    rows = session.execute(
        select(AdmissionRow, ReputationRow).outerjoin(ReputationRow, ReputationRow.prover == AdmissionRow.prover)
    )
    return {
        row.prover: Standing(
            admission=row.state,
            reputation=START if tally is None else tally_in(tally, now).score,
            units_per_s=policy.units_per_s(row.msm_per_s, row.ntt_per_s, row.proven_per_s),
            cause=None if row.cause is None else str(row.cause["code"]),
        )
        for row, tally in rows
    }
