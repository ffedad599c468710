"""What a flow may ask of the world, and the two drivers that grant it.

A flow is a generator: it yields a :class:`Call`, a :class:`Sleep` or a :class:`Work` and is sent the outcome. It
never touches a socket, so one flow serves the sync and the async client, and tests need no server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

CHUNK_BYTES = 1 << 20
MAX_REPLY_BYTES = 64 << 20
"""No answer that a flow reads whole is nearly so long, decompressed."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Call:
    """One HTTP request; a path is relative to the gateway. The body is bytes, or a file that is streamed."""

    method: str
    url: str
    content: bytes = b""
    file: Path | None = None
    content_type: str = "application/json"
    params: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """The outcome of a call; ``trouble`` says why there is none."""

    status: int
    body: bytes = b""
    trouble: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Work:
    """A computation long enough to keep off an event loop (hashing, sealing, verifying)."""

    run: Callable[[], Any]


Effect = Call | Sleep | Work
Flow = Generator[Effect, Any, Answer]


def drive(flow: Flow[Answer], http: httpx.Client) -> Answer:
    """Run a flow to its end, blocking."""
    step: Callable[[], Effect] = lambda: next(flow)  # noqa: E731
    while True:
        try:
            effect = step()
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            outcome = _grant(effect, http)
        except Exception as error:  # noqa: BLE001  # it belongs to the flow, which may handle it
            step = _throwing(flow, error)
        else:
            step = _sending(flow, outcome)


async def drive_async(flow: Flow[Answer], http: httpx.AsyncClient) -> Answer:
    """Run a flow to its end on an event loop."""
    step: Callable[[], Effect] = lambda: next(flow)  # noqa: E731
    while True:
        try:
            effect = step()
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            outcome = await _grant_async(effect, http)
        except Exception as error:  # noqa: BLE001  # it belongs to the flow, which may handle it
            step = _throwing(flow, error)
        else:
            step = _sending(flow, outcome)


def _sending(flow: Flow[Answer], outcome: Any) -> Callable[[], Effect]:
    return lambda: flow.send(outcome)


def _throwing(flow: Flow[Answer], error: Exception) -> Callable[[], Effect]:
    return lambda: flow.throw(error)


def _grant(effect: Effect, http: httpx.Client) -> Any:
    if isinstance(effect, Work):
        return effect.run()
    if isinstance(effect, Sleep):
        return time.sleep(effect.seconds)
    content = effect.content if effect.file is None else _pieces(effect.file)
    try:
        with http.stream(effect.method, effect.url, content=content, **_options(effect)) as reply:
            body = bytearray()
            for piece in reply.iter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES:
                    return _too_long()
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return _trouble(error)
    return Reply(reply.status_code, bytes(body), headers=dict(reply.headers))


async def _grant_async(effect: Effect, http: httpx.AsyncClient) -> Any:
    if isinstance(effect, Work):
        return await asyncio.to_thread(effect.run)
    if isinstance(effect, Sleep):
        return await asyncio.sleep(effect.seconds)
    content = effect.content if effect.file is None else _pieces_async(effect.file)
    try:
        async with http.stream(effect.method, effect.url, content=content, **_options(effect)) as reply:
            body = bytearray()
            async for piece in reply.aiter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES:
                    return _too_long()
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return _trouble(error)
    return Reply(reply.status_code, bytes(body), headers=dict(reply.headers))


def _options(call: Call) -> dict[str, Any]:
    headers = {"Content-Type": call.content_type} if call.content or call.file else {}
    return {
        "headers": headers | call.headers,
        "params": call.params,
        "timeout": httpx.Timeout(call.timeout_s, connect=3.0),
    }


def _too_long() -> Reply:
    return Reply(0, trouble=f"the answer is longer than {MAX_REPLY_BYTES} bytes")


def _trouble(error: Exception) -> Reply:
    return Reply(0, trouble=f"{type(error).__name__}: {error}".rstrip(": "))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _pieces_async(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
