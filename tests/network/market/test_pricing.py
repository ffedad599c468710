"""Units, offers and late proofs, at their boundaries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgrid.network.market.pricing import (
    Schedule,
    index_price,
    payable,
    price_of,
    rounded_up,
    size_class,
    units_of,
)
from tests.network.market.scenes import ask_of

AMOUNTS = st.integers(0, 1 << 63)


@pytest.mark.parametrize(("domain", "units"), [(0, 0), (1, 1), (1024, 1), (1025, 2), (2048, 2), (1 << 28, 1 << 18)])
def test_units_round_up(domain: int, units: int) -> None:
    assert units_of(domain) == units


@pytest.mark.parametrize(("units", "size"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 18, 18)])
def test_sizes_are_powers_of_two(units: int, size: int) -> None:
    assert size_class(units) == size
    assert units <= 1 << size


def test_the_dearest_ask_fits_a_column() -> None:
    assert price_of(ask_of((1 << 60) - 1, (1 << 42) - 1), 1 << 18) < 1 << 62


@given(
    AMOUNTS, AMOUNTS, st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.lists(st.floats(0, 2e6), min_size=2, max_size=9)
)
def test_an_offer_never_falls_and_ends_at_the_cap(
    one: int, two: int, life_s: float, rise_s: float, times: list[float]
) -> None:
    schedule = Schedule(min(one, two), max(one, two), 0.0, life_s, rise_s)
    offers = [schedule.offer(now) for now in sorted(times)]
    assert offers == sorted(offers)
    assert all(schedule.start <= offer <= schedule.cap for offer in offers)
    assert schedule.offer(0.0) in (schedule.start, schedule.cap)
    assert schedule.offer(schedule.cap_at) == schedule.cap


def test_an_offer_rises_in_tenths_and_at_once_when_half_the_time_is_gone() -> None:
    slow = Schedule(100, 200, 0.0, 3600.0, 60.0)
    assert [slow.offer(now) for now in (0, 5.9, 6, 59.9, 60)] == [100, 100, 110, 190, 200]
    urgent = Schedule(100, 200, 0.0, 40.0, 60.0)
    assert [urgent.offer(now) for now in (0, 19.9, 20)] == [100, 130, 200]


def test_late_begins_after_the_first_deadline() -> None:
    assert payable(101, 10.0, 10.0, 5_000) == 101
    assert payable(101, 10.1, 10.0, 5_000) == 50
    assert payable(101, 10.1, None, 0) == 101


@given(st.integers(0, 1 << 62))
def test_advice_is_at_most_a_tenth_above(lamports: int) -> None:
    assert lamports <= rounded_up(lamports) <= lamports * 11 // 10 + 1
    assert len(str(rounded_up(lamports)).rstrip("0")) <= 2


@given(AMOUNTS, st.integers(1, 1 << 18))
def test_the_index_rounds_up(micro: int, units: int) -> None:
    assert (index_price(micro, units) - 1) * 10**6 < micro * units <= index_price(micro, units) * 10**6
