"""A load generator over raw sockets: HTTP/1.1 kept alive, answers read by their length; some 30 us a call."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Connection:
    """One connection that is kept."""

    host: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def call(self, method: str, path: str, body: bytes = b"", headers: str = "") -> tuple[int, bytes]:
        """Status and body of one call."""
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status, length = int(answer[9:12]), 0
        for line in answer.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        return status, await self.reader.readexactly(length)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


@dataclass
class Samples:
    """Seconds of each call, from the moment it was due, and what was refused."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def summary(self) -> dict[str, Any]:
        return {
            "n": len(self.seconds),
            "refused": self.refused,
            "p50_ms": round(1000 * self.quantile(0.5), 2),
            "p99_ms": round(1000 * self.quantile(0.99), 2),
            "max_ms": round(1000 * max(self.seconds), 2),
        }


@dataclass(frozen=True)
class Target:
    """A gateway, and what a request for it names."""

    url: str
    sealed: str
    circuit: str

    def connect(self) -> Connection:
        parts = urlsplit(self.url)
        return Connection(str(parts.hostname), int(parts.port or 80))

    def body(self, key: str) -> bytes:
        return json.dumps(
            {
                "idempotency_key": key,
                "circuit_id": self.circuit,
                "sealed_digest": self.sealed,
                "input_kind": "witness",
                "max_price_lamports": 1_000_000,
                "deadline_s": 86_400,
            }
        ).encode()


async def flood(target: Target, clients: int, seconds: float, name: str) -> tuple[float, Samples, list[str]]:
    """Closed loop: each client places the next request when the last was answered; requests a second, and their ids."""
    samples, ids, ends_at = Samples(), list[str](), time.perf_counter() + seconds

    async def client(number: int) -> None:
        connection, count = target.connect(), 0
        while (begun := time.perf_counter()) < ends_at:
            status, answer = await connection.call("POST", "/v1/requests", target.body(f"{name}-{number}-{count}"))
            count += 1
            if status == 201:
                samples.seconds.append(time.perf_counter() - begun)
                ids.append(json.loads(answer)["id"])
            else:
                samples.refused += 1
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return len(ids) / (time.perf_counter() - begun), samples, ids


async def paced(
    make: Callable[[int], tuple[str, str, bytes]], target: Target, clients: int, rate: float, seconds: float
) -> Samples:
    """Open loop: ``rate`` calls a second over so many connections, each due at its time however late the last was."""
    samples, total = Samples(), int(rate * seconds)
    start = time.perf_counter() + 0.2

    async def client(number: int) -> None:
        connection = target.connect()
        for ordinal in range(number, total, clients):
            due = start + ordinal / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            status, _ = await connection.call(*make(ordinal))
            if status < 300:
                samples.seconds.append(time.perf_counter() - due)
            else:
                samples.refused += 1
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return samples
