"""The devnet as an ASGI application: JSON-RPC by POST, subscriptions by WebSocket, GET /health."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from proofgrid.settlement.devnet.answers import MAX_BODY_BYTES, encode, error_answer, is_control, parse, respond
from proofgrid.settlement.devnet.door import App, Door
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods import call
from proofgrid.settlement.devnet.subscriptions import Sessions
from proofgrid.settlement.devnet.values import NODE_BEHIND, Json, RpcError

TRANSPORT = "devnet.transport"
"""The ASGI extension under which the server passes the connection, so that a fault can break it."""

_SERVER_ERRORS = (500, 502, 503)
_BEHIND_SLOTS = 42


def application(ledger: Ledger, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> App:
    """Answers loopback hosts and origins, and those given; requests meet the ledger's faults, control methods none."""

    async def rpc(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return PlainTextResponse(f"a request has at most {MAX_BODY_BYTES} bytes", 413)
        try:
            parsed = parse(body)
        except RpcError as error:
            return _json(error_answer(None, error))
        if not is_control(parsed):
            fault = await _fault(ledger, request, parsed)
            if fault is not None:
                return fault
        return _json(_carry_out(ledger, parsed))

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    sessions = Sessions(ledger)
    routes = [
        Route("/health", health, methods=["GET"]),
        Route("/{path:path}", rpc, methods=["POST"]),
        WebSocketRoute("/{path:path}", sessions.serve),
    ]
    cors = CORSMiddleware(Starlette(routes=routes), allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"])
    return Door(cors, hosts, origins)


def _carry_out(ledger: Ledger, parsed: Json) -> Json:
    return respond(lambda method, params: call(ledger, method, params), parsed)


async def _fault(ledger: Ledger, request: Request, parsed: Json) -> Response | None:
    """What goes wrong with this request, if anything does."""
    ledger.tick()
    faults = ledger.faults
    if faults.is_over_limit(ledger.slot) or faults.strikes("limit"):
        limited: Json = {"jsonrpc": "2.0", "error": {"code": 429, "message": "Too many requests"}, "id": None}
        return _json(limited, 429, {"retry-after": str(faults.plan.retry_after_s)})
    if faults.strikes("error"):
        return PlainTextResponse("the node is in trouble", _SERVER_ERRORS[faults.pick("error", len(_SERVER_ERRORS))])
    if faults.strikes("behind"):
        return _json(respond(_behind, parsed))
    for kind in ("reset", "timeout"):
        if faults.strikes(kind):
            if faults.pick(kind, 2):
                _carry_out(ledger, parsed)
            if kind == "timeout":
                await _until_gone(request, faults.plan.timeout_s)
            await _reset(request)
            return Response(status_code=503)
    return None


def _behind(_method: str, _params: list[Json]) -> Json:
    raise RpcError(NODE_BEHIND, f"Node is behind by {_BEHIND_SLOTS} slots", {"numSlotsBehind": _BEHIND_SLOTS})


async def _until_gone(request: Request, timeout_s: float) -> None:
    """Say nothing until the client gives up, or for so long."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            continue

    with suppress(TimeoutError):
        await asyncio.wait_for(gone(), timeout_s)


async def _reset(request: Request) -> None:
    """Break the connection: the client sees ECONNRESET or a connection closed without an answer."""
    transport: asyncio.Transport = request.scope["extensions"][TRANSPORT]
    transport.abort()
    await asyncio.sleep(0)  # the server notices, and drops whatever answer follows
    await asyncio.sleep(0)


async def _read(request: Request) -> bytes | None:
    """The body, or None for one that is too long."""
    body = bytearray()
    with suppress(ClientDisconnect):
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return None
    return bytes(body)


def _json(value: Json, status: int = 200, headers: dict[str, Any] | None = None) -> Response:
    return Response(encode(value), status, headers, media_type="application/json")
