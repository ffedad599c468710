"""Matching: the indexed market is the plain one, and the laws that both obey."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofgrid.network.market.candidates import Candidate, Match, Rules, Waiting
from proofgrid.network.market.eligibility import skip_cause
from proofgrid.network.market.matching import run_round
from proofgrid.network.market.pricing import price_of
from tests.network.market import scenes
from tests.network.market.scenes import NOW, RULES, key_of, plainly, prover, request

few = settings(max_examples=150, deadline=None)
running_counts = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3))


def matched(waiting: list[Waiting], candidates: list[Candidate], running: dict[str, int] | None = None) -> list[Match]:
    return run_round(waiting, candidates, running or {}, scenes.start, NOW, RULES)


@few
@given(scenes.requests(), scenes.provers(), running_counts)
def test_the_indexed_market_is_the_plain_one(
    waiting: list[Waiting], candidates: list[Candidate], running: dict[str, int]
) -> None:
    assert matched(waiting, candidates, running) == plainly(waiting, candidates, running, scenes.start, NOW, RULES)


@few
@given(scenes.requests(max_size=4), st.integers(1, 200), st.data())
def test_it_is_the_plain_one_with_more_provers_than_are_looked_at_first(
    waiting: list[Waiting], n_provers: int, data: st.DataObject
) -> None:
    draw = data.draw(st.randoms(use_true_random=False))
    candidates = [
        prover(n, base=draw.randrange(4), units_per_s=draw.choice([0.01, 1000.0]), live=draw.randrange(2))
        for n in range(1, n_provers)
    ]
    waiting = [replace(one, recipients=None, allow=None) for one in waiting]
    assert matched(waiting, candidates) == plainly(waiting, candidates, {}, scenes.start, NOW, RULES)


@few
@given(scenes.requests(), scenes.provers(), running_counts, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(
    waiting: list[Waiting], candidates: list[Candidate], running: dict[str, int], random: Random
) -> None:
    before = matched(waiting, candidates, running)
    random.shuffle(waiting)
    random.shuffle(candidates)
    assert matched(waiting, candidates, running) == before


@few
@given(scenes.requests(), scenes.provers())
def test_prices_lie_between_the_winners_ask_and_the_cap(waiting: list[Waiting], candidates: list[Candidate]) -> None:
    known = {one.key: one for one in candidates}
    for match in matched(waiting, candidates):
        assert match.ask == price_of(known[match.key].ask, match.request.units)
        assert match.ask <= match.price <= match.offer <= match.request.cap
        assert match.second is None or match.price <= match.second


@few
@given(scenes.requests(), scenes.provers())
def test_nobody_gets_more_than_slots_or_collateral(waiting: list[Waiting], candidates: list[Candidate]) -> None:
    matches = matched(waiting, candidates)
    won = Counter(match.key for match in matches)
    at_risk: Counter[str] = Counter()
    for match in matches:
        at_risk[match.key] += match.price
    for one in candidates:
        assert won[one.key] <= one.free
        assert at_risk[one.key] <= max(0, RULES.room(one))
    assert len({match.request.id for match in matches}) == len(matches)


@few
@given(scenes.requests(max_size=1), scenes.provers())
def test_the_winner_is_the_cheapest_that_may_have_it(waiting: list[Waiting], candidates: list[Candidate]) -> None:
    for one in waiting:
        offer = RULES.schedule(one, scenes.start(one.units)).offer(NOW)
        may = {
            other.key: price_of(other.ask, one.units)
            for other in candidates
            if skip_cause(one, other, offer, NOW, RULES) is None
        }
        found = matched([one], candidates)
        assert bool(found) == bool(may)
        assert not found or may[found[0].key] == min(may.values())


@few
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(0, 80), st.integers(0, 80), st.integers(0, 90))
def test_to_ask_ones_cost_is_dominant_while_another_bids(
    others: list[int], cost: int, other_ask: int, cap: int
) -> None:
    """For one request at one offer, with the others' asks fixed and one of them within the offer."""
    assume(min(others) <= cap)
    rivals = [prover(n + 2, base=base) for n, base in enumerate(others)]
    truthful, tried = (_utility(prover(1, base=base), rivals, cost, cap) for base in (cost, other_ask))
    assert tried <= truthful


