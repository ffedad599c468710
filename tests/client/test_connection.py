"""What leaves this machine, and what comes of an answer that nobody can read."""

import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest

from proofgrid.client import AsyncClient, Client, flows
from proofgrid.client.effects import Call, Flow, Reply, drive, drive_async
from proofgrid.errors import MalformedInput
from tests.client.service import Service

TOKEN = "7" * 64


def ask(url: str) -> Flow[Reply]:
    reply: Reply = yield Call("POST", url, b"{}")
    return reply


@pytest.mark.parametrize("url", ["http://chain.example/", "http://gateway.example:9/", "https://gateway.example/"])
def test_the_gateways_token_goes_to_no_other_server(url: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    transport = httpx.MockTransport(answer)
    with Client("http://gateway.example", api_token=TOKEN, transport=transport) as client:
        drive(ask("/v1/requests"), client._http)
        drive(ask(url), client._http)

    async def again() -> None:
        async with AsyncClient("http://gateway.example", api_token=TOKEN, transport=transport) as client:
            await drive_async(ask("/v1/requests"), client._http)
            await drive_async(ask(url), client._http)

    asyncio.run(again())
    assert [request.headers.get("Authorization") for request in seen] == 2 * [f"Bearer {TOKEN}", None]


def test_an_answer_that_cannot_be_decoded_is_trouble() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    with Client("http://gateway.example", transport=httpx.MockTransport(answer)) as client:
        assert "DecodingError" in str(drive(ask("/v1/network"), client._http).trouble)


def test_an_answer_is_read_up_to_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofgrid.client.effects.MAX_REPLY_BYTES", 1000)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=iter([b"x" * 600, b"x" * 600]))

    with Client("http://gateway.example", transport=httpx.MockTransport(answer)) as client:
        assert "1000 bytes" in str(drive(ask("/v1/network"), client._http).trouble)


@pytest.mark.parametrize(
    "terms",
    [{"deadline_s": -1.0}, {"deadline_s": float("nan")}, {"max_price_lamports": -1}, {"idempotency_key": "two words"}],
    ids=str,
)
def test_terms_that_cannot_be_are_said_before_anything_is_sent(service: Service, terms: dict[str, Any]) -> None:
    with Client(service.url) as client:
        circuit = client.circuit(service.world.circuit.id)
        with pytest.raises(MalformedInput, match=next(iter(terms))):
            client.prove(circuit, inputs={"a": 1}, **terms)
    incoming = [path for path in service.world.store.folder.rglob("*") if path.is_file()]
    assert len(incoming) == 2  # the circuit's


def test_a_circuits_file_may_have_any_name(service: Service) -> None:
    from tests.network.world import BN254

    strange = service.world.folder / "Über (2).zkey"
    strange.write_bytes((BN254 / "steps.zkey").read_bytes())
    with Client(service.url) as client:
        assert client.register(zkey=strange).verifying_key.n_public == service.world.circuit.n_public
        with pytest.raises(MalformedInput, match="name"):
            client.register(zkey=strange, name="a/b")


def test_inputs_may_be_numpys_and_nothing_is_sent_as_its_repr() -> None:
    encoded = flows.encode_inputs({"a": np.arange(3), "b": np.uint64(2**63), "c": 2**200, "d": ["1", "0x2"]})
    assert json.loads(encoded) == {"a": [0, 1, 2], "b": 2**63, "c": 2**200, "d": ["1", "0x2"]}
    for wrong in (object(), b"1", {1}):
        with pytest.raises(MalformedInput, match="input"):
            flows.encode_inputs({"a": wrong})
