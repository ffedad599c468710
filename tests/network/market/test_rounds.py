"""The market over the database: who is assigned, at which price, and to whom a request goes next."""

import pytest

from proofgrid.models import AttemptState, Cause, CauseCode, Failure, Fulfilment
from proofgrid.network import dispatch, leases, reap
from proofgrid.network.market import board as boards
from proofgrid.network.market import waiting
from tests.network.market.bazaar import FLEET, Bazaar, key_of
from tests.network.world import ASK


def test_with_the_fleet_alone_it_is_the_fleets_at_its_ask(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    attempt = bazaar.last(request_id)
    assert (attempt.prover, attempt.price_lamports, attempt.state) == (None, ASK, AttemptState.SENT)


def test_the_cheapest_wins_at_the_second_price_and_is_not_sent_to_the_fleets_queue(bazaar: Bazaar) -> None:
    bazaar.ask(1, 300)
    bazaar.ask(2, 200, 10)
    request_id = bazaar.place()
    assert bazaar.dispatch() == 0
    attempt = bazaar.last(request_id)
    assert (attempt.prover, attempt.price_lamports, attempt.state) == (key_of(2), 300, AttemptState.QUEUED)
    assert bazaar.world.broker.tasks == []


def test_the_fleets_ask_is_a_second_price_like_any_other(bazaar: Bazaar) -> None:
    bazaar.ask(1, 300)
    request_id = bazaar.place()
    bazaar.dispatch()
    assert (bazaar.last(request_id).prover, bazaar.last(request_id).price_lamports) == (key_of(1), ASK)


def test_a_witness_that_only_the_fleet_can_open_goes_to_the_fleet(bazaar: Bazaar) -> None:
    bazaar.ask(1, 1)
    request_id = bazaar.world.place()
    bazaar.dispatch()
    assert bazaar.last(request_id).prover is None


def test_allow_and_deny(bazaar: Bazaar) -> None:
    bazaar.ask(1, 1)
    bazaar.ask(2, 2)
    chosen, denied, both = (
        bazaar.place(allow=(key_of(2),)),
        bazaar.place(deny=(key_of(1),)),
        bazaar.place(allow=(key_of(1),), deny=(key_of(1),)),
    )
    bazaar.dispatch()
    assert bazaar.last(chosen).prover == bazaar.last(denied).prover == key_of(2)
    assert bazaar.attempts(both) == []


def test_the_fleet_can_be_denied(bazaar: Bazaar) -> None:
    request_id = bazaar.world.place(deny=(FLEET,))
    assert bazaar.dispatch() == 0
    assert bazaar.world.status(request_id).fulfilment is Fulfilment.REQUESTED


@pytest.mark.parametrize(
    "changes",
    [{"admitted": False}, {"reputation": 0.1}, {"stake": 0}, {"units_per_s": None}, {"units_per_s": 0.00001}],
    ids=str,
)
def test_one_that_may_not_have_it_does_not_get_it(bazaar: Bazaar, changes: dict[str, object]) -> None:
    bazaar.admit(1, **changes)
    bazaar.ask(1, 1)
    request_id = bazaar.place()
    bazaar.dispatch()
    assert bazaar.last(request_id).prover is None


def test_slots_are_counted_across_rounds(bazaar: Bazaar) -> None:
    bazaar.ask(1, 1, capacity=2)
    placed = []
    for _ in range(3):
        placed.append(bazaar.place())
        bazaar.dispatch()
    assert [bazaar.last(one).prover for one in placed] == [key_of(1), key_of(1), None]
    bazaar.prove(placed[0])
    again = bazaar.place()
    bazaar.dispatch()
    assert bazaar.last(again).prover == key_of(1)


def test_collateral_breaks_the_circuit(bazaar: Bazaar) -> None:
    bazaar.admit(1, stake=1200)  # nine tenths of it cover two prices of 500
    bazaar.ask(1, 100)
    placed = [bazaar.place() for _ in range(3)]
    bazaar.dispatch()
    attempts = [bazaar.last(one) for one in placed]
    assert [one.prover for one in attempts] == [key_of(1)] * 2 + [None]
    assert sum(one.price_lamports or 0 for one in attempts[:2]) <= 1080


def test_another_coordinator_that_was_faster_is_not_overcommitted(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar.ask(1, 1, capacity=1)
    stale = bazaar.board()
    first, second = bazaar.place(), bazaar.place(max_price_lamports=600)
    world = bazaar.world
    monkeypatch.setattr(dispatch, "MAX_MATCHES", 1)
    dispatch.assign(world.database, world.config, FLEET, world.now)
    assert bazaar.last(first).prover == key_of(1)
    monkeypatch.setattr(dispatch, "load_board", lambda *_: stale)
    assert dispatch.assign(world.database, world.config, FLEET, world.now) == 0
    assert bazaar.attempts(second) == []
    monkeypatch.setattr(dispatch, "load_board", boards.load_board)
    assert dispatch.assign(world.database, world.config, FLEET, world.now) == 1
    assert bazaar.last(second).prover is None


def test_who_failed_it_never_gets_it_again_and_the_price_is_found_anew(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    bazaar.ask(2, 200)
    request_id = bazaar.place()
    bazaar.dispatch()
    attempt, world = bazaar.claim(request_id), bazaar.world
    assert (attempt.prover, attempt.price_lamports) == (key_of(1), 200)
    failure = Failure(cause=Cause(code=CauseCode.PROVER_ERROR, message="broke"), final=False)
    leases.fail(world.database, world.config, attempt.id, attempt.token, failure, world.now, attempt.prover)
    bazaar.dispatch()
    assert (bazaar.last(request_id).prover, bazaar.last(request_id).price_lamports) == (key_of(2), ASK)


def test_who_wins_and_does_not_come_loses_it(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.world.now += bazaar.world.config.market.claim_s - 1
    bazaar.dispatch()
    assert len(bazaar.attempts(request_id)) == 1
    bazaar.world.now += 1
    bazaar.dispatch()
    first, second = bazaar.attempts(request_id)
    assert (first.state, second.prover) == (AttemptState.WITHDRAWN, None)
    assert first.cause is not None
    assert first.cause["code"] == CauseCode.NOT_CLAIMED


def test_requesters_take_turns(bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_OUTSTANDING", 4)
    mine = [bazaar.place(requester="many") for _ in range(8)]
    theirs = [bazaar.place(requester="few") for _ in range(2)]
    bazaar.dispatch()
    served = [one for one in mine + theirs if bazaar.attempts(one)]
    assert served == [*mine[:2], *theirs]


def test_an_offer_rises_to_the_cap_and_not_beyond(bazaar: Bazaar) -> None:
    bazaar.ask(1, 900)
    for _ in range(2):  # the index becomes 500
        request_id = bazaar.place()
        bazaar.dispatch()
        bazaar.prove(request_id)
        bazaar.world.now += 20
    bazaar.dispatch()
    request_id = bazaar.place(deny=(FLEET,), max_price_lamports=1000)
    waited = 0
    while not bazaar.attempts(request_id):
        bazaar.dispatch()
        bazaar.world.now += 6
        waited += 6
    assert 40 < waited <= bazaar.world.config.market.rise_s
    assert bazaar.last(request_id).price_lamports == 900


def test_a_late_proof_is_paid_by_the_late_rule(bazaar: Bazaar) -> None:
    on_time, late = (bazaar.place(deadline_s=600.0, pay_until_s=5.0) for _ in range(2))
    bazaar.dispatch()
    bazaar.prove(on_time, seconds=5.0)
    bazaar.prove(late, seconds=1.0)
    assert bazaar.world.status(on_time).price_lamports == ASK
    assert bazaar.world.status(late).price_lamports == ASK // 2


def test_a_cap_below_the_fleet_waits_if_another_is_within_it(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    request_id = bazaar.place(max_price_lamports=ASK - 1)
    bazaar.dispatch()
    assert bazaar.last(request_id).prover == key_of(1)
    assert bazaar.world.status(bazaar.place(max_price_lamports=99)).fulfilment is Fulfilment.UNFULFILLABLE


def test_attempts_of_others_are_not_put_back_into_the_queue(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.world.now += bazaar.world.config.timing.resend_after_s + 1
    assert bazaar.dispatch() == 0
    reap.expire_late(bazaar.world.database, bazaar.world.now + 10_000)
    assert bazaar.last(request_id).state is AttemptState.WITHDRAWN


def test_a_fleet_without_workers_leaves_it_to_the_others(bazaar: Bazaar) -> None:
    bazaar.ask(1, 900)
    request_id = bazaar.place()
    bazaar.world.dispatch()
    assert bazaar.last(request_id).prover == key_of(1)


def test_an_index_below_the_fleets_ask_holds_up_nobody(bazaar: Bazaar) -> None:
    for _ in range(2):
        request_id = bazaar.place()
        bazaar.dispatch()
        assert bazaar.last(request_id).price_lamports == ASK
        bazaar.prove(request_id)
        bazaar.world.now += 20
    bazaar.dispatch()
    assert bazaar.board().levels[0].index < ASK * 10**6
    request_id = bazaar.place()
    bazaar.dispatch()
    assert bazaar.last(request_id).price_lamports == ASK


def test_a_flood_of_one_requester_is_considered_in_part(bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PER_REQUESTER", 2)
    flood = [bazaar.place(requester="many") for _ in range(5)]
    one = bazaar.place(requester="few")
    with bazaar.world.database.reading() as session:
        found = waiting.WaitingRoom().load(session, FLEET, bazaar.world.now)
    assert {request.id for request in found} == {*flood[:2], one}
