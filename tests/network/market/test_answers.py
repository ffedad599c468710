"""Why not, how much, how it stands."""

import pytest

from proofgrid.errors import NotFound
from proofgrid.models import Fulfilment
from proofgrid.models.market import Quote, QuoteRequest, SkipCause, Statistics, Why
from proofgrid.network import reap
from proofgrid.network.market import answers
from proofgrid.network.market.why import PASSING, sentences_of
from tests.network.market.bazaar import FLEET, Bazaar, key_of
from tests.network.world import ASK


def why(bazaar: Bazaar, request_id: str, requester: str = "local") -> Why:
    board = bazaar.board()
    with bazaar.world.database.reading() as session:
        return answers.why(session, board, request_id, requester)


def quote(bazaar: Bazaar, deadline_s: float = 600.0) -> Quote:
    board = bazaar.board()
    question = QuoteRequest(circuit_id=bazaar.world.circuit.id, deadline_s=deadline_s)
    with bazaar.world.database.reading() as session:
        return answers.quote(session, board, question)


def statistics(bazaar: Bazaar) -> Statistics:
    board = bazaar.board()
    with bazaar.world.database.reading() as session:
        return answers.statistics(session, board)


def counts(told: Why | Quote) -> dict[SkipCause, int]:
    return {skip.cause: skip.provers for skip in told.skips}


# Why


def test_a_cap_that_is_too_low_is_told_with_one_that_would_do(bazaar: Bazaar) -> None:
    bazaar.ask(1, 1234)
    bazaar.ask(2, 2000)
    told = why(bazaar, bazaar.place(deny=(FLEET,), max_price_lamports=1000))
    assert counts(told) == {SkipCause.PRICE_ABOVE_CAP: 2, SkipCause.DENIED: 1}
    assert told.raise_cap_to_lamports == 1300
    assert "2 provers wanted more than the cap of 1000 (place it again with max_price_lamports=1300)" in told.sentences


def test_of_a_full_network_it_says_wait(bazaar: Bazaar) -> None:
    bazaar.ask(1, 1, capacity=0)
    told = why(bazaar, bazaar.place(deny=(FLEET,)))
    assert counts(told)[SkipCause.NO_CAPACITY] == 1
    assert (told.eligible, told.raise_cap_to_lamports) == (0, None)


def test_while_the_offer_rises_it_says_how_long(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.prove(request_id)
    bazaar.dispatch()  # the index has begun
    bazaar.ask(1, 900)
    told = why(bazaar, bazaar.place(deny=(FLEET,), max_price_lamports=1000))
    assert counts(told)[SkipCause.PRICE_ABOVE_OFFER] == 1
    assert (told.offer_lamports, told.cap_reached_at) == (ASK, bazaar.world.now + 60)


def test_what_was_found_is_kept_for_when_the_request_has_ended(bazaar: Bazaar) -> None:
    bazaar.ask(1, 2000)
    request_id = bazaar.place(deny=(FLEET,), max_price_lamports=1000)
    bazaar.world.now += 5
    bazaar.dispatch()
    bazaar.world.now += 1000
    reap.expire_late(bazaar.world.database, bazaar.world.now)
    bazaar.standings.clear()
    told = why(bazaar, request_id)
    assert told.fulfilment is Fulfilment.EXPIRED
    assert counts(told) == {SkipCause.PRICE_ABOVE_CAP: 1, SkipCause.DENIED: 1}
    assert told.raise_cap_to_lamports == 2000
    assert "when the market last looked" in told.sentences[-1]
    status = bazaar.world.status(request_id)
    assert status.cause is not None
    assert "nobody took it (1 prover was on your deny list; 1 prover wanted more than the cap" in status.cause.message


def test_a_request_that_runs_says_with_whom(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    request_id = bazaar.place()
    bazaar.dispatch()
    assert f"attempt 1 by prover {key_of(1)} is queued" in why(bazaar, request_id).sentences


def test_nobody_learns_why_of_anothers_request(bazaar: Bazaar) -> None:
    with pytest.raises(NotFound):
        why(bazaar, bazaar.place(), "somebody else")


def test_every_cause_has_words_and_one_that_lasts_says_what_to_do_or_nothing() -> None:
    for skip in sentences_of(dict.fromkeys(SkipCause, 2), 50, 70):
        assert skip.sentence.startswith("2 provers ")
        assert skip.advice or skip.cause not in PASSING


# Quotes


def test_a_quote_with_the_fleet_alone(bazaar: Bazaar) -> None:
    found = quote(bazaar)
    assert (found.expected_lamports, found.low_lamports, found.high_lamports) == (ASK, ASK, 630)
    assert (found.eligible, found.index_lamports, found.expected_s) == ((FLEET,), None, None)


def test_a_quote_is_the_second_price_rounded_up_and_names_who_may_have_it(bazaar: Bazaar) -> None:
    bazaar.ask(1, 111)
    bazaar.ask(2, 222)
    bazaar.ask(3, 1, expires_at=bazaar.world.now + 1)
    bazaar.world.now += 2
    found = quote(bazaar)
    assert (found.expected_lamports, found.high_lamports) == (230, 280)
    assert found.eligible == tuple(sorted((FLEET, key_of(1), key_of(2))))
    request_id = bazaar.place(max_price_lamports=found.high_lamports)
    bazaar.dispatch()
    assert bazaar.last(request_id).price_lamports == 222


def test_a_quote_without_provers_says_why_there_are_none(bazaar: Bazaar) -> None:
    bazaar.admit(1, units_per_s=0.001)
    bazaar.ask(1, 1)
    bazaar.world.coordinator.config = bazaar.world.config
    found = quote(bazaar, deadline_s=1.0)
    assert counts(found) == {SkipCause.TOO_SLOW: 1}


def test_a_quote_names_no_more_than_a_request_takes(bazaar: Bazaar) -> None:
    for number in range(1, 41):
        bazaar.ask(number, number)
    found = quote(bazaar)
    assert len(found.eligible) == 32
    assert key_of(1) in found.eligible
    assert key_of(40) not in found.eligible


def test_an_unknown_circuit_has_no_price(bazaar: Bazaar) -> None:
    board = bazaar.board()
    with bazaar.world.database.reading() as session, pytest.raises(NotFound):
        answers.quote(session, board, QuoteRequest(circuit_id="0" * 64))


def test_seconds_are_expected_by_measured_speed(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.prove(request_id, seconds=4.0)
    assert quote(bazaar).expected_s == pytest.approx(4.0)  # one unit in four seconds


# Statistics


def test_statistics_count_what_happened(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100, capacity=3)
    placed = [bazaar.place() for _ in range(3)]
    waiting = bazaar.place(allow=("0" * 64,))
    bazaar.dispatch()
    bazaar.world.now += 2
    bazaar.prove(placed[0], seconds=3.0)
    bazaar.prove(placed[1], seconds=1.0)
    found = statistics(bazaar)
    assert (found.waiting, found.running, found.fulfilled, found.unserved) == (1, 1, 2, 0)
    assert (found.proving_s, found.units, found.paid_lamports) == (4.0, 2, 2 * ASK)
    assert found.median_wait_s == pytest.approx((2 + 5) / 2)
    assert (found.asks.provers, found.asks.capacity, found.asks.free) == (2, 3 + 256, 2 + 256)
    assert waiting
