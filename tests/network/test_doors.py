"""Who may knock at the gateway, and what its refusals say when its own parts fail."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sqlalchemy.exc import OperationalError, TimeoutError
from starlette.types import Message, Receive, Scope, Send

from proofgrid.config import NetworkConfig
from proofgrid.errors import MalformedInput, ProofgridError
from proofgrid.gateway import bodies
from proofgrid.gateway.embedded import Network, WorkerOptions
from proofgrid.gateway.up import logging_to
from proofgrid.network import requests
from tests.network.gateway import serving
from tests.network.world import World


@pytest.fixture
def url(world: World) -> Iterator[str]:
    world.now = time.time()
    with serving(world) as url:
        yield url


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/circuits", "/v1/artifacts/" + "0" * 64])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_web_page_of_another_place_may_not_write(url: str, world: World, path: str, origin: str) -> None:
    before = sorted(world.store.folder.rglob("*"))
    reply = httpx.post(url + path, content=b"{}", headers={"Origin": origin}, trust_env=False)
    assert reply.status_code == 401
    assert "Origin" in reply.json()["message"]
    assert sorted(world.store.folder.rglob("*")) == before


def test_a_page_of_the_gateway_itself_may_write(url: str, world: World) -> None:
    content = world.body().model_dump_json()
    headers = {"Origin": url, "Content-Type": "application/json"}
    assert httpx.post(url + "/v1/requests", content=content, headers=headers, trust_env=False).status_code == 201


@pytest.mark.parametrize(
    "trouble",
    [OperationalError("UPDATE x", {}, Exception("database is locked")), TimeoutError("pool"), OSError(28, "disk full")],
    ids=["locked", "pool", "disk"],
)
def test_a_store_that_is_away_is_worth_another_try(
    url: str, world: World, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise trouble

    monkeypatch.setattr(requests, "admit", fail)
    reply = httpx.post(url + "/v1/requests", json=world.body().model_dump(mode="json"), trust_env=False)
    assert reply.status_code == 503
    assert reply.json()["retryable"] is True


@pytest.mark.parametrize("name", ["\\ud800", "x" * 3000])
def test_a_strange_field_is_refused_and_not_repeated_at_length(url: str, name: str) -> None:
    content = f'{{"{name}": 1, "worker": "w"}}'.encode()
    headers = {"Fencing-Token": "0", "Content-Type": "application/json"}
    reply = httpx.post(f"{url}/v1/leases/{'0' * 32}/claim", content=content, headers=headers, trust_env=False)
    assert (reply.status_code, reply.json()["code"]) == (400, "malformed_input")
    assert len(reply.content) < 1000


def test_an_artifact_is_looked_for_when_the_request_is_written(url: str, world: World) -> None:
    body = world.body(sealed_digest="0" * 64)
    reply = httpx.post(url + "/v1/requests", json=body.model_dump(mode="json"), trust_env=False)
    assert reply.status_code == 404


def test_the_log_that_the_gateway_speaks_of_is_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(requests, "admit", fail)
    with logging_to(tmp_path / "logs" / "network.log"), serving(world) as url:
        reply = httpx.post(url + "/v1/requests", json=world.body().model_dump(mode="json"), trust_env=False)
        assert reply.status_code == 500
    assert "ZeroDivisionError" in (tmp_path / "logs" / "network.log").read_text()
    assert not logging.getLogger("uvicorn.error").handlers


def test_the_state_folder_is_its_owners_alone_and_a_stopped_network_leaves_no_workers_door(tmp_path: Path) -> None:
    state = tmp_path / "a" / "state"
    with logging_to(state / "logs" / "network.log"):
        with Network(NetworkConfig(state_folder=state, port=0), worker=WorkerOptions(count=0)) as network:
            assert state.stat().st_mode & 0o077 == 0
            door = network.secrets_folder / "worker.json"
            assert json.loads(door.read_text())
            assert door.stat().st_mode & 0o077 == 0
        assert not door.exists()


def test_a_trickling_body_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WHOLE_S", 0.3)

    def trickle() -> Iterator[bytes]:
        for _ in range(40):
            time.sleep(0.05)
            yield b" "

    started = time.monotonic()
    reply = httpx.post(url + "/v1/requests", content=trickle(), trust_env=False)
    assert (reply.status_code, reply.json()["code"]) == (400, "malformed_input")
    assert "longer than" in reply.json()["message"]
    assert time.monotonic() - started < 10


def test_a_piece_that_comes_as_the_time_is_up_does_not_save_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WHOLE_S", 0.05)
    statuses: list[int] = []

    async def answer(message: Message) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    async def late() -> None:
        loop = asyncio.get_running_loop()
        piece: asyncio.Future[Message] = loop.create_future()

        async def receive() -> Message:
            if piece.done():
                await asyncio.sleep(0.1)
                return {"type": "http.request", "body": b"{}", "more_body": False}
            return await piece

        loop.call_later(0.04, time.sleep, 0.05)  # both timers are due when the loop looks again
        loop.call_later(0.045, piece.set_result, {"type": "http.request", "body": b"", "more_body": True})
        scope = {"type": "http", "path": "/", "headers": [], "method": "POST", "query_string": b""}
        await bodies.BodyCap(never, lambda path: 100)(scope, receive, answer)

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the body was handed on")

    asyncio.run(late())
    assert statuses == [400]


@pytest.mark.parametrize(
    "settings",
    [
        {"redis_url": "foo"},
        {"rpc_url": "http://127.0.0.1:1", "program_id": "foo", "prover": "1" * 32, "committer_key": Path("key")},
    ],
    ids=["redis", "program"],
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, settings: dict[str, Any]) -> None:
    config = NetworkConfig(state_folder=tmp_path, port=0, **settings)
    with pytest.raises(MalformedInput, match=r"foo|redis"), Network(config, worker=WorkerOptions(count=0)):
        pass


def test_a_backend_that_is_none_is_said_before_anything_starts(tmp_path: Path) -> None:
    options = WorkerOptions(count=1, backend=cast(Any, "foo"))
    with (
        pytest.raises(ProofgridError, match="foo"),
        Network(NetworkConfig(state_folder=tmp_path / "s"), worker=options),
    ):
        pass
    assert not (tmp_path / "s").exists()
