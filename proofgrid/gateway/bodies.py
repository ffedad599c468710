"""Caps on request bodies, before anything parses them: bytes, and seconds between two pieces."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proofgrid.errors import MalformedInput, TooLarge
from proofgrid.gateway.answers import answer_error

PATIENCE_S = 30.0
WHOLE_S = 60.0
"""For a whole body that has a cap: a byte now and then does not hold a connection."""
MAX_BRACKETS = 2000
"""Arrays and objects in one JSON body. Python's parser recurses on the C stack, guarded only by the recursion limit,
which libraries raise; our messages are flat."""


class BodyCap:
    """Reads each body up to its cap and hands it on whole; paths without a cap stream (they count for themselves)."""

    def __init__(self, app: ASGIApp, cap_of: Callable[[str], int | None]) -> None:
        self._app, self._cap_of = app, cap_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = self._cap_of(scope["path"])
        patient = _patient(receive)
        if cap is None:
            await self._app(scope, patient, send)
            return
        try:
            async with asyncio.timeout(WHOLE_S):
                body = await _read(scope, patient, cap)
            if body is not None and body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
                raise MalformedInput(f"a JSON body here holds at most {MAX_BRACKETS} arrays and objects")
        except MalformedInput as error:
            await answer_error(error)(scope, receive, send)
            return
        except TimeoutError:
            late = MalformedInput(f"the request's body took longer than {WHOLE_S:g} s")
            await answer_error(late)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)


def _patient(receive: Receive) -> Receive:
    async def waited() -> Message:
        try:
            async with asyncio.timeout(PATIENCE_S):  # wait_for of Python 3.11 loses an outer timeout as a piece arrives
                return await receive()
        except TimeoutError:
            raise MalformedInput(f"the request's body stopped for {PATIENCE_S:g} s") from None

    return waited


async def _read(scope: Scope, receive: Receive, cap: int) -> bytes | None:
    """The body, or None if the caller hung up."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    refusal = TooLarge(f"a request's body here is at most {cap} bytes")
    if not announced.isdigit() or int(announced) > cap:
        raise refusal
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > cap:
            raise refusal
        if not message.get("more_body", False):
            return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
