"""The devnet's server on the loopback interface, and a devnet that runs in a thread of this process."""

import socket
import struct
import threading
from asyncio import Transport
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from solders.pubkey import Pubkey
from uvicorn.protocols.http.h11_impl import H11Protocol

from proofgrid.errors import ChainUnavailable
from proofgrid.settlement.devnet.answers import MAX_BODY_BYTES
from proofgrid.settlement.devnet.application import TRANSPORT, application
from proofgrid.settlement.devnet.faults import Plan
from proofgrid.settlement.devnet.ledger import Delays, Ledger
from proofgrid.settlement.devnet.timeline import SLOT_S

MAX_CONCURRENT = 1000
"""Connections and requests; what is above it gets 503."""
_START_TIMEOUT_S = 20
_PAIRS_TRIED = 50


class _Protocol(H11Protocol):
    """uvicorn's, which also shows the application the connection, set to break off with a reset."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        serve = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = _Breakable(transport)
            await serve(scope, receive, send)

        self.app = app


class _Breakable:
    """A connection that ``abort`` resets: with a linger time of zero the kernel sends RST instead of FIN."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def abort(self) -> None:
        opened = self._transport.get_extra_info("socket")
        if opened is not None and opened.fileno() >= 0:  # else the client was faster
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def bind(port: int) -> list[socket.socket]:
    """Sockets on the loopback interface for this port and, if it is free, for the next one.

    Clients look for subscriptions at the RPC port + 1 (web3.js, solana-py's default). Port 0 takes a free pair.
    Raises ChainUnavailable.
    """
    if port:
        return _bind_pair(port)
    for _ in range(_PAIRS_TRIED):
        sockets = _bind_pair(0)
        if len(sockets) == 2:
            return sockets
        sockets[0].close()
    raise ChainUnavailable("the devnet finds no two free ports in a row on 127.0.0.1")


def _bind_pair(port: int) -> list[socket.socket]:
    first = _bind_one(port)
    try:
        return [first, _bind_one(first.getsockname()[1] + 1)]
    except (ChainUnavailable, OverflowError):
        return [first]


def _bind_one(port: int) -> socket.socket:
    # asyncio switches Nagle's delay off only where the protocol is spelled out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ChainUnavailable(f"the devnet cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    return listener


def server(ledger: Ledger, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> uvicorn.Server:
    config = uvicorn.Config(
        application(ledger, hosts, origins),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=_Protocol,
        ws="websockets-sansio",
        ws_max_size=MAX_BODY_BYTES,
        ws_per_message_deflate=False,
        limit_concurrency=MAX_CONCURRENT,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


class Devnet:
    """A devnet in a thread of this process; a context manager.

    ``url`` is its RPC endpoint, ``ws_url`` that for subscriptions.
    """

    def __init__(self, sockets: list[socket.socket], server: uvicorn.Server) -> None:
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self.ws_url = f"ws://127.0.0.1:{sockets[-1].getsockname()[1]}"
        self._sockets = sockets
        self._server = server
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name="devnet", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        state_file: Path | None = None,
        programs: Mapping[Pubkey, bytes] | None = None,
        slot_s: float = SLOT_S,
        delays: Delays | None = None,
        faults: Plan | None = None,
    ) -> "Devnet":
        """Returns when the devnet answers.

        ``state_file`` remembers accounts across restarts; ``programs`` are there from the start, without a deployment.
        ``slot_s`` of infinity stops the time between warps.
        Raises ChainUnavailable when the port is taken, MalformedInput for a state file that is none.
        """
        ledger = Ledger(programs=programs, state_file=state_file, slot_s=slot_s, delays=delays, faults=faults)
        devnet = cls(bind(port), server(ledger))
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
        for listener in self._sockets:
            listener.close()

    def __enter__(self) -> "Devnet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
