"""Why a challenge was not passed, in words for the prover, and what it should do."""

from proofgrid.errors import InvalidProof
from proofgrid.models.challenges import StandingCause, StandingCode
from proofgrid.network.tables.admission import ChallengeRow

_SLOW = "run the prover alone on its machine (nothing else on its cores, no thermal limit), nearer to the network"


def wrong_answer(challenge: ChallengeRow, error: InvalidProof) -> StandingCause:
    return StandingCause(
        code=StandingCode.WRONG_ANSWER,
        message=f"the answer to a challenge ({challenge.kind}) is wrong: {error}"[:500],
        advice="check the machine's memory and overclocking, update proofgrid, and ask again after the suspension",
    )


def too_slow(challenge: ChallengeRow, now: float) -> StandingCause:
    return StandingCause(
        code=StandingCode.TOO_SLOW,
        message=f"the answer to a challenge ({challenge.kind}) came after {now - challenge.issued_at:.1f} s; "
        f"{challenge.answer_until - challenge.issued_at:.1f} s were allowed, by the speed shown before",
        advice=_SLOW,
    )


def no_answer(challenge: ChallengeRow) -> StandingCause:
    return StandingCause(
        code=StandingCode.NO_ANSWER,
        message=f"a challenge ({challenge.kind}) was fetched and not answered within "
        f"{challenge.answer_until - challenge.issued_at:.1f} s",
        advice=f"see the prover's log for why; {_SLOW}",
    )


def not_fetched(seconds: float) -> StandingCause:
    return StandingCause(
        code=StandingCode.NOT_FETCHED,
        message=f"the prover had no work and did not come for a challenge within {seconds:g} s",
        advice="keep the prover running and connected, with the points and the key that the network names downloaded; "
        "leave the network before stopping it",
    )
