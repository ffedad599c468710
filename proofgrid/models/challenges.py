"""Between coordinator and prover: capacity challenges, their outcomes, and how a prover stands."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from proofgrid.models.fields import Digest, Message, UnixTime

MAX_LOG_N = 18
MAX_STEPS = 1 << 12
MAX_ANSWER_BYTES = 1 << 20
"""Of an answer's content before it is written as hex."""

ChallengeId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ChallengeKind(StrEnum):
    """What a challenge has computed."""

    MSM = "msm"
    NTT = "ntt"
    PROOF = "proof"


class Admission(StrEnum):
    """May this prover work?"""

    CANDIDATE = "candidate"  # passes so many challenges, then it may
    ADMITTED = "admitted"
    SUSPENDED = "suspended"  # the cause says why, and from when it may try again


class ChallengeState(StrEnum):
    """How a challenge ended."""

    OPEN = "open"
    PASSED = "passed"
    WRONG = "wrong"
    LATE = "late"


class StandingCode(StrEnum):
    """Why a prover is suspended, or why a challenge was not passed."""

    WRONG_ANSWER = "wrong_answer"
    TOO_SLOW = "too_slow"  # right or not, it came after the time bound
    NO_ANSWER = "no_answer"
    NOT_FETCHED = "not_fetched"  # a repeat was due and the prover, idle, did not come for it


class StandingCause(Message):
    """A reason that the prover reads, and what to do about it."""

    code: StandingCode
    message: Annotated[str, Field(max_length=500)]
    advice: Annotated[str, Field(max_length=500)]


class ChallengeCall(Message):
    """A prover asks for its challenge. ``artifacts`` are those it holds: points and key are fetched beforehand."""

    artifacts: Annotated[tuple[Digest, ...], Field(max_length=8)] = ()


class Challenge(Message):
    """What to compute, from which seed; the answer counts until ``answer_until``, by the coordinator's clock."""

    id: ChallengeId
    kind: ChallengeKind
    seed: Digest
    log_n: Annotated[int, Field(ge=1, le=MAX_LOG_N)]
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    artifact: Digest | None
    """Points (MSM) or proving key (proof)."""
    issued_at: UnixTime
    answer_until: UnixTime


class ChallengeAnswer(Message):
    """The bytes that the kind's specification says, in hex: sums, a vector, or a proof (256 bytes)."""

    content: Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * MAX_ANSWER_BYTES)]


class ProverStanding(Message):
    """How a prover stands, as it reads it itself."""

    admission: Admission
    passed: int
    needed: int
    """Challenges in a row that admission takes."""
    units_per_s: float | None
    """Measured: thousands of constraints a second, by the market's units."""
    reputation: float
    cause: StandingCause | None
    ask_again_at: UnixTime


class ChallengeOffer(Message):
    """The challenge, if one is due; else when to ask again. ``artifacts`` are what to have by then."""

    challenge: Challenge | None
    artifacts: tuple[Digest, ...]
    standing: ProverStanding


class ChallengeOutcome(Message):
    """What came of an answer."""

    state: ChallengeState
    seconds: float
    cause: StandingCause | None
    standing: ProverStanding
