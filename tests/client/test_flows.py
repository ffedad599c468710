"""The SDK's behaviour without a socket: flows are asked what they want and told what came of it."""

import json
from typing import Any

import pytest

from proofgrid.client import calls, flows
from proofgrid.client.calls import exchange, get, upload_bytes
from proofgrid.client.chain import require_on_chain
from proofgrid.client.effects import Call, Flow, Reply, Sleep, Work
from proofgrid.errors import ChainUnavailable, Conflict, InvalidProof, MalformedInput, QueueError, RequestFailed
from proofgrid.models import ErrorAnswer, NetworkInfo, RequestStatus
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, LEAF_VOID
from proofgrid.verifier.receipts import Leaf, Receipt

AWAY = Reply(0, trouble="ConnectError: refused")


def play(flow: Flow[Any], *outcomes: Reply) -> tuple[Any, list[Call | Sleep]]:
    """Run a flow against scripted replies; what it returned and what it asked for."""
    replies, asked = iter(outcomes), list[Call | Sleep]()
    outcome: Any = None
    while True:
        try:
            effect = flow.send(outcome)
        except StopIteration as end:
            assert next(replies, None) is None, "the flow asked less than the script says"
            return end.value, asked
        if isinstance(effect, Work):
            outcome = effect.run()
            continue
        asked.append(effect)
        outcome = next(replies) if isinstance(effect, Call) else None


def pauses(asked: list[Call | Sleep]) -> list[float]:
    return [effect.seconds for effect in asked if isinstance(effect, Sleep)]


def refused(error: Exception, status: int = 500) -> Reply:
    return Reply(status, ErrorAnswer.of(error).model_dump_json().encode())  # type: ignore[arg-type]


def test_trouble_on_the_way_is_tried_again_ever_more_slowly() -> None:
    reply, asked = play(exchange(Call("GET", "/x")), AWAY, AWAY, AWAY, Reply(200, b"done"))
    assert reply.body == b"done"
    assert pauses(asked) == [0.1, 0.2, 0.4]


def test_a_gateway_that_stays_away_is_a_queue_error_that_says_what_to_do() -> None:
    with pytest.raises(QueueError, match=r"proofgrid up.*running"):
        play(exchange(Call("GET", "/x"), patience_s=1.0), *[AWAY] * 10)


def test_a_retryable_refusal_is_tried_again_and_another_is_not() -> None:
    reply, _ = play(exchange(Call("GET", "/x")), refused(QueueError("busy"), 503), Reply(204))
    assert reply.status == 204
    with pytest.raises(Conflict, match="no"):
        play(exchange(Call("GET", "/x")), refused(Conflict("no"), 409))


def test_patience_ends_with_the_last_refusal() -> None:
    with pytest.raises(QueueError, match="busy"):
        play(exchange(Call("GET", "/x"), patience_s=0.5), *[refused(QueueError("busy"), 503)] * 9)


def test_somebody_else_at_the_address_is_said_so() -> None:
    with pytest.raises(QueueError, match="not a gateway"):
        play(get("/v1/network", NetworkInfo), Reply(200, b"<html>hello</html>"))


def test_what_the_network_has_is_not_sent() -> None:
    _, asked = play(upload_bytes(b"data", "ab" * 32), Reply(204))
    assert [effect.method for effect in asked if isinstance(effect, Call)] == ["HEAD"]
    _, asked = play(upload_bytes(b"data", "ab" * 32), Reply(404), Reply(201))
    assert [effect.method for effect in asked if isinstance(effect, Call)] == ["HEAD", "POST"]
    assert isinstance(asked[1], Call)
    assert (asked[1].url, asked[1].content) == ("/v1/artifacts/" + "ab" * 32, b"data")


def status(**changes: Any) -> RequestStatus:
    values = {
        "id": "1" * 64,
        "circuit_id": "2" * 64,
        "fulfilment": "proving",
        "verification": "unverified",
        "settlement": "unsettled",
        "progress": 0.5,
        "cause": None,
        "attempts": (),
        "price_lamports": None,
        "created_at": 0.0,
        "deadline_at": 1.0,
        "fulfilled_at": None,
        "committed_at": None,
    }
    return RequestStatus.model_validate({**values, **changes})


def answered(found: RequestStatus) -> Reply:
    return Reply(200, found.model_dump_json().encode())


