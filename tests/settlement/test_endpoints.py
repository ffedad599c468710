"""Several endpoints as one: which is asked, which rests, which is refused."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from solana.rpc.async_api import AsyncClient
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable, MalformedInput, ProofgridError, SettlementError
from proofgrid.settlement import endpoints
from proofgrid.settlement.endpoints import connect, endpoints_of, public_name, split_urls
from proofgrid.settlement.rpc import ask, fetch_account

GENESIS = b'{"jsonrpc":"2.0","result":"4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY","id":0}'
OTHER = b'{"jsonrpc":"2.0","result":"5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d","id":0}'


class Node:
    """A server whose answers are scripted: (status, body, headers), the last one for good."""

    def __init__(
        self, *script: tuple[int, bytes, dict[str, str]], genesis: bytes = GENESIS, delay_s: float = 0
    ) -> None:
        self.script, self.genesis, self.asked = list(script), genesis, list[bytes]()
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if b"getGenesisHash" in body:
                    status, answer, headers = 200, node.genesis, dict[str, str]()
                else:
                    node.asked.append(body)
                    status, answer, headers = node.script.pop(0) if len(node.script) > 1 else node.script[0]
                    time.sleep(delay_s)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


def slot(number: int) -> tuple[int, bytes, dict[str, str]]:
    return 200, b'{"jsonrpc":"2.0","result":%d,"id":0}' % number, {}


def error(code: int, data: bytes = b"") -> tuple[int, bytes, dict[str, str]]:
    return 200, b'{"jsonrpc":"2.0","error":{"code":%d,"message":"m"%s},"id":0}' % (code, data), {}


SOUND = slot(7)
TROUBLES = {
    "server error": (503, b"", {}),
    "limited": (429, b"", {"retry-after": "9"}),
    "not found": (404, b"", {}),
    "behind": error(-32005, b',"data":{"numSlotsBehind":42}'),
    "behind, without data": error(-32005),
    "least slot not reached": error(-32016, b',"data":{"contextSlot":3}'),
    "internal": error(-32603),
    "nonsense": (200, b"<html>", {}),
    "another form": (200, b'{"jsonrpc":"2.0","result":{"x":1},"id":0}', {}),
    "a list": (200, b"[]", {}),
    "nothing": (200, b"", {}),
    "not text": (200, b'{"result":"\xff"}', {}),
    "deep": (200, b"[" * 100_000, {}),
}


@pytest.fixture
def node() -> Iterator[Callable[..., Node]]:
    nodes = list[Node]()

    def make(*script: tuple[int, bytes, dict[str, str]], **options: object) -> Node:
        nodes.append(Node(*script, **options))  # type: ignore[arg-type]
        return nodes[-1]

    yield make
    for one in nodes:
        one.server.shutdown()
        one.server.server_close()


def journey(
    run: Callable[[AsyncClient], Awaitable[None]], *nodes: Node, timeout_s: float = 5, rest_s: float = 5
) -> None:
    async def go() -> None:
        client = connect([one.url for one in nodes], timeout_s=timeout_s, rest_s=rest_s)
        try:
            await run(client)
        finally:
            await client.close()

    asyncio.run(go())


async def slot_of(client: AsyncClient) -> int:
    return (await ask(client.get_slot())).value


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_the_next_one_is_asked_and_the_troubled_one_rests(
    trouble: tuple[int, bytes, dict[str, str]], node: Callable[..., Node]
) -> None:
    first, second = node(trouble), node(SOUND)

    async def run(client: AsyncClient) -> None:
        assert [await slot_of(client) for _ in range(3)] == [7, 7, 7]
        assert (len(first.asked), len(second.asked)) == (1, 3)
        resting, well = endpoints_of(client)
        assert (resting.failures, well.failures, well.trouble) == (1, 0, None)
        assert resting.trouble
        assert 3 < resting.rests_until - time.monotonic() <= 9

    journey(run, first, second)


def test_an_endpoint_that_recovers_is_asked_again(node: Callable[..., Node]) -> None:
    first, second = node((500, b"", {}), slot(1)), node(slot(2))

    async def run(client: AsyncClient) -> None:
        assert await slot_of(client) == 2
        await asyncio.sleep(0.06)
        assert await slot_of(client) == 1
        assert endpoints_of(client)[0].failures == 0

    journey(run, first, second, rest_s=0.05)


def test_rests_grow_up_to_a_bound() -> None:
    one = endpoints.Endpoint("http://a")
    rests = []
    for _ in range(30):
        one.failed(endpoints._Trouble("x"), 0.25)
        rests.append(one.rests_until - time.monotonic())
    assert rests[0] == pytest.approx(0.25, abs=0.02)
    assert rests[3] == pytest.approx(2.0, abs=0.02)
    assert max(rests) <= endpoints.MAX_REST_S
    one.failed(endpoints._Trouble("x", 1e9), 0.25)
    assert one.rests_until - time.monotonic() <= endpoints.MAX_REST_S  # whatever Retry-After says


@pytest.mark.parametrize(
    ("header", "seconds"), [("2", 2), ("0", 0), ("-4", 0), ("x", 0), (None, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: float) -> None:
    assert endpoints._retry_after_s(header) == seconds


def test_a_single_one_is_waited_for_as_long_as_it_asks(node: Callable[..., Node]) -> None:
    only = node((429, b"", {"retry-after": "1"}), SOUND)

    async def run(client: AsyncClient) -> None:
        with pytest.raises(ChainUnavailable, match="HTTP 429"):
            await slot_of(client)
        begun = time.monotonic()
        assert await slot_of(client) == 7
        assert time.monotonic() - begun > 0.9

    journey(run, only, rest_s=0.01)


@pytest.mark.parametrize("code", [-32602, -32601])
def test_an_answer_that_every_one_would_give_is_passed_on(code: int, node: Callable[..., Node]) -> None:
    first, second = node(error(code)), node(SOUND)

    async def run(client: AsyncClient) -> None:
        with pytest.raises(ProofgridError):
            await slot_of(client)
        assert second.asked == []
        assert endpoints_of(client)[0].failures == 0

    journey(run, first, second)


def test_one_that_says_nothing_is_left_after_the_timeout(node: Callable[..., Node]) -> None:
    first, second = node(SOUND, delay_s=1.0), node(slot(2))

    async def run(client: AsyncClient) -> None:
        assert await slot_of(client) == 2
        assert "no answer within" in (endpoints_of(client)[0].trouble or "")

    journey(run, first, second, timeout_s=0.2)


def test_an_answer_without_end_is_cut(node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MAX_ANSWER_BYTES", 1 << 20)
    first, second = node((200, b" " * (2 << 20), {})), node(slot(2))

    async def run(client: AsyncClient) -> None:
        assert await slot_of(client) == 2
        assert "more than 1 MiB" in (endpoints_of(client)[0].trouble or "")

    journey(run, first, second)


def test_none_that_answers_is_told_by_names_without_keys(node: Callable[..., Node]) -> None:
    only = node((500, b"", {}))

    async def run() -> None:
        client = connect([only.url + "/secret?api-key=secret"])
        with pytest.raises(ChainUnavailable, match=f"{only.url}: HTTP 500") as unavailable:
            await slot_of(client)
        assert "secret" not in str(unavailable.value)
        assert unavailable.value.retryable
        await client.close()

    asyncio.run(run())


def test_endpoints_of_two_chains_are_refused(node: Callable[..., Node]) -> None:
    first, second = node(SOUND), node(SOUND, genesis=OTHER)

    async def run(client: AsyncClient) -> None:
        for _ in range(2):
            with pytest.raises(SettlementError, match="different chains"):
                await slot_of(client)
        assert first.asked == second.asked == []

    journey(run, first, second)


def test_one_of_another_chain_that_comes_late_is_never_asked(node: Callable[..., Node]) -> None:
    first, late = node(SOUND, (500, b"", {}), SOUND), node(slot(2), genesis=b"not yet")

    async def run(client: AsyncClient) -> None:
        assert await slot_of(client) == 7
        late.genesis = OTHER
        await asyncio.sleep(0.06)
        with pytest.raises(ChainUnavailable, match="of another chain"):
            await slot_of(client)
        assert late.asked == []
        assert endpoints_of(client)[1].is_foreign

    journey(run, first, late, rest_s=0.05)


def test_an_endpoint_behind_does_not_say_that_an_account_is_missing(node: Callable[..., Node]) -> None:
    """One that ignores minContextSlot shows an old state: its slot gives it away."""
    absent = b'{"jsonrpc":"2.0","result":{"context":{"slot":%d},"value":[null]},"id":0}'
    only = node((200, absent % 9, {}), (200, absent % 10, {}))

    async def run(client: AsyncClient) -> None:
        with pytest.raises(ChainUnavailable, match="behind"):
            await fetch_account(client, Pubkey.default(), min_slot=10)
        assert await fetch_account(client, Pubkey.default(), min_slot=10) is None
        assert b'"minContextSlot":10' in only.asked[0]

    journey(run, only)


def test_names_hold_no_secrets() -> None:
    assert public_name("https://user:word@node.example:8899/key/abc?token=x") == "https://node.example:8899"
    assert public_name("https://[") == "a URL that cannot be read"
    assert split_urls("http://a, https://b,") == ("http://a", "https://b")


@pytest.mark.parametrize(
    "urls", [[], ["ftp://a"], ["http://"], ["x"], ["http://a"] * 2, [f"http://{i}" for i in range(9)]]
)
def test_wrong_lists_are_refused(urls: list[str]) -> None:
    with pytest.raises(MalformedInput, match="RPC endpoint"):
        connect(urls)