@few
@given(st.integers(0, 60), st.integers(0, 80), st.integers(0, 80), st.integers(0, 80))
def test_collateral_does_not_make_lying_pay(rival: int, cost: int, other_ask: int, stake: int) -> None:
    rivals = [prover(2, base=rival)]
    truthful, tried = (
        _utility(prover(1, base=base, stake_lamports=stake), rivals, cost, 100) for base in (cost, other_ask)
    )
    assert tried <= truthful


def test_a_lone_bidder_gains_by_asking_more_and_docs_say_so() -> None:
    """Second price needs a second: alone one is paid one's ask, inside the offer."""
    assert _utility(prover(1, base=10), [], 10, 50) == 0
    assert _utility(prover(1, base=50), [], 10, 50) == 40


def test_waiting_for_the_offer_to_rise_gains_where_nobody_undercuts_and_docs_say_so() -> None:
    """Both cost 10, the other asks 80 of a cap of 100, the offer begins at 20."""
    rival, one = prover(2, base=80), request(1, cap=100, created_at=NOW, deadline_at=NOW + 1000)
    rules = Rules(rise_s=60.0)

    def first_deal(base: int) -> Match:
        for tick in range(61):
            found = run_round(
                [one], [prover(1, base=base, expires_at=NOW + 99), rival], {}, lambda u: 20, NOW + tick, rules
            )
            if found:
                return found[0]
        raise AssertionError("nobody took it")

    assert first_deal(10).price == 10  # alone within 20, it gets its own ask
    assert first_deal(79).price == 80


def _utility(one: Candidate, rivals: list[Candidate], cost: int, cap: int) -> int:
    rules = Rules()
    found = run_round([request(1, cap=cap)], [one, *rivals], {}, lambda units: cap, NOW, rules)
    return sum(match.price - cost for match in found if match.key == one.key)


@few
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=20), running_counts, st.integers(1, 12))
def test_no_requester_starves(requesters: list[str], running: dict[str, int], slots: int) -> None:
    """Whoever got something never ends more than one ahead of a requester who still waits."""
    waiting = [request(n, requester=who) for n, who in enumerate(requesters)]
    matches = matched(waiting, [prover(1, base=1, capacity=slots)], running)
    assert len(matches) == min(slots, len(waiting))
    after = Counter(running)
    after.update(match.request.requester for match in matches)
    served = {match.request.requester for match in matches}
    left = {one.requester for one in waiting} if len(matches) < len(waiting) else set()
    still = {one.requester for one in waiting if one.id not in {match.request.id for match in matches}} & left
    assert all(after[a] <= after[b] + 1 for a in served for b in still)


def test_first_come_first_served_whatever_the_cap() -> None:
    waiting = [request(n, cap=10_000 - n) for n in range(5)]
    assert [match.request.sequence for match in matched(waiting, [prover(1, capacity=3)])] == [0, 1, 2]


def test_one_that_nobody_takes_holds_up_nobody() -> None:
    waiting = [request(1, cap=1), request(2), request(3, deadline_at=NOW), request(4)]
    assert [match.request.sequence for match in matched(waiting, [prover(1, capacity=9)])] == [2, 4]


def test_equals_share_by_load() -> None:
    candidates = [prover(1, capacity=4, live=2), prover(2, capacity=4), prover(3, capacity=2)]
    waiting = [request(n) for n in range(6)]
    assert [match.key for match in matched(waiting, candidates)] == [key_of(n) for n in (2, 3, 2, 1, 2, 3)]


def test_a_round_ends_at_its_limit() -> None:
    waiting = [request(n) for n in range(5)]
    found = run_round(waiting, [prover(1, capacity=9)], {}, scenes.start, NOW, RULES, limit=2)
    assert [match.request.sequence for match in found] == [0, 1]
