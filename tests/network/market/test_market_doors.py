"""The market over HTTP: signed asks, and what is public."""

import time
from collections.abc import Iterator

import httpx
import pytest
from nacl.signing import SigningKey

from proofgrid.models import NetworkInfo
from proofgrid.signed_calls import Call, sign_call
from tests.network.gateway import serving
from tests.network.market.bazaar import Bazaar, key_of, signing_key


@pytest.fixture
def http(bazaar: Bazaar) -> Iterator[httpx.Client]:
    bazaar.world.now = time.time()
    with serving(bazaar.world) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def document(bazaar: Bazaar, sequence: int = 1) -> bytes:
    ask = {"base_lamports": 100, "capacity": 3, "expires_at": bazaar.world.now + 60, "sequence": sequence}
    return httpx.Request("PUT", "http://x", json=ask).read()


def put(http: httpx.Client, body: bytes, key: SigningKey, signed: bytes | None = None) -> httpx.Response:
    audience = NetworkInfo.model_validate(http.get("/v1/network").json()).audience
    call = Call(audience, "PUT", "/v1/prover/ask", body if signed is None else signed)
    headers = {**sign_call(key, call, time.time()), "Content-Type": "application/json"}
    return http.put("/v1/prover/ask", content=body, headers=headers)


def test_a_prover_publishes_its_ask_and_reads_it_alone(bazaar: Bazaar, http: httpx.Client) -> None:
    bazaar.admit(1)
    reply = put(http, document(bazaar), signing_key(1))
    assert (reply.status_code, reply.json()["prover"]) == (200, key_of(1))
    audience = NetworkInfo.model_validate(http.get("/v1/network").json()).audience
    headers = sign_call(signing_key(1), Call(audience, "GET", "/v1/prover/ask"), time.time())
    assert http.get("/v1/prover/ask", headers=headers).json()["ask"]["base_lamports"] == 100
    assert http.get("/v1/prover/ask").status_code == 401
    assert http.get("/v1/asks").json()["capacity"] == 3
    assert "lamports" not in http.get("/v1/asks").text


def test_forged_replayed_and_unknown_asks_change_nothing(bazaar: Bazaar, http: httpx.Client) -> None:
    bazaar.admit(1)
    assert put(http, document(bazaar, 2), signing_key(1), signed=document(bazaar, 3)).status_code == 401
    assert put(http, document(bazaar), signing_key(2)).status_code == 401  # nobody registered it
    assert put(http, document(bazaar, 5), signing_key(1)).status_code == 200
    assert put(http, document(bazaar, 4), signing_key(1)).status_code == 409


def test_quotes_reasons_prices_and_statistics(bazaar: Bazaar, http: httpx.Client) -> None:
    bazaar.world.pulse("worker-1")
    found = http.post("/v1/quotes", json={"circuit_id": bazaar.world.circuit.id, "deadline_s": 60}).json()
    assert found["expected_lamports"] == 500
    request_id = bazaar.world.place()
    assert http.get(f"/v1/requests/{request_id}/why").json()["eligible"] == 1
    assert http.get(f"/v1/requests/{'0' * 64}/why").status_code == 404
    assert http.get("/v1/prices").json() == {"sizes": []}
    assert http.get("/v1/statistics").json()["waiting"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/quotes", {"circuit_id": "0" * 64}),
        ("POST", "/v1/quotes", {"circuit_id": "short"}),
        ("POST", "/v1/quotes", {"circuit_id": "0" * 64, "deadline_s": 0}),
        ("GET", "/v1/prices?history=1001", None),
        ("GET", "/v1/requests/short/why", None),
        ("PUT", "/v1/prover/ask", {}),
    ],
)
def test_what_is_malformed_is_refused(http: httpx.Client, method: str, path: str, body: object) -> None:
    assert http.request(method, path, json=body).status_code in (400, 401, 404)


def test_a_quote_and_a_reason_want_the_requesters_token(bazaar: Bazaar) -> None:
    with serving(bazaar.world, api_token="7" * 64) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.post("/v1/quotes", json={"circuit_id": bazaar.world.circuit.id}).status_code == 401
        assert client.get(f"/v1/requests/{'0' * 64}/why").status_code == 401
        assert client.get("/v1/prices").status_code == client.get("/v1/asks").status_code == 200