TICKET = flows.Ticket("1" * 64, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["unfulfillable", "expired", "cancelled"])
def test_a_request_that_ended_without_a_proof_says_why(end: str) -> None:
    cause = {"code": "unsatisfied_circuit", "message": "line 7"}
    replies = [answered(status()), answered(status(fulfilment=end, cause=cause))]
    with pytest.raises(RequestFailed, match=f"{end}: unsatisfied_circuit: line 7") as failure:
        play(flows.wait(TICKET, None, None, None), *replies)
    assert failure.value.cause == "unsatisfied_circuit"


def test_time_that_is_up_is_a_retryable_error_and_the_request_goes_on() -> None:
    with pytest.raises(QueueError, match="goes on") as failure:
        play(flows.wait(TICKET, 0.0, None, None), answered(status()))
    assert failure.value.retryable


def test_a_gateway_that_restarts_does_not_end_a_wait() -> None:
    replies = [answered(status()), *[AWAY] * 5, answered(status(fulfilment="cancelled"))]
    with pytest.raises(RequestFailed):
        play(flows.wait(TICKET, None, None, None), *replies)


def test_progress_is_shown() -> None:
    seen: list[float] = []
    replies = [answered(status(progress=0.1)), answered(status(fulfilment="cancelled", progress=0.2))]
    with pytest.raises(RequestFailed):
        play(flows.wait(TICKET, None, lambda now: seen.append(now.progress), None), *replies)
    assert seen == [0.1, 0.2]


# The chain's own word


DIGEST = bytes(range(32))
RECEIPT = Receipt(
    leaf=Leaf(
        request_id=DIGEST,
        verifying_key_digest=DIGEST,
        public_inputs_digest=DIGEST,
        proof_digest=DIGEST,
        prover=DIGEST,
        price_lamports=0,
    ),
    index=0,
    n_leaves=1,
    path=(),
    root=DIGEST,
    batch=3,
    transaction="5" * 64,
    program_id="4" * 32,
    batch_address="3" * 32,
)


def account(owner: str = RECEIPT.program_id, states: bytes = bytes(8), **changes: Any) -> Reply:
    import base64

    values: dict[str, Any] = {
        "committer": DIGEST,
        "number": 3,
        "prev_root": bytes(32),
        "root": DIGEST,
        "slot": 1,
        "unix_time_s": 1,
        "challenge_until_s": 2,
        "leaf_bond": 0,
        "locked": 0,
        "leaf_count": 1,
        "open_demands": 0,
        "bump": 255,
    }
    data = base64.b64encode(BATCH_ACCOUNT.encode({**values, **changes}) + states).decode()
    return Reply(200, json.dumps({"result": {"value": {"owner": owner, "data": [data, "base64"]}}}).encode())


def test_a_root_on_chain_is_accepted() -> None:
    play(require_on_chain(RECEIPT, "http://rpc"), account())


@pytest.mark.parametrize(
    "reply",
    [
        account(owner="5" * 32),
        account(root=bytes(32)),
        account(number=4),
        account(leaf_count=2),
        account(states=bytes([LEAF_VOID]) + bytes(7)),
        Reply(200, b'{"result": {"value": null}}'),
    ],
    ids=["program", "root", "number", "count", "void", "absent"],
)
def test_a_chain_that_says_otherwise_is_an_invalid_proof(reply: Reply) -> None:
    with pytest.raises(InvalidProof):
        play(require_on_chain(RECEIPT, "http://rpc"), reply)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (AWAY, ChainUnavailable),
        (Reply(500), ChainUnavailable),
        (Reply(200, b'{"error": {"code": -32000}}'), ChainUnavailable),
        (Reply(200, b"[]"), MalformedInput),
        (Reply(200, b'{"result": {"value": {"owner": "x", "data": ["!"]}}}'), MalformedInput),
    ],
)
def test_a_chain_that_says_nothing_is_not_a_no(reply: Reply, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        play(require_on_chain(RECEIPT, "http://rpc"), reply)


def test_pauses_are_capped() -> None:
    _, asked = play(exchange(Call("GET", "/x"), patience_s=1e9), *[AWAY] * 12, Reply(200))
    assert max(pauses(asked)) == calls.LAST_PAUSE_S
