"""Provers and requests for the market's tests, and the market written plainly: what the indexed one must equal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from proofgrid.models.market import Ask, SkipCause
from proofgrid.network.market.candidates import Candidate, Match, Rules, Waiting, clearing_price
from proofgrid.network.market.eligibility import skip_cause
from proofgrid.network.market.pricing import price_of

NOW = 1000.0
CIRCUITS = ("c1" * 32, "c2" * 32)
UNITS = {CIRCUITS[0]: 1, CIRCUITS[1]: 64}


def key_of(number: int) -> str:
    return f"{number:064x}"


def ask_of(base: int = 100, per_unit: int = 0, **changes: Any) -> Ask:
    values: dict[str, Any] = {"capacity": 1, "expires_at": NOW + 100, "sequence": 1, **changes}
    return Ask(base_lamports=base, per_unit_lamports=per_unit, **values)


def prover(number: int, base: int = 100, per_unit: int = 0, **changes: Any) -> Candidate:
    """An admitted one; ``capacity`` and ``circuits`` go into its ask."""
    asked = {name: changes.pop(name) for name in ("capacity", "circuits", "expires_at") if name in changes}
    values: dict[str, Any] = {"units_per_s": 1000.0, "stake_lamports": 10**12, **changes}
    return Candidate(key=key_of(number), ask=ask_of(base, per_unit, **asked), **values)


def request(number: int, **changes: Any) -> Waiting:
    values: dict[str, Any] = {
        "id": key_of(number),
        "sequence": number,
        "requester": "local",
        "circuit_id": CIRCUITS[0],
        "cap": 10_000,
        "created_at": NOW - 50,
        "deadline_at": NOW + 50,
        **changes,
    }
    return Waiting(**{"units": UNITS[values["circuit_id"]], **values})


KEYS = st.integers(1, 6).map(key_of)
KEY_SETS = st.frozensets(KEYS, max_size=3)
SMALL = st.integers(0, 40)


@st.composite
def provers(draw: st.DrawFn, max_size: int = 6) -> list[Candidate]:
    found = []
    for number in draw(st.permutations(range(1, max_size + 1)))[: draw(st.integers(0, max_size))]:
        found.append(
            prover(
                number,
                base=draw(SMALL),
                per_unit=draw(st.integers(0, 3)),
                capacity=draw(st.integers(0, 3)),
                circuits=draw(st.sampled_from([None, None, CIRCUITS[:1]])),
                expires_at=draw(st.sampled_from([NOW + 1, NOW + 1, NOW])),
                is_fleet=number == 1 and draw(st.booleans()),
                barred=draw(st.sampled_from([None, None, None, SkipCause.OFFLINE])),
                reputation=draw(st.sampled_from([0.2, 0.9])),
                units_per_s=draw(st.sampled_from([None, 1.0, 5.0, 1000.0])),
                stake_lamports=draw(st.integers(0, 200)),
                live=draw(st.integers(0, 2)),
                queued_units=draw(st.integers(0, 100)),
                at_risk_lamports=draw(st.integers(0, 60)),
            )
        )
    return found


@st.composite
def requests(draw: st.DrawFn, max_size: int = 12) -> list[Waiting]:
    lists = st.none() | KEY_SETS
    return [
        request(
            number,
            requester=draw(st.sampled_from("abc")),
            circuit_id=draw(st.sampled_from(CIRCUITS)),
            cap=draw(st.integers(0, 250)),
            created_at=NOW - draw(st.sampled_from([0.0, 20.0, 90.0])),
            deadline_at=NOW + draw(st.sampled_from([0.5, 30.0, 200.0])),
            recipients=draw(lists),
            allow=draw(lists),
            deny=draw(KEY_SETS),
            failed=draw(st.just(frozenset()) | KEY_SETS),
        )
        for number in range(draw(st.integers(0, max_size)))
    ]


RULES = Rules(min_reputation=0.5, min_stake_lamports=20, stake_share=0.9)


def start(units: int) -> int:
    """An index as good as any."""
    return 20 + 2 * units


def plainly(
    waiting: Sequence[Waiting],
    candidates: Sequence[Candidate],
    running: Mapping[str, int],
    first_offer: Callable[[int], int],
    now: float,
    rules: Rules,
) -> list[Match]:
    """The rules as they are told, one request and one prover after the other."""
    left, counts, state = list(waiting), dict(running), {one.key: one for one in candidates}
    matches = []
    while left:
        chosen = min(left, key=lambda one: (counts.get(one.requester, 0), _head(left, one), one.sequence))
        left.remove(chosen)
        offer = rules.schedule(chosen, first_offer(chosen.units)).offer(now)
        bids = sorted(
            (price_of(one.ask, chosen.units), one.live / one.ask.capacity, one.key)
            for one in state.values()
            if skip_cause(chosen, one, offer, now, rules) is None
        )
        if not bids:
            continue
        ask, _, key = bids[0]
        second = bids[1][0] if len(bids) > 1 else None
        winner = state[key]
        price = clearing_price(ask, second, offer, rules.room(winner))
        matches.append(Match(chosen, key, ask, second, offer, price))
        counts[chosen.requester] = counts.get(chosen.requester, 0) + 1
        state[key] = replace(
            winner,
            live=winner.live + 1,
            queued_units=winner.queued_units + chosen.units,
            at_risk_lamports=winner.at_risk_lamports + price,
        )
    return matches


def _head(left: Sequence[Waiting], one: Waiting) -> int:
    """The oldest request of the same requester."""
    return min(other.sequence for other in left if other.requester == one.requester)
