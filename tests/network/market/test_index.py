"""The price index: bounded steps, and one deal for each pair."""

from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.models.market import Prices
from proofgrid.network.dispatch import MAX_OUTSTANDING
from proofgrid.network.market import price_index
from proofgrid.network.market.board import Fleet
from proofgrid.network.market.index import DEMAND_BOUNDS, MAX_STEP, STEP_S, Level, demand, step
from tests.network.market.bazaar import FLEET, Bazaar, key_of
from tests.network.world import ASK

AMOUNTS = st.integers(0, 1 << 62)
COUNTS = st.integers(0, 10**6)


def advance(bazaar: Bazaar) -> int:
    world = bazaar.world
    return price_index.advance(world.database, world.config, Fleet(FLEET, MAX_OUTSTANDING), world.now)


def public(bazaar: Bazaar, history: int = 0) -> Prices:
    with bazaar.world.database.reading() as session:
        return price_index.public_prices(session, history=history)


@settings(max_examples=200, deadline=None)
@given(AMOUNTS, AMOUNTS, st.lists(AMOUNTS, max_size=5), COUNTS, COUNTS)
def test_no_step_is_longer_than_its_bound(paid: int, index: int, deals: list[int], waiting: int, free: int) -> None:
    new = step(Level(paid, index), deals, waiting, free)
    assert new is not None
    assert abs(new.index - index) <= max(1, index * MAX_STEP)
    assert min([paid, *deals]) - 1 <= new.paid <= max([paid, *deals]) + paid // 2**50 + 1


def test_demand_is_bounded_and_one_where_it_is_balanced() -> None:
    assert demand(10, 10) == 1
    assert (demand(0, 10**6), demand(10**6, 0)) == DEMAND_BOUNDS


def test_one_absurd_deal_in_a_step_moves_nothing() -> None:
    assert step(Level(100, 100), [100, 100, 10**12], 5, 5) == Level(100, 100)


def test_without_deals_there_is_no_index() -> None:
    assert step(None, [], 5, 5) is None


def test_it_follows_demand_and_comes_back() -> None:
    level = Level(1000, 1000)
    for _ in range(50):
        level = step(level, [], 10**6, 0) or level
    assert level == Level(1000, 2000)
    for _ in range(50):
        level = step(level, [], 0, 0) or level
    assert level == Level(1000, 1000)


def test_the_index_begins_with_the_first_verified_proof(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    assert public(bazaar).sizes == ()
    bazaar.prove(request_id)
    assert advance(bazaar) == 1
    (found,) = public(bazaar, history=5).sizes
    assert (found.max_units, found.lamports, found.deals) == (1, ASK, 1)
    assert [point.per_unit_micro for point in found.history] == [ASK * 10**6]


def test_a_step_is_taken_once(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.prove(request_id)
    assert [advance(bazaar), advance(bazaar)] == [1, 0]
    bazaar.world.now += STEP_S
    assert advance(bazaar) == 1  # capacity is free: it sinks towards half of what was paid
    assert public(bazaar).sizes[0].lamports == 438


def test_a_pair_that_trades_with_itself_counts_once(bazaar: Bazaar) -> None:
    bazaar.ask(1, 900)
    bazaar.ask(2, 100)
    wash = [bazaar.place(requester="shill", allow=(key_of(1),)) for _ in range(3)]
    honest = [bazaar.place(requester=who, allow=(key_of(2),)) for who in ("a", "b")]
    bazaar.dispatch()
    for request_id in [*wash, *honest]:
        bazaar.prove(request_id, seconds=0.1)
    assert advance(bazaar) == 1
    (found,) = public(bazaar).sizes
    assert (found.deals, found.lamports) == (3, 100)
