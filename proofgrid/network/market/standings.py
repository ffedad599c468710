"""What admission says of provers, as the market reads it. The operator's own fleet needs no admission."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from proofgrid.models.challenges import Admission
from proofgrid.models.market import SkipCause
from proofgrid.network.admission.standing import standing


@dataclass(frozen=True)
class Standing:
    """One prover: may it work, how well did it, how fast is it, what has it at stake."""

    admitted: bool
    reputation: float
    """0.0 to 1.0."""
    units_per_s: float | None
    """Measured by challenges; None: not yet."""
    stake: int
    """Smallest units of the network's token, as last read from the chain."""
    barred: SkipCause | None = None
    """A reason beyond not being admitted: suspended, quarantined, offline."""


NOBODY = Standing(admitted=False, reputation=0.0, units_per_s=None, stake=0)


def standings(session: Session, now: float) -> Mapping[str, Standing]:
    """By prover's key; one that is missing is not admitted. No stake is read from the chain yet: all have none."""
    return {
        prover: Standing(
            admitted=one.admitted,
            reputation=one.reputation,
            units_per_s=one.units_per_s,
            stake=0,
            barred=SkipCause.SUSPENDED if one.admission is Admission.SUSPENDED else None,
        )
        for prover, one in standing(session, now).items()
    }


def is_known(session: Session, prover: str, now: float) -> bool:
    """May this key publish an ask? One that nobody registered may not: keys are free."""
    return prover in standings(session, now)
