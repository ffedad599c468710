"""The market's messages: asks, quotes, prices, and why a request waits. Amounts are in the token's smallest unit."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from proofgrid.models.fields import Digest, Lamports, Message, RequestId, UnixTime
from proofgrid.models.statuses import Fulfilment

CONSTRAINTS_PER_UNIT = 1024
MAX_ASK_S = 7 * 86400.0
"""An ask is renewed at least so often: one that its prover forgot binds nobody for long."""

ProverKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A prover's ed25519 hot key, hex."""


class HardwareKind(StrEnum):
    CPU = "cpu"
    GPU = "gpu"


class Hardware(Message):
    """What proves; told to the public, believed by nobody: speed is measured."""

    kind: HardwareKind
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ()@._+/-]{0,64}$")] = ""


class Ask(Message):
    """What a prover wants for a proof: ``base_lamports + per_unit_lamports * units``, sealed: nobody else reads it.

    One unit is 1,024 constraints of the circuit's domain, rounded up. The bounds keep every sum below 2^62.
    """

    base_lamports: Annotated[int, Field(ge=0, lt=1 << 60)]
    per_unit_lamports: Annotated[int, Field(ge=0, lt=1 << 42)] = 0
    capacity: Annotated[int, Field(ge=0, le=4096)] = 1
    """Attempts at once; 0 takes no new ones."""
    hardware: Hardware = Hardware(kind=HardwareKind.CPU)
    circuits: Annotated[tuple[Digest, ...], Field(max_length=256)] | None = None
    """The circuits it takes; None takes all."""
    expires_at: Annotated[UnixTime, Field(gt=0, lt=1e12)]
    sequence: Annotated[int, Field(ge=1, lt=1 << 53)]
    """Only an ask with a higher one replaces it, so that an old call played again changes nothing."""


class AskAnswer(Message):
    """The ask that stands for this prover now."""

    prover: ProverKey
    ask: Ask


class SkipCause(StrEnum):
    """Why a prover was not given a request."""

    NOT_ADMITTED = "not_admitted"
    SUSPENDED = "suspended"
    QUARANTINED = "quarantined"
    OFFLINE = "offline"
    ASK_EXPIRED = "ask_expired"
    LOW_REPUTATION = "low_reputation"
    LOW_STAKE = "low_stake"
    CIRCUIT_NOT_TAKEN = "circuit_not_taken"
    CIRCUIT_UNMEASURED = "circuit_unmeasured"
    NOT_ALLOWED = "not_allowed"
    DENIED = "denied"
    NOT_A_RECIPIENT = "not_a_recipient"
    FAILED_BEFORE = "failed_before"
    PRICE_ABOVE_CAP = "price_above_cap"
    UNMEASURED = "unmeasured"
    TOO_SLOW = "too_slow"
    PRICE_ABOVE_OFFER = "price_above_offer"
    NO_CAPACITY = "no_capacity"
    COLLATERAL = "collateral"


class SkipCount(Message):
    """So many provers were skipped for this; ``advice`` says what would change it."""

    cause: SkipCause
    provers: int
    sentence: str
    advice: str = ""


class Why(Message):
    """Why a request stands where it stands, for its requester."""

    request_id: RequestId
    fulfilment: Fulfilment
    sentences: tuple[str, ...]
    skips: tuple[SkipCount, ...] = ()
    eligible: int = 0
    """Provers that could take it now; they do at the next tick, in the requesters' order."""
    offer_lamports: int | None = None
    """What is offered now; it rises to the cap while nobody takes it."""
    max_price_lamports: int
    raise_cap_to_lamports: int | None = None
    """A cap at which somebody would take it, if the present one is too low."""
    cap_reached_at: UnixTime | None = None
    """When the offer will be the cap, if it is not yet."""
    looked_at: UnixTime
    """Of a request that still waits, now; else when the market last looked for a prover."""


class QuoteRequest(Message):
    """What would a proof of this circuit cost, within so many seconds?"""

    circuit_id: Digest
    deadline_s: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600.0


class Quote(Message):
    """An estimate, not an offer that binds anybody; a request's cap is what binds."""

    circuit_id: Digest
    units: int
    expected_lamports: Lamports | None
    """The second price among the eligible provers, as the market would now settle it; None if there is no prover."""
    low_lamports: Lamports | None
    """Where a request's offer begins."""
    high_lamports: Lamports | None
    """A cap at which a second prover would do it, too."""
    index_lamports: Lamports | None
    """By the public price index of circuits of this size; None before the first proof."""
    eligible: Annotated[tuple[ProverKey, ...], Field(max_length=32)]
    """Who may get the request: seal the witness to these. The cheapest are among them, in the order of their keys."""
    expected_s: float | None
    """Queue and proving, by the measured speed of those provers; None where it was not measured yet."""
    skips: tuple[SkipCount, ...]
    valid_until: UnixTime


class PricePoint(Message):
    """The index of one size of circuit at one time, in millionths of the token's smallest unit for each unit."""

    at: UnixTime
    per_unit_micro: int
    deals: int
    waiting: int
    free: int


class SizePrices(Message):
    """Prices of circuits of up to ``max_units`` units (and more than half of it)."""

    max_units: int
    per_unit_micro: int
    lamports: Lamports
    """Of a circuit of ``max_units``."""
    deals: int
    updated_at: UnixTime
    history: tuple[PricePoint, ...] = ()


class Prices(Message):
    """The public price index: what proofs were cleared for, times how scarce capacity is."""

    sizes: tuple[SizePrices, ...]


class AskStatistics(Message):
    """What is public of the asks: sums, never one prover's prices."""

    provers: int
    capacity: int
    free: int
    by_hardware: dict[HardwareKind, int]
    units_per_s: float


class Statistics(Message):
    """The network in figures; of attempts and requests, those of the last ``window_s``."""

    window_s: float
    waiting: int
    running: int
    fulfilled: int
    unserved: int
    attempts_failed: int
    proving_s: float
    """Seconds of proving, all provers."""
    units: int
    """Units proven."""
    paid_lamports: int
    median_wait_s: float | None
    """From a request to its first attempt's start."""
    asks: AskStatistics
