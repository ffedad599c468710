"""Hostile provers over HTTP: each gets its typed verdict, none is paid, and the honest one serves the request."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from proofgrid.gateway import bodies
from proofgrid.models import AttemptState, CauseCode, Claim, Fulfilment, ProveTask
from proofgrid.network import provers
from proofgrid.network.database import LeafRow
from proofgrid.network.tables.provers import NonceRow
from proofgrid.signed_calls import GOOD_FOR_S
from proofgrid.verifier.receipts import Leaf
from tests.network.market.bazaar import Bazaar
from tests.network.provers.conftest import placed
from tests.network.provers.operators import Operator
from tests.network.world import false_submission, true_submission

Pair = tuple[Operator, Operator]
FINAL = {"cause": {"code": "malformed_input", "message": "no witness"}, "final": True}


def served_by(bazaar: Bazaar, request_id: str, prover: Operator) -> None:
    """This prover serves the request; it alone is named, on the attempt and in the leaf."""
    world = bazaar.world
    world.now = time.time()
    bazaar.dispatch()
    task = prover.claim()
    assert task.sealed_key == f"{prover.number:02x}" * 135
    assert prover.submit(task).status_code == 202
    world.coordinator.run_verify(time.time())
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
    accepted = [one.prover for one in bazaar.attempts(request_id) if one.state is AttemptState.ACCEPTED]
    assert accepted == [prover.key]
    assert world.coordinator.run_settle(time.time() + 1) == 1
    with world.database.reading() as session:
        assert Leaf.decode(session.get_one(LeafRow, request_id).data).prover.hex() == prover.key


def code(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def test_an_honest_prover_is_served_and_named(bazaar: Bazaar, operators: Pair, request_id: str) -> None:
    assert operators[1].work() == ()
    served_by(bazaar, request_id, operators[0])


def test_an_invalid_proof_is_refused(bazaar: Bazaar, operators: Pair, request_id: str) -> None:
    liar, honest = operators
    assert liar.submit(liar.claim(), false_submission()).status_code == 202
    bazaar.world.coordinator.run_verify(time.time())
    last = bazaar.last(request_id)
    assert last.state is AttemptState.REFUSED
    assert last.cause is not None
    assert last.cause["code"] == CauseCode.INVALID_PROOF
    served_by(bazaar, request_id, honest)


def test_another_statements_proof_is_refused(bazaar: Bazaar, operators: Pair) -> None:
    """A true proof, of another request's public inputs."""
    expected = ("7", *true_submission().public_inputs[1:])
    request_id = placed(bazaar, expected_public_inputs=expected)
    liar = operators[0]
    assert liar.submit(liar.claim()).status_code == 202
    bazaar.world.coordinator.run_verify(time.time())
    assert bazaar.last(request_id).state is AttemptState.REFUSED
    assert bazaar.world.status(request_id).fulfilment is not Fulfilment.FULFILLED


def test_a_silent_prover_loses_its_lease_and_comes_too_late(bazaar: Bazaar, operators: Pair, request_id: str) -> None:
    silent, honest = operators
    task = silent.claim()
    bazaar.world.coordinator.run_reap(time.time() + bazaar.world.config.timing.heartbeat_timeout_s + 1)
    assert bazaar.last(request_id).state is AttemptState.LOST
    for reply in (silent.beat(task), silent.submit(task), silent.artifact(task)):
        assert code(reply) == (409, "conflict")
    served_by(bazaar, request_id, honest)


def test_nobody_but_the_fleet_ends_a_request_for_good(bazaar: Bazaar, operators: Pair, request_id: str) -> None:
    liar, honest = operators
    assert liar.lease(liar.claim(), "fail", FINAL).status_code == 202
    assert bazaar.world.status(request_id).fulfilment is Fulfilment.REQUESTED
    served_by(bazaar, request_id, honest)


