"""May this prover have this request? The rules one by one, each with its cause: they explain, and others are tested
against them.

``matching`` applies the same rules to whole arrays.
"""

from proofgrid.models.market import SkipCause
from proofgrid.network.market.candidates import Candidate, Rules, Waiting
from proofgrid.network.market.pricing import price_of


def skip_cause(request: Waiting, candidate: Candidate, offer: int, now: float, rules: Rules) -> SkipCause | None:
    """The first rule that says no, what lasts before what passes; None if the prover may have the request."""
    return (
        standing_cause(candidate, now, rules)
        or _by_terms(request, candidate)
        or _by_moment(request, candidate, offer, now, rules)
    )


def standing_cause(candidate: Candidate, now: float, rules: Rules) -> SkipCause | None:
    """What keeps a prover from every request."""
    if candidate.barred is not None:
        return candidate.barred
    if candidate.ask.expires_at <= now:
        return SkipCause.ASK_EXPIRED
    if candidate.is_fleet:
        return None
    if candidate.reputation < rules.min_reputation:
        return SkipCause.LOW_REPUTATION
    if candidate.stake_lamports < rules.min_stake_lamports:
        return SkipCause.LOW_STAKE
    return SkipCause.UNMEASURED if not candidate.units_per_s else None


def _by_terms(request: Waiting, candidate: Candidate) -> SkipCause | None:
    """What keeps it from this request for good."""
    ask, key = candidate.ask, candidate.key
    if not takes_circuit(candidate, request.circuit_id, request.units):
        return SkipCause.CIRCUIT_UNMEASURED if request.units == 0 else SkipCause.CIRCUIT_NOT_TAKEN
    if key in request.deny:
        return SkipCause.DENIED
    if request.allow is not None and key not in request.allow:
        return SkipCause.NOT_ALLOWED
    if request.recipients is not None and key not in request.recipients:
        return SkipCause.NOT_A_RECIPIENT
    if key in request.failed:
        return SkipCause.FAILED_BEFORE
    return SkipCause.PRICE_ABOVE_CAP if price_of(ask, request.units) > request.cap else None


def _by_moment(request: Waiting, candidate: Candidate, offer: int, now: float, rules: Rules) -> SkipCause | None:
    """What keeps it from this request now."""
    if finish_s(candidate, request.units, rules) > request.deadline_at - now:
        return SkipCause.TOO_SLOW
    price = price_of(candidate.ask, request.units)
    if price > offer:
        return SkipCause.PRICE_ABOVE_OFFER
    if candidate.free == 0:
        return SkipCause.NO_CAPACITY
    return SkipCause.COLLATERAL if price > rules.room(candidate) else None


def takes_circuit(candidate: Candidate, circuit_id: str, units: int) -> bool:
    """Does it take this circuit? One whose size is not known has no price but the fleet's."""
    chosen = candidate.ask.circuits
    return (chosen is None or circuit_id in chosen) and (units > 0 or candidate.is_fleet)


def finish_s(candidate: Candidate, units: int, rules: Rules) -> float:
    """Seconds until it would be done with what it has and this; 0 for the fleet as long as it is not measured."""
    speed = candidate.units_per_s
    return (candidate.queued_units + units) * (rules.slack / speed) if speed else 0.0  # rounded as in matching
