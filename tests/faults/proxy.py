"""An HTTP proxy that loses, repeats and delays calls, by a seed: between workers or requesters and the gateway."""

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Mapping
from types import TracebackType

CALM: Mapping[str, float] = {}
ROUGH: Mapping[str, float] = {"drop": 0.04, "deaf": 0.05, "double": 0.06, "late": 0.05, "replay": 0.05}
"""drop: the call never arrives. deaf: it is carried out, its answer lost. double: it is carried out twice at once.
late: it waits up to two seconds. replay: it is carried out again some seconds later."""
_MAX_LATE_S, _MAX_REPLAY_S = 2.0, 6.0


class Proxy:
    """Listens on a free loopback port in a thread of its own, in front of ``port``; a context manager."""

    def __init__(self, name: str, port: int, seed: int) -> None:
        self._name, self._target = name, port
        self._draws = random.Random(f"{seed}/{name}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{name}", daemon=True)
        self._server: asyncio.Server | None = None
        self._later: set[asyncio.Task[None]] = set()
        self.rates: Mapping[str, float] = CALM
        self.struck: Counter[str] = Counter()
        self.url = ""

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _strikes(self) -> str | None:
        draw = self._draws.random()
        for kind, rate in self.rates.items():
            draw -= rate
            if draw < 0:
                self.struck[f"{self._name}_{kind}"] += 1
                return kind
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call, then the connection ends."""
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                answer = await self._carry(await _read(reader))
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        finally:
            writer.close()

    async def _carry(self, call: bytes) -> bytes | None:
        kind = self._strikes()
        if kind == "drop":
            return None
        if kind == "late":
            await asyncio.sleep(self._draws.uniform(0.1, _MAX_LATE_S))
        if kind == "double":
            twin = asyncio.ensure_future(self._forward(call))
            answer = await self._forward(call)
            await twin
            return answer
        if kind == "replay":
            task = asyncio.ensure_future(self._again(call, self._draws.uniform(0.5, _MAX_REPLAY_S)))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        answer = await self._forward(call)
        return None if kind == "deaf" else answer

    async def _again(self, call: bytes, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._forward(call)

    async def _forward(self, call: bytes) -> bytes | None:
        """The answer, or None if the gateway is away."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return None
        try:
            writer.write(call)
            return await reader.read(-1)
        except OSError:
            return None
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """One whole request, set to close its connection; raises IncompleteReadError if there is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    dropped = (b"connection:", b"transfer-encoding:", b"content-length:")
    kept = [line for line in lines if not line.lower().startswith(dropped)]
    if fields.get(b"transfer-encoding") == b"chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
    return b"\r\n".join([*kept, b"Connection: close", b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
