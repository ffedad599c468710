"""Registering, fetching what was assigned, leaving."""

import pytest

from proofgrid.models import AttemptState, Claim
from proofgrid.network.workers import heard_of
from tests.network.market.bazaar import Bazaar
from tests.network.provers.conftest import placed
from tests.network.provers.operators import Operator

Pair = tuple[Operator, Operator]


def test_an_answer_that_was_lost_comes_again_and_what_is_held_does_not(
    bazaar: Bazaar, operators: Pair, request_id: str
) -> None:
    prover = operators[0]
    (task,) = prover.work()
    assert bazaar.last(request_id).state is AttemptState.SENT
    assert prover.work() == (task,)
    assert prover.work(held=(task.attempt_id,)) == ()
    assert operators[1].work() == ()


def test_no_more_comes_than_there_are_slots(bazaar: Bazaar, operators: Pair) -> None:
    for _ in range(3):
        placed(bazaar)
    first = operators[0].work(slots=2)
    rest = operators[0].work(slots=2, held=tuple(task.attempt_id for task in first))
    assert (len(first), len(rest)) == (2, 1)
    assert len({task.attempt_id for task in (*first, *rest)}) == 3


def test_a_prover_that_left_gets_nothing_new(bazaar: Bazaar, operators: Pair) -> None:
    first, second = operators
    assert first.post("/v1/prover/leave", {}).json()["left_at"] is not None
    bazaar.world.now += 1
    request_id = placed(bazaar)
    assert bazaar.last(request_id).prover == second.key
    assert first.work() == ()


def test_everybody_sees_who_is_registered(operators: Pair) -> None:
    http = operators[0].http
    keys = sorted(one.key for one in operators)
    page = http.get("/v1/provers", params={"limit": 1}).json()
    assert ([one["key"] for one in page["provers"]], page["next_after"]) == (keys[:1], keys[0])
    rest = http.get("/v1/provers", params={"after": keys[0]}).json()
    assert ([one["key"] for one in rest["provers"]], rest["next_after"]) == (keys[1:], None)
    assert http.get(f"/v1/provers/{operators[0].key}").json()["name"] == "prover 1"
    assert http.get(f"/v1/provers/{'0' * 64}").status_code == 404


def test_who_is_not_registered_gets_no_work(operators: Pair) -> None:
    stranger = Operator(operators[0].http, operators[0].audience, 9)
    reply = stranger.post("/v1/prover/work", {})
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("change", [{"name": ""}, {"chain_address": "0"}, {"capacity": -1}, {"surprise": 1}])
def test_a_registration_that_is_none_is_refused(operators: Pair, change: dict[str, object]) -> None:
    told = {"name": "a", "hardware": {"kind": "cpu"}, "version": "0", "capacity": 1, **change}
    assert operators[0].post("/v1/provers", told).json()["code"] == "malformed_input"


def test_a_prover_does_not_speak_for_the_fleets_workers(bazaar: Bazaar, operators: Pair, request_id: str) -> None:
    world = bazaar.world
    with world.database.reading() as session:
        before = heard_of(session, "worker-1")
    prover = operators[0]
    (task,) = prover.work()
    assert prover.lease(task, "claim", Claim(worker="worker-1")).status_code == 200
    assert prover.beat(task).status_code == 200
    with world.database.reading() as session:
        assert heard_of(session, "worker-1") == before
