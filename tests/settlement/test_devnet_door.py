"""The devnet's door: programs and local pages come in, foreign pages and rebound names stay out."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.devnet.application import application
from proofgrid.settlement.devnet.ledger import Ledger

CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getSlot"})
LOCAL = ["127.0.0.1:8899", "localhost", "localhost:1", "[::1]:8899", "LOCALHOST"]
FOREIGN = ["evil.example", "evil.example:8899", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "10.0.0.1"]
LOCAL_PAGES = ["http://localhost:3000", "http://127.0.0.1", "https://localhost", "http://[::1]:5173"]
FOREIGN_PAGES = ["https://evil.example", "null", "http://localhost.evil.example", "file://", "chrome-extension://x", ""]

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger()


def ask(ledger: Ledger, headers: dict[str, str], hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> int:
    async def post() -> int:
        transport = httpx.ASGITransport(application(ledger, hosts, origins))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.post("/", content=CALL, headers=headers)).status_code

    return asyncio.run(post())


@pytest.mark.parametrize("host", LOCAL)
def test_loopback_names_are_answered(ledger: Ledger, host: str) -> None:
    assert ask(ledger, {"host": host}) == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_rebound_names_are_refused(ledger: Ledger, host: str) -> None:
    assert ask(ledger, {"host": host}) == 403
    assert ask(ledger, {"host": host}, hosts=("*",)) == 200


def test_allowed_host_is_answered(ledger: Ledger) -> None:
    for host, status in (("devnet.lan:8899", 200), ("evil.example", 403)):
        assert ask(ledger, {"host": host}, hosts=("devnet.lan",)) == status


@pytest.mark.parametrize("origin", LOCAL_PAGES)
def test_local_pages_are_answered(ledger: Ledger, origin: str) -> None:
    assert ask(ledger, {"origin": origin}) == 200


@pytest.mark.parametrize("origin", FOREIGN_PAGES)
def test_foreign_pages_are_refused_unless_allowed(ledger: Ledger, origin: str) -> None:
    # also with a content type that needs no CORS preflight
    for kind in ("application/json", "text/plain"):
        assert ask(ledger, {"origin": origin, "content-type": kind}) == 403
    assert ask(ledger, {"origin": origin}, origins=(origin,)) == 200
    assert ask(ledger, {"origin": origin}, origins=("*",)) == 200
    assert ask(ledger, {"origin": origin}, origins=("https://other.example",)) == 403


def test_pages_and_their_preflights_over_the_wire() -> None:
    with Devnet.start() as devnet:
        asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,solana-client"}
        allowed = httpx.options(devnet.url, headers={"origin": "http://localhost:3000", **asks})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] in ("*", "http://localhost:3000")
        assert "solana-client" in allowed.headers["access-control-allow-headers"].lower()
        refused = httpx.options(devnet.url, headers={"origin": "https://evil.example", **asks})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
        answered = httpx.post(devnet.url, content=CALL, headers={"origin": "http://localhost:3000"})
        assert answered.headers["access-control-allow-origin"] == "*"

        async def sockets() -> None:
            async with connect(devnet.ws_url, origin="http://localhost:3000") as socket:
                await socket.send('{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}')
                assert "result" in json.loads(await asyncio.wait_for(socket.recv(), 10))
            for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
                with pytest.raises(InvalidStatus) as raised:
                    await connect(devnet.ws_url, additional_headers=headers)
                assert raised.value.response.status_code == 403

        asyncio.run(sockets())