STOLEN: dict[str, Callable[[Operator, ProveTask], httpx.Response]] = {
    "claim": lambda thief, task: thief.lease(task, "claim", Claim(worker="w")),
    "heartbeat": lambda thief, task: thief.beat(task),
    "submit": lambda thief, task: thief.submit(task),
    "fail": lambda thief, task: thief.lease(task, "fail", FINAL),
    "artifact": lambda thief, task: thief.artifact(task),
}


@pytest.mark.parametrize("steal", STOLEN.values(), ids=STOLEN)
def test_a_stolen_token_opens_nothing(
    bazaar: Bazaar, operators: Pair, request_id: str, steal: Callable[[Operator, ProveTask], httpx.Response]
) -> None:
    """Nor does a stolen proof: whoever has token and proof still lacks the hot key."""
    owner, thief = operators
    (task,) = owner.work()
    assert code(steal(thief, task)) == (401, "access_denied")
    unsigned = owner.http.post(
        f"/v1/leases/{task.attempt_id}/claim", json={"worker": "w"}, headers={"Fencing-Token": task.token}
    )
    assert code(unsigned) == (401, "access_denied")
    served_by(bazaar, request_id, owner)


def test_a_forged_token_is_refused(operators: Pair, request_id: str) -> None:
    (task,) = operators[0].work()
    forged = task.model_copy(update={"token": "0" * 64})
    assert code(operators[0].lease(forged, "claim", Claim(worker="w"))) == (409, "conflict")


def test_a_call_counts_once_and_the_same_with_a_fresh_nonce_changes_nothing(
    bazaar: Bazaar, operators: Pair, request_id: str
) -> None:
    prover = operators[0]
    (task,) = prover.work()
    path, body = f"/v1/leases/{task.attempt_id}/claim", b'{"worker": "w"}'
    headers = prover.headers("POST", path, body, task.token)
    assert prover.http.post(path, content=body, headers=headers).status_code == 200
    again = prover.http.post(path, content=body, headers=headers)
    assert code(again) == (401, "access_denied")
    assert "fresh nonce" in again.json()["message"]
    assert prover.lease(task, "claim", Claim(worker="w")).status_code == 200
    assert prover.submit(task).status_code == prover.submit(task).status_code == 202


def test_a_call_for_another_network_or_of_another_time_is_refused(operators: Pair, request_id: str) -> None:
    prover = operators[0]
    (task,) = prover.work()
    assert code(replace(prover, audience="another:0").beat(task)) == (401, "access_denied")
    reply = replace(prover, clock=lambda: time.time() - GOOD_FOR_S - 30).beat(task)
    assert code(reply) == (401, "access_denied")
    assert "set the clock" in reply.json()["message"]


def test_a_huge_body_is_refused(operators: Pair, request_id: str) -> None:
    prover = operators[0]
    task = prover.claim()
    huge = true_submission().model_copy(update={"proof": {"pi_a": "0" * (1 << 20)}})
    assert code(prover.submit(task, huge)) == (413, "too_large")


def test_a_slow_body_is_cut_off(operators: Pair, request_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WHOLE_S", 0.2)
    prover = operators[0]
    task = prover.claim()
    path, body = f"/v1/leases/{task.attempt_id}/submit", true_submission().model_dump_json().encode()

    def drip() -> Iterator[bytes]:
        for position in range(0, len(body), 100):
            yield body[position : position + 100]
            time.sleep(0.1)

    try:
        reply = prover.http.post(path, content=drip(), headers=prover.headers("POST", path, body, task.token))
    except httpx.HTTPError:  # it hung up while we were still sending
        return
    assert code(reply) == (400, "malformed_input")


def test_nonces_are_of_every_gateway_and_are_forgotten_when_their_calls_are_too_old(
    bazaar: Bazaar, operators: Pair
) -> None:
    database = bazaar.world.database
    with database.reading() as session:
        kept = session.query(NonceRow).count()
    assert kept == 2
    assert provers.prune(database, time.time()) == 0
    assert provers.prune(database, time.time() + 2 * GOOD_FOR_S + 2) == 2
