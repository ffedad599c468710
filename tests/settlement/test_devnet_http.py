"""The devnet's door: malformed and hostile requests get JSON-RPC's answers, never a traceback."""

import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.devnet.answers import MAX_BODY_BYTES, answer
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods import METHODS
from proofgrid.settlement.devnet.values import base58, from_base58

ADDRESS = "11111111111111111111111111111111"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Devnet.start() as devnet:
        yield devnet.url


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger()


def request(method: object, params: object = None, **others: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params} | others


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[" * 3000, b'{"jsonrpc": "2.0", "id": 1,'])
def test_what_is_not_json_is_a_parse_error(url: str, body: bytes) -> None:
    response = httpx.post(url, content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (200, -32700)


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        "getSlot",
        {},
        [],
        {"method": "getSlot", "id": 1},
        request(5),
        request("getSlot", params={"a": 1}),
        request("getSlot", id=[1]),
        [request("getSlot")] * 101,
    ],
)
def test_what_is_no_request_is_invalid(url: str, wrong: object) -> None:
    assert httpx.post(url, json=wrong).json()["error"]["code"] == -32600


def test_unknown_method(url: str) -> None:
    error = httpx.post(url, json=request("getEverything")).json()["error"]
    assert error["code"] == -32601
    assert "getSlot" in error["data"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getBalance", []),
        ("getBalance", [5]),
        ("getBalance", ["not an address"]),
        ("getAccountInfo", [ADDRESS, "options"]),
        ("getAccountInfo", [ADDRESS, {"dataSlice": {"offset": -1, "length": 1}}]),
        ("getMultipleAccounts", [[ADDRESS] * 101]),
        ("getMultipleAccounts", [[1]]),
        ("getMinimumBalanceForRentExemption", [-1]),
        ("getMinimumBalanceForRentExemption", [True]),
        ("getMinimumBalanceForRentExemption", [2**63]),
        ("getProgramAccounts", [ADDRESS, {"filters": [{"memcmp": {}}]}]),
        ("getProgramAccounts", [ADDRESS, {"filters": [{}]}]),
        ("getProgramAccounts", [ADDRESS, {"filters": "all"}]),
        ("getSignatureStatuses", [["x"]]),
        ("getSignatureStatuses", [[ADDRESS] * 257]),
        ("getSignaturesForAddress", [ADDRESS, {"limit": 1001}]),
        ("getTransaction", ["x"]),
        ("sendTransaction", ["!"]),
        ("sendTransaction", ["AAAA", {"encoding": "base64"}]),
        ("sendTransaction", ["AAAA", {"encoding": "hex"}]),
        ("sendTransaction", ["A" * 10_000, {"encoding": "base64"}]),
        ("simulateTransaction", ["", {"encoding": "base64"}]),
        ("requestAirdrop", [ADDRESS, 2**64]),
        ("devnet_warp", [{"slots": 10**11}]),
        ("isBlockhashValid", ["x"]),
        ("isBlockhashValid", [ADDRESS + "0"]),
        ("isBlockhashValid", [ADDRESS * 2]),
    ],
)
def test_wrong_parameters_are_told(url: str, method: str, params: list[object]) -> None:
    assert httpx.post(url, json=request(method, params)).json()["error"]["code"] == -32602


def test_batches_and_notifications(url: str) -> None:
    batch = [request("getSlot", id="a"), request("nothing", id="b"), {"jsonrpc": "2.0", "method": "getSlot"}]
    answers = httpx.post(url, json=batch).json()
    assert [(one["id"], "result" in one) for one in answers] == [("a", True), ("b", False)]
    assert httpx.post(url, json={"jsonrpc": "2.0", "method": "getSlot"}).content == b""


def test_body_has_a_limit(url: str) -> None:
    assert httpx.post(url, content=b" " * (MAX_BODY_BYTES + 1)).status_code == 413
    assert httpx.post(url, content=b" " * MAX_BODY_BYTES).status_code == 200


def test_other_methods_and_health(url: str) -> None:
    assert httpx.get(url).status_code == 405
    assert httpx.get(url + "/health").text == "ok"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(ADDRESS) | st.just("base64"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["encoding", "filters", "dataSlice", "limit", "memcmp"]) | st.text(max_size=4), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(method=st.sampled_from(sorted(set(METHODS) - {"devnet_warp"})), params=st.lists(values, max_size=3))
def test_any_parameters_get_an_answer(ledger: Ledger, method: str, params: list[object]) -> None:
    reply = json.loads(answer(ledger, json.dumps(request(method, params)).encode()))
    assert ("result" in reply) != ("error" in reply)
    assert "error" not in reply or reply["error"]["code"] != -32603


@given(body=st.binary(max_size=200))
def test_any_bytes_get_an_answer(ledger: Ledger, body: bytes) -> None:
    assert json.loads(answer(ledger, body))


@given(data=st.binary(max_size=80))
def test_base58_is_its_own_inverse(data: bytes) -> None:
    assert from_base58(base58(data)) == data
