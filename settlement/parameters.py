"""The network's governed parameters, within the program's bounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from proofgrid.settlement.layout.config import (
    BASIS_POINTS,
    MAX_BURN_BPS,
    MAX_FEE_BPS,
    MAX_WINDOW_S,
    MIN_BURN_BPS,
    MIN_QUORUM_BPS,
    PARAMETERS,
)

Tokens = Annotated[int, Field(gt=0, lt=1 << 64)]
Window = Annotated[int, Field(ge=1, le=MAX_WINDOW_S)]

DAY_S = 24 * 3600


class Parameters(BaseModel):
    """Amounts in the mint's smallest unit, windows in seconds, shares in basis points.

    The defaults' amounts suit a mint of 9 decimals. Raises ValidationError for what the program would refuse.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_stake: Tokens = 10**9
    """What a prover needs to commit batches, to be assigned requests and to propose."""
    leaf_bond: Tokens = 10**6
    """What a committer locks for each leaf of a batch until its challenge window is over."""
    job_bond: Tokens = 10**6
    """What a prover locks for a request, at least."""
    demand_bond: Tokens = 10**6
    """What whoever demands a proof on chain posts, and loses to the prover who answers."""
    challenge_window_s: Window = DAY_S
    reveal_window_s: Window = DAY_S
    claim_window_s: Window = 3 * DAY_S
    exit_window_s: Window = 14 * DAY_S
    vote_window_s: Window = 5 * DAY_S
    execute_delay_s: Window = 2 * DAY_S
    fee_bps: Annotated[int, Field(ge=0, le=MAX_FEE_BPS)] = 100
    burn_bps: Annotated[int, Field(ge=MIN_BURN_BPS, le=MAX_BURN_BPS)] = 5_000
    job_bond_bps: Annotated[int, Field(ge=0, le=BASIS_POINTS)] = 2_000
    quorum_bps: Annotated[int, Field(ge=MIN_QUORUM_BPS, le=BASIS_POINTS)] = 3_000

    @model_validator(mode="after")
    def _stake_outlasts_what_it_stands_behind(self) -> "Parameters":
        disputable = self.challenge_window_s + self.reveal_window_s + self.claim_window_s
        if self.exit_window_s < max(disputable, 2 * self.vote_window_s + self.execute_delay_s):
            raise ValueError(
                "exit_window_s must be at least challenge + reveal + claim windows, and twice the vote window + delay: "
                "stake must outlast what it stands behind"
            )
        return self

    def encode(self) -> bytes:
        """The 64 bytes of layout.config.PARAMETERS."""
        return PARAMETERS.encode(self.model_dump())

    @classmethod
    def decode(cls, data: bytes) -> "Parameters":
        """The inverse of :meth:`encode`; raises MalformedInput for another length."""
        return cls.model_validate(PARAMETERS.decode(data))
