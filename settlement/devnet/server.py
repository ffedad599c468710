"""JSON-RPC 2.0 over HTTP on the loopback interface, and a devnet that runs in a thread of this process."""

import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from solders.pubkey import Pubkey

from proofgrid.documents import parse_json
from proofgrid.errors import ChainUnavailable, MalformedInput
from proofgrid.settlement.devnet.ledger import SLOT_S, Ledger
from proofgrid.settlement.devnet.methods import call
from proofgrid.settlement.devnet.values import INTERNAL, INVALID_REQUEST, PARSE_ERROR, RpcError

MAX_BODY_BYTES = 256 << 10
MAX_BATCH = 100
_START_TIMEOUT_S = 20
_log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def application(ledger: Ledger) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application: POST takes JSON-RPC, GET /health answers ok."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "GET" and scope["path"] == "/health":
            await _respond(send, 200, b"ok", "text/plain")
        elif scope["method"] != "POST":
            await _respond(send, 405, b"POST a JSON-RPC request", "text/plain")
        else:
            body = await _read(receive)
            if body is None:
                await _respond(send, 413, f"a request has at most {MAX_BODY_BYTES} bytes".encode(), "text/plain")
            else:
                await _respond(send, 200, answer(ledger, body), "application/json")

    return app


def answer(ledger: Ledger, body: bytes) -> bytes:
    """The response to one request or a batch, errors included; empty for nothing but notifications."""
    try:
        request = parse_json(body, "request", limit=MAX_BODY_BYTES)
    except MalformedInput:
        return _encode(_error(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list):
        if not 1 <= len(request) <= MAX_BATCH:
            return _encode(_error(None, RpcError(INVALID_REQUEST, f"a batch has 1 to {MAX_BATCH} requests")))
        answers = [answered for one in request if (answered := _answer_one(ledger, one)) is not None]
        return _encode(answers) if answers else b""
    single = _answer_one(ledger, request)
    return b"" if single is None else _encode(single)


def _answer_one(ledger: Ledger, request: Any) -> dict[str, Any] | None:
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        return _error(None, RpcError(INVALID_REQUEST, "Invalid request"))
    identity, params = request.get("id"), request.get("params")
    if not isinstance(identity, str | int | float | None) or not isinstance(params, list | None):
        return _error(None, RpcError(INVALID_REQUEST, "Invalid request: params are a list, the id a string or number"))
    try:
        result = call(ledger, request["method"], params or [])
    except RpcError as error:
        return _error(identity, error) if "id" in request else None
    except Exception:  # noqa: BLE001 - the border: a defect of ours is the caller's -32603 and our log's traceback
        _log.exception("the devnet failed at %s", request["method"])
        return _error(identity, RpcError(INTERNAL, "Internal error"))
    return {"jsonrpc": "2.0", "result": result, "id": identity} if "id" in request else None


def _error(identity: Any, error: RpcError) -> dict[str, Any]:
    described: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        described["data"] = error.data
    return {"jsonrpc": "2.0", "error": described, "id": identity}


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def _read(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body


async def _respond(send: Send, status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback interface; port 0 takes a free one. Raises ChainUnavailable."""
    # asyncio switches Nagle's delay off only where the protocol is spelled out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ChainUnavailable(f"the devnet cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    return listener


def server(ledger: Ledger) -> uvicorn.Server:
    config = uvicorn.Config(
        application(ledger),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


class Devnet:
    """A devnet in a thread of this process; a context manager. ``url`` is its RPC endpoint."""

    def __init__(self, listener: socket.socket, ledger: Ledger) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener
        self._server = server(ledger)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="devnet", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        state_file: Path | None = None,
        programs: Mapping[Pubkey, bytes] | None = None,
        slot_s: float = SLOT_S,
    ) -> "Devnet":
        """Returns when the devnet answers.

        ``state_file`` remembers accounts across restarts; ``programs`` are there from the start, without a deployment.
        Raises ChainUnavailable when the port is taken, MalformedInput for a state file that is none.
        """
        ledger = Ledger(programs=programs, state_file=state_file, slot_s=slot_s)
        devnet = cls(bind(port), ledger)
        devnet._thread.start()
        waited = threading.Event()
        for _ in range(_START_TIMEOUT_S * 100):
            if devnet._server.started:
                return devnet
            if not devnet._thread.is_alive():
                break
            waited.wait(0.01)
        devnet.stop()
        raise ChainUnavailable("the devnet's server did not start")

    def stop(self) -> None:
        """Stop answering; harmless when already stopped."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._listener.close()

    def __enter__(self) -> "Devnet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
