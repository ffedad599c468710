"""The network under load, proving stubbed out: ``python -m benchmarks.bench_network [--database URL]``.

Prints the caveats and a line for each case, and writes ``results/<date>-network-<machine>.json``. The server is a
process of its own (benchmarks.network_server), and so is this load generator.
"""

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import Samples, Target, flood, paced
from benchmarks.results import RESULTS
from proofgrid.bench.machine import describe
from proofgrid.kernels.native import load

CAVEATS = (
    "Nobody proves: task queue and chain are stubs in the server's memory. Gateway, loops and database are real.",
    "Witnesses are uploaded before the clock starts, and all requests name the same one.",
    "Server and load generator share the machine's cores; cpu_ms is the server's processor time for each call, loops "
    "included, and load_cpu_share the part of one core that the generator took.",
    "load_average is the machine's when a case began. Where it is above what the benchmark makes itself (about 1.5), "
    "other work slowed every wall-clock figure, and cpu_ms too: hyper-threads share a core.",
    "200 clients read a status once a second each (the SDK's long poll reads less); a call counts from the moment it "
    "was due, so what waits behind a slow one counts as slow.",
    "Scheduling delay is from a worker's claim, which leaves room in a full queue of 256, to the next task's arrival; "
    "no provers but the fleet are registered.",
)
GOALS = {"admitted_per_second": 300, "read_p99_ms": 50, "schedule_p99_ms": 250}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """The server's process, and where it answers."""

    process: subprocess.Popen[str]
    target: Target

    def cpu_s(self) -> float:
        """Processor time of all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def serving(folder: Path, database: str | None) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.network_server", str(folder), *([database] if database else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process, Target(**json.loads(process.stdout.readline())))
    finally:
        process.terminate()
        process.wait(30)


class Case:
    """Processor time and the clock around one case."""

    def __init__(self, server: Server, kind: str) -> None:
        self._server = server
        self.row: dict[str, Any] = {"kind": kind, "load_average": round(os.getloadavg()[0], 2)}
        self._begun, self._server_cpu, self._own_cpu = time.perf_counter(), server.cpu_s(), time.process_time()

    def done(self, calls: int, **found: Any) -> dict[str, Any]:
        seconds = time.perf_counter() - self._begun
        cpu_ms = 1000 * (self._server.cpu_s() - self._server_cpu) / max(1, calls)
        share = (time.process_time() - self._own_cpu) / seconds
        self.row |= {
            "seconds": round(seconds, 2),
            "cpu_ms": round(cpu_ms, 3),
            "load_cpu_share": round(share, 3),
            **found,
        }
        print(json.dumps(self.row), flush=True)
        return self.row


async def measure(server: Server, seconds: float, queued: int) -> list[dict[str, Any]]:
    target, rows = server.target, []

    case = Case(server, "admission, closed loop, 32 clients")
    rate, samples, ids = await flood(target, 32, seconds, "flood")
    rows.append(case.done(len(ids), admitted_per_second=round(rate), **samples.summary()))

    def read(number: int) -> tuple[str, str, bytes]:
        return "GET", f"/v1/requests/{ids[number % len(ids)]}", b""

    def place(number: int) -> tuple[str, str, bytes]:
        return "POST", "/v1/requests", target.body(f"paced-{number}")

    case = Case(server, "status reads, 200 clients, 200 a second")
    reads = await paced(read, target, 200, 200, seconds)
    rows.append(case.done(len(reads.seconds), **reads.summary()))

    case = Case(server, "status reads, 200 clients, 200 a second, while 300 requests a second are admitted")
    reads, placed = await asyncio.gather(paced(read, target, 200, 200, seconds), paced(place, target, 64, 300, seconds))
    calls = len(reads.seconds) + len(placed.seconds)
    rows.append(case.done(calls, reads=reads.summary(), admissions=placed.summary()))

    missing = queued + 300 - len(ids) - len(placed.seconds)
    if missing > 0:  # 300 more: those in the task queue do not count as queued
        await paced(
            lambda number: ("POST", "/v1/requests", target.body(f"fill-{number}")), target, 32, 1e6, missing / 1e6
        )
    case = Case(server, f"scheduling with at least {queued} queued")
    delays = await schedule(target, 100)
    rows.append(case.done(len(delays.seconds), **delays.summary()))
    return rows


async def schedule(target: Target, count: int) -> Samples:
    """From each claim to the next task's arrival in the queue."""
    connection, samples = target.connect(), Samples()

    async def get(path: str) -> dict[str, Any]:
        status, answer = await connection.call("GET", path)
        assert status == 200, answer
        found: dict[str, Any] = json.loads(answer)
        return found

    while (await get("/bench/last"))["waiting"] < 256:
        await asyncio.sleep(0.1)
    for number in range(count):
        task = await get("/bench/task")
        before, begun = (await get("/bench/last"))["sent_at"], time.time()
        status, _ = await connection.call(
            "POST",
            f"/v1/leases/{task['attempt_id']}/claim",
            json.dumps({"worker": f"bench-{number % 16}"}).encode(),
            f"Fencing-Token: {task['token']}\r\n",
        )
        if status != 200:
            samples.refused += 1
            continue
        while (last := (await get("/bench/last"))["sent_at"]) == before:
            await asyncio.sleep(0.002)
        samples.seconds.append(last - begun)
    connection.close()
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_network", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="for each case")
    parser.add_argument("--queued", type=int, default=10_000, help="requests that wait while scheduling is measured")
    parser.add_argument("--database", help="an empty PostgreSQL database's URL; SQLite without it")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    print("Caveats\n" + "\n".join(f"- {caveat}" for caveat in CAVEATS) + f"\nAsked: {GOALS}\n", flush=True)
    # In this folder: /tmp may be memory, where syncing costs nothing.
    with (
        tempfile.TemporaryDirectory(prefix=".load-", dir=Path.cwd()) as name,
        serving(Path(name), options.database) as server,
    ):
        rows = asyncio.run(measure(server, options.seconds, options.queued))
    backend = load()
    machine = {**describe(backend.name, backend.isa), "database": "postgresql" if options.database else "sqlite"}
    target = options.output or RESULTS / f"{machine['date']}-network-{machine['cores']}c-{machine['database']}.json"
    command = shlex.join(["python", "-m", "benchmarks.bench_network", *sys.argv[1:]])
    target.write_text(
        json.dumps({"caveats": CAVEATS, "asked": GOALS, "machine": machine, "command": command, "rows": rows}, indent=1)
        + "\n"
    )
    print(target)


if __name__ == "__main__":
    main()
