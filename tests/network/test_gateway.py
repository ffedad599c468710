"""The HTTP API: its errors, its caps, its doors."""

import hashlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from proofgrid import errors
from proofgrid.config import Limits
from proofgrid.gateway import answers, bodies
from proofgrid.gateway.server import bind
from proofgrid.models import ErrorAnswer, error_of_answer
from proofgrid.models.service import error_classes
from tests.network.gateway import WORKER_TOKEN, fleet_key, serving
from tests.network.world import BN254, MakeWorld, World, true_submission

LIMITS = Limits(max_artifact_bytes=100_000, max_json_bytes=4096, max_submission_bytes=8192, max_wait_s=1)


@pytest.fixture
def world(make: MakeWorld) -> World:
    world = make(limits=LIMITS)
    world.now = time.time()
    return world


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with serving(world) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def refusal(reply: httpx.Response, status: int, code: str) -> str:
    """The message of a refusal of this kind."""
    assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
    assert set(reply.json()) <= {"code", "message", "retryable", "details"}
    return str(reply.json()["message"])


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Errors


@pytest.mark.parametrize("kind", error_classes().values(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_a_status_and_survives_the_wire(kind: type[errors.ProofgridError]) -> None:
    assert kind in answers.STATUS
    error = kind("WrongPredecessor") if kind is errors.ProgramRefused else kind("the message")
    answer = answers.answer_error(error)
    assert answer.status_code == answers.STATUS[kind]
    received = error_of_answer(answer.status_code, bytes(answer.body))
    assert type(received) is kind
    assert str(received) == str(error)
    if isinstance(error, errors.ProgramRefused):
        assert isinstance(received, errors.ProgramRefused)
        assert received.name == "WrongPredecessor"


def test_the_tree_is_complete() -> None:
    public = {value for value in vars(errors).values() if isinstance(value, type)}
    assert set(error_classes().values()) == {kind for kind in public if issubclass(kind, errors.ProofgridError)}


def test_an_error_of_a_room_answers_as_its_nearest_of_the_tree() -> None:
    class RefusedInput(errors.MalformedInput):
        pass

    assert answers.status_of(RefusedInput("x")) == 400
    assert ErrorAnswer.of(RefusedInput("x")).code == "malformed_input"


@pytest.mark.parametrize("content", [b"", b"{}", b"<html>", b'{"code": 1}', b"\xff"])
def test_an_answer_that_is_not_ours_is_a_queue_error(content: bytes) -> None:
    assert type(error_of_answer(502, content)) is errors.QueueError


def test_a_defect_is_a_500_that_tells_nothing(world: World) -> None:
    app = FastAPI()
    answers.install(app)

    @app.get("/")
    def broken() -> None:
        raise ZeroDivisionError("secret")

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/")

    import asyncio

    assert "secret" not in refusal(asyncio.run(get()), 500, "error")


def test_unknown_paths_and_methods_are_refused_in_our_form(http: httpx.Client) -> None:
    refusal(http.get("/nothing"), 404, "not_found")
    refusal(http.put("/v1/network"), 405, "malformed_input")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"idempotency_key": "a"}', b"\xff\xfe", b'{"a":' * 800, b"[" * 3000],
)
def test_a_body_that_is_no_message_is_malformed(http: httpx.Client, body: bytes) -> None:
    reply = http.post("/v1/requests", content=body, headers={"Content-Type": "application/json"})
    refusal(reply, 400, "malformed_input")


def test_a_refusal_does_not_repeat_what_was_sent(http: httpx.Client, world: World) -> None:
    body = {**world.body().model_dump(mode="json"), "input_kind": "the-secret", "unknown": "the-secret"}
    assert "the-secret" not in http.post("/v1/requests", json=body).text


# Caps


def test_the_json_cap_holds_to_the_byte(http: httpx.Client) -> None:
    for size, code in ((LIMITS.max_json_bytes, "malformed_input"), (LIMITS.max_json_bytes + 1, "too_large")):
        reply = http.post("/v1/circuits", content=b" " * size, headers={"Content-Type": "application/json"})
        assert reply.json()["code"] == code


def test_a_body_without_a_length_is_counted(http: httpx.Client) -> None:
    refusal(http.post("/v1/circuits", content=iter([b" " * 1000] * 5)), 413, "too_large")


def test_a_submission_may_be_larger_than_other_messages(http: httpx.Client) -> None:
    path, headers = f"/v1/leases/{'0' * 32}/submit", {"Fencing-Token": "1" * 64, "Content-Type": "application/json"}
    padded = true_submission().model_dump_json().encode().ljust(LIMITS.max_submission_bytes)
    refusal(http.post(path, content=padded, headers=headers), 404, "not_found")
    refusal(http.post(path, content=padded + b" ", headers=headers), 413, "too_large")


def test_a_body_that_stops_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.2)
    with serving(world) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 10) as line:
        line.sendall(b"POST /v1/circuits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert line.recv(4096).startswith(b"HTTP/1.1 400")


# Artifacts


def test_an_artifact_is_asked_for_then_sent_once(http: httpx.Client, world: World) -> None:
    data = b"x" * LIMITS.max_artifact_bytes
    path = f"/v1/artifacts/{digest_of(data)}"
    assert http.head(path).status_code == 404
    assert http.post(path, content=data).json() == {"digest": digest_of(data)}
    assert http.head(path).status_code == 204
    assert world.store.read(digest_of(data), max_bytes=len(data)) == data


@pytest.mark.parametrize(
    ("data", "name", "status", "code"),
    [
        (b"x" * (LIMITS.max_artifact_bytes + 1), None, 413, "too_large"),
        (b"x", "0" * 64, 400, "malformed_input"),
        (b"x", "0" * 63, 400, "malformed_input"),
        (b"x", "..%2F..%2Fetc", 404, "not_found"),
    ],
    ids=["too large", "another digest", "short name", "path"],
)
def test_a_wrong_upload_leaves_nothing(
    http: httpx.Client, world: World, data: bytes, name: str | None, status: int, code: str
) -> None:
    refusal(http.post(f"/v1/artifacts/{name or digest_of(data)}", content=data), status, code)
    assert list((world.store.folder / "incoming").iterdir()) == []
    assert not world.store.exists(digest_of(data))


# Circuits


def registration(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "name": "steps",
        "zkey_digest": world.circuit.zkey_digest,
        "wasm_digest": world.circuit.wasm_digest,
        **changes,
    }


def test_a_circuit_is_registered_once(http: httpx.Client, world: World) -> None:
    first, second = (http.post("/v1/circuits", json=registration(world)) for _ in range(2))
    assert first.json() == second.json()
    assert http.get(f"/v1/circuits/{first.json()['id']}").json() == first.json()
    other = http.post("/v1/circuits", json=registration(world, wasm_digest=None)).json()
    assert other["id"] != first.json()["id"]


def test_a_circuit_of_hostile_files_is_refused(http: httpx.Client, world: World) -> None:
    zkey = bytearray((BN254 / "steps.zkey").read_bytes())
    garbage = world.store.put(b"not a key")
    short = world.store.put(bytes(zkey[:-1]))
    zkey[-200] ^= 0xFF
    for digest in (garbage, short):
        refusal(http.post("/v1/circuits", json=registration(world, zkey_digest=digest)), 400, "malformed_input")
    refusal(http.post("/v1/circuits", json=registration(world, wasm_digest=garbage)), 400, "malformed_input")
    refusal(http.post("/v1/circuits", json=registration(world, zkey_digest="0" * 64)), 404, "not_found")


# Requests


def test_placing_twice_is_once(http: httpx.Client, world: World) -> None:
    body = world.body().model_dump(mode="json")
    first, second = (http.post("/v1/requests", json=body) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    refusal(http.post("/v1/requests", json={**body, "deadline_s": 7}), 409, "conflict")


def test_what_was_not_uploaded_cannot_be_proved(http: httpx.Client, world: World) -> None:
    body = world.body(sealed_digest="0" * 64).model_dump(mode="json")
    refusal(http.post("/v1/requests", json=body), 404, "not_found")


def test_waiting_ends_with_the_request_or_the_time(http: httpx.Client, world: World) -> None:
    request_id = world.place()
    started = time.monotonic()
    assert http.get(f"/v1/requests/{request_id}?wait=0.3").json()["fulfilment"] == "requested"
    assert 0.1 < time.monotonic() - started < 5
    http.delete(f"/v1/requests/{request_id}")
    started = time.monotonic()
    assert http.get(f"/v1/requests/{request_id}?wait=3000").json()["fulfilment"] == "cancelled"
    assert time.monotonic() - started < 0.9
    refusal(http.get(f"/v1/requests/{request_id}?wait=-1"), 400, "malformed_input")


def test_before_there_is_a_proof(http: httpx.Client, world: World) -> None:
    request_id = world.place()
    for what in ("proof", "receipt"):
        refusal(http.get(f"/v1/requests/{request_id}/{what}"), 409, "conflict")
    http.delete(f"/v1/requests/{request_id}")
    for what in ("proof", "receipt"):
        reply = http.get(f"/v1/requests/{request_id}/{what}")
        assert "cancelled_by_requester" in refusal(reply, 409, "request_failed")
        assert reply.json()["details"] == {"cause": "cancelled_by_requester"}
    refusal(http.get(f"/v1/requests/{'0' * 64}/proof"), 404, "not_found")


# Leases


def test_a_lease_lives_under_its_token(http: httpx.Client, world: World) -> None:
    world.place()
    world.dispatch()
    task = world.take()
    path, token = f"/v1/leases/{task.attempt_id}", {"Fencing-Token": task.token}
    refusal(http.post(f"{path}/claim", json={"worker": "w"}), 400, "malformed_input")
    refusal(http.post(f"{path}/claim", json={"worker": "w"}, headers={"Fencing-Token": "0" * 64}), 409, "conflict")
    assert http.post(f"{path}/claim", json={"worker": "w"}, headers=token).json()["attempt_id"] == task.attempt_id
    refusal(http.post(f"{path}/claim", json={"worker": "v"}, headers=token), 409, "conflict")
    assert http.post(f"{path}/heartbeat", json={"progress": 0.5}, headers=token).is_success
    refusal(http.post(f"{path}/heartbeat", json={"progress": 1.5}, headers=token), 400, "malformed_input")
    assert (
        http.get(f"{path}/artifacts/{task.zkey_digest}", headers=token).content == (BN254 / "steps.zkey").read_bytes()
    )
    other = world.store.put(b"of somebody else")
    refusal(http.get(f"{path}/artifacts/{other}", headers=token), 404, "not_found")
    refusal(http.get(f"{path}/artifacts/{task.zkey_digest}", headers={"Fencing-Token": "x"}), 409, "conflict")
    submission = true_submission().model_dump(mode="json")
    assert http.post(f"{path}/submit", json=submission, headers=token).status_code == 202
    refusal(http.post(f"{path}/heartbeat", json={}, headers=token), 409, "conflict")


def test_only_the_fleet_says_that_a_worker_lives(http: httpx.Client, world: World) -> None:
    ours = fleet_key(world).public.hex()
    pulse = {"backend": "native", "version": "0", "fleet_key": ours, "started_at": 0.0}
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": WORKER_TOKEN}):
        refusal(http.post("/v1/workers/w/pulse", json=pulse, headers=headers), 401, "access_denied")
    headers = {"Authorization": f"Bearer {WORKER_TOKEN}"}
    other = pulse | {"fleet_key": "00" * 32}
    refusal(http.post("/v1/workers/w/pulse", json=other, headers=headers), 401, "access_denied")
    assert http.post("/v1/workers/w/pulse", json=pulse, headers=headers).status_code == 204


# Doors


def test_not_ready_says_what_is_missing(http: httpx.Client) -> None:
    reply = http.get("/v1/health")
    assert reply.status_code == 503
    parts = {part["name"]: part for part in reply.json()["components"]}
    assert not parts["workers"]["ready"]
    assert "proofgrid worker" in parts["workers"]["detail"]


def test_a_token_is_demanded_where_there_is_one(world: World) -> None:
    request_id = world.place()
    with serving(world, api_token="t" * 64) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for method, path in (
            ("GET", f"/v1/requests/{request_id}"),
            ("POST", "/v1/requests"),
            ("HEAD", f"/v1/artifacts/{'0' * 64}"),
            ("POST", f"/v1/artifacts/{'0' * 64}"),
            ("POST", "/v1/circuits"),
            ("GET", f"/v1/circuits/{world.circuit.id}"),
        ):
            assert http.request(method, path).status_code == 401, path
        authorised = {"Authorization": f"Bearer {'t' * 64}"}
        # Another requester than the loopback's "local": its requests are its own.
        assert http.get(f"/v1/requests/{request_id}", headers=authorised).status_code == 404
        assert http.get("/v1/network").is_success


def test_a_name_that_only_points_at_this_machine_is_refused(http: httpx.Client) -> None:
    assert http.get("/v1/network", headers={"Host": "evil.example"}).status_code == 400
    assert http.get("/v1/network", headers={"Host": "localhost:1"}).status_code == 200


def test_a_taken_port_is_said_at_once() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(errors.QueueError, match="cannot listen"):
            bind("127.0.0.1", taken.getsockname()[1])
