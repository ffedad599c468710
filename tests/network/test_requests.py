"""Placing, watching, cancelling."""

import pytest

from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.models import CauseCode, Fulfilment
from proofgrid.network import requests
from proofgrid.network.database import RequestRow
from tests.network.world import ASK, REQUESTER, MakeWorld, World


def test_the_same_key_is_the_same_request(world: World) -> None:
    body = world.body()
    assert world.place(body) == world.place(body)


def test_sealing_again_is_still_the_same_request(world: World) -> None:
    body = world.body()
    again = body.model_copy(update={"sealed_digest": world.store.put(b"sealed anew")})
    assert world.place(body) == world.place(again)


def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    body = world.body()
    world.place(body)
    with pytest.raises(Conflict, match="idempotency key"):
        world.place(body.model_copy(update={"deadline_s": 1.0}))


def test_keys_of_two_requesters_do_not_meet(world: World) -> None:
    body = world.body()
    first = world.place(body)
    with world.database.writing() as session:
        second = requests.place(session, "somebody else", body, ask_lamports=0, now=world.now)
    assert first != second


def test_somebody_elses_request_is_not_found(world: World) -> None:
    request_id = world.place()
    with world.database.reading() as session, pytest.raises(NotFound):
        requests.status(session, request_id, "somebody else")


def test_an_unknown_circuit_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="circuit"):
        world.place(circuit_id="0" * 64)


def test_expected_inputs_must_be_as_many_as_the_circuit_has(world: World) -> None:
    world.place(expected_public_inputs=("1", "2"))
    with pytest.raises(MalformedInput, match="2 public inputs, got 1"):
        world.place(expected_public_inputs=("1",))


def test_a_cap_at_the_ask_is_served_and_one_below_says_why_not(world: World) -> None:
    assert world.status(world.place(max_price_lamports=ASK)).fulfilment is Fulfilment.REQUESTED
    refused = world.status(world.place(max_price_lamports=ASK - 1))
    assert refused.fulfilment is Fulfilment.UNFULFILLABLE
    assert refused.cause is not None
    assert refused.cause.code is CauseCode.PRICE_BELOW_ASK


def test_cancelled_before_a_claim(world: World) -> None:
    waiting, queued = world.place(), world.place()
    for request_id in (waiting, queued, waiting):  # twice is the same
        with world.database.writing() as session:
            requests.cancel(session, request_id, REQUESTER, world.now)
        world.dispatch()
    assert {world.status(r).fulfilment for r in (waiting, queued)} == {Fulfilment.CANCELLED}


def test_the_task_of_a_cancelled_request_is_dropped(world: World) -> None:
    request_id = world.place()
    world.dispatch()
    with world.database.writing() as session:
        requests.cancel(session, request_id, REQUESTER, world.now)
    with pytest.raises(Conflict, match="withdrawn"):
        world.claim(world.take())


def test_a_claimed_request_cannot_be_cancelled(world: World) -> None:
    request_id, _ = world.running()
    with world.database.writing() as session, pytest.raises(Conflict, match="proving"):
        requests.cancel(session, request_id, REQUESTER, world.now)


def test_no_price_is_too_large_for_a_column(make: MakeWorld) -> None:
    world = make(ask_lamports=2**63 - 1)
    request_id = world.place(max_price_lamports=2**63 - 1)
    assert world.status(request_id).fulfilment is Fulfilment.REQUESTED


def test_a_repeat_whose_envelope_is_sealed_anew_to_others_is_the_same_request(world: World) -> None:
    first = world.body(recipients={"1" * 64: "ab" * 135})
    again = world.body(recipients={"2" * 64: "cd" * 135}, idempotency_key=first.idempotency_key)
    request_id = world.place(first)
    assert world.place(again) == request_id
    with world.database.reading() as session:
        row = session.query(RequestRow).filter_by(id=request_id).one()
        assert (row.recipients, row.sealed_keys) == (["1" * 64], {"1" * 64: "ab" * 135})


@pytest.mark.parametrize(
    "recipients", [{}, {"zz": "ab" * 135}, {"1" * 64: "ab" * 134}, {f"{n:064x}": "ab" * 135 for n in range(33)}]
)
def test_recipients_that_are_none_or_too_many_are_refused(world: World, recipients: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="recipients"):
        world.body(recipients=recipients)
