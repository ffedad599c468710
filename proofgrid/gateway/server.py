"""The gateway in a thread of this process: uvicorn on a socket that is bound first, so a taken port is said at once."""

import socket
import sys
import threading
import time
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from proofgrid.errors import QueueError

START_TIMEOUT_S = 20.0
SWITCH_S = 0.0005
"""How long a thread may hold the interpreter while others wait: Python's 5 ms, at each statement of each reader, add up
to a status read's whole time while requests are written."""


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises :class:`QueueError` for a port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise QueueError(
            f"the gateway cannot listen on {host}:{port}: {error.strerror}; is another `proofgrid up` running? "
            "Choose another port, 0 for any"
        ) from error
    return listener


class GatewayServer:
    """Serves an application until stopped; a context manager."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        self._listener = listener
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=32 << 10,
            http="h11",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="gateway", daemon=True)

    def __enter__(self) -> "GatewayServer":
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()
        ends_at = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > ends_at:
                self._stop()
                raise QueueError("the gateway's server did not start; its log says why")
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._listener.close()
