"""The market's scheduling delay: ``python -m benchmarks.market [--requests 10000] [--provers 1000] [--output FILE]``.

Two things are timed, each ``--rounds`` times; told are the first and the median of the others. *Round*: the matching
alone, in memory. *Tick*: what the dispatch loop does, over SQLite in a temporary folder (not synced to disk): read
bidders and waiting requests, match, write the attempts and the reasons. Caveats: asks, speeds and caps are drawn evenly
at random (seed 1); a tick ends after ``MAX_MATCHES`` assignments; the first tick reads every request, the others only
what is new. On a machine that others use, CPU seconds say more than seconds.
"""

import argparse
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import insert

from benchmarks.results import write_results
from proofgrid.bench.machine import describe
from proofgrid.config import NetworkConfig
from proofgrid.models import Fulfilment, Settlement, Verification
from proofgrid.models.market import Ask
from proofgrid.network import dispatch
from proofgrid.network.database import CircuitRow, Database, RequestRow
from proofgrid.network.market import standings
from proofgrid.network.market.candidates import Candidate, Rules, Waiting
from proofgrid.network.market.matching import run_round
from proofgrid.network.market.standings import Standing
from proofgrid.network.market.waiting import WaitingRoom
from proofgrid.network.tables.market import AskRow

NOW, FLEET = 1000.0, "f" * 64
KINDS = ("anybody", "32 recipients", "2 denied", "nobody takes it")


def main() -> None:
    options = _options()
    rows = [_round(options, kind, capacity) for kind in KINDS for capacity in (1, 4, 16)]
    rows += [_tick(options, capacity) for capacity in (0, 4)]
    for row in rows:
        print("  ".join(f"{name}: {value}" for name, value in row.items()))
    if options.output:
        command = f"python -m benchmarks.market --requests {options.requests} --provers {options.provers}"
        write_results(describe("none", "none"), command, rows, options.output)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The market's scheduling delay.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--provers", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def _round(options: argparse.Namespace, kind: str, capacity: int) -> dict[str, Any]:
    draw = random.Random(1)
    provers = [_prover(draw, number, capacity) for number in range(options.provers)]
    keys = [prover.key for prover in provers]
    waiting = [_request(draw, number, keys, kind) for number in range(options.requests)]
    found: list[int] = []

    def once() -> None:
        limit = dispatch.MAX_MATCHES
        found.append(len(run_round(waiting, provers, {}, lambda units: 500 + 20 * units, NOW, Rules(), limit=limit)))

    times = _timed(once, options.rounds)
    return {"what": "round", "kind": kind, "slots": capacity * options.provers, "matches": found[-1], **times}


def _prover(draw: random.Random, number: int, capacity: int) -> Candidate:
    ask = Ask(
        base_lamports=draw.randrange(1000),
        per_unit_lamports=draw.randrange(50),
        capacity=capacity,
        expires_at=1e9,
        sequence=1,
    )
    return Candidate(f"{number:064x}", ask, units_per_s=draw.uniform(10, 1000), stake_lamports=10**9)


def _request(draw: random.Random, number: int, keys: list[str], kind: str) -> Waiting:
    return Waiting(
        id=f"{number:064x}",
        sequence=number,
        requester=f"r{draw.randrange(200)}",
        circuit_id=f"{number % 10}",
        units=2 ** (number % 10),
        cap=draw.randrange(100, 60_000) if kind != KINDS[3] else draw.randrange(20),
        created_at=NOW - 100,
        deadline_at=NOW + draw.uniform(1, 600),
        recipients=frozenset(draw.sample(keys, min(32, len(keys)))) if kind == KINDS[1] else None,
        deny=frozenset(draw.sample(keys, 2)) if kind == KINDS[2] else frozenset(),
    )


def _tick(options: argparse.Namespace, capacity: int) -> dict[str, Any]:
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        config = NetworkConfig(state_folder=Path(folder), ask_lamports=500)
        database = Database(config.resolved_database_url, durable=False)
        keys = [f"{number:064x}" for number in range(1, options.provers + 1)]
        _fill(database, draw, keys, options.requests, capacity)
        admitted = {key: Standing(True, 0.9, draw.uniform(100, 1000), 10**12) for key in keys}
        room, found = WaitingRoom(), list[int]()

        def once() -> None:
            found.append(dispatch.assign(database, config, FLEET, NOW + len(found), room=room))

        with mock.patch.object(standings, "standings", return_value=admitted):
            times = _timed(once, options.rounds)
        database.close()
    return {"what": "tick", "slots": capacity * options.provers, "assigned": sum(found), **times}


def _fill(database: Database, draw: random.Random, keys: list[str], n_requests: int, capacity: int) -> None:
    asks = [
        {
            "prover": key,
            "base_lamports": draw.randrange(400),
            "per_unit_lamports": draw.randrange(50),
            "capacity": capacity,
            "hardware_kind": "cpu",
            "hardware_name": "",
            "expires_at": 1e9,
            "sequence": 1,
            "updated_at": 0.0,
        }
        for key in keys
    ]
    requests = [
        {
            "id": secrets.token_hex(32),
            "requester": f"r{number % 200}",
            "idempotency_key": str(number),
            "body_digest": "0" * 64,
            "circuit_id": "c" * 64,
            "sealed_digest": "0" * 64,
            "input_kind": "witness",
            "max_price_lamports": 10_000,
            "deadline_at": NOW + 3600,
            "created_at": NOW - 10,
            "updated_at": NOW - 10,
            "fulfilment": Fulfilment.REQUESTED,
            "verification": Verification.UNVERIFIED,
            "settlement": Settlement.UNSETTLED,
            "recipients": [FLEET, *draw.sample(keys, min(32, len(keys)))],
        }
        for number in range(n_requests)
    ]
    named = {"id": "c" * 64, "name": "c", "zkey_digest": "0" * 64, "curve": "bn254", "n_public": 1, "created_at": 0.0}
    with database.writing() as session:
        session.add(CircuitRow(**named, verifying_key_digest="0" * 64, verifying_key={}, domain_size=1 << 16))
        session.flush()
        session.execute(insert(AskRow), asks)
        session.execute(insert(RequestRow), requests)


def _timed(once: Callable[[], None], rounds: int) -> dict[str, Any]:
    """Of the first time, and the median of the others."""
    seconds, cpu = [], []
    for _ in range(rounds):
        wall, used = time.perf_counter(), time.process_time()
        once()
        seconds.append(time.perf_counter() - wall)
        cpu.append(time.process_time() - used)
    return {
        "first_ms": round(1000 * seconds[0]),
        "median_ms": round(1000 * statistics.median(seconds[1:] or seconds)),
        "median_cpu_ms": round(1000 * statistics.median(cpu[1:] or cpu)),
    }


if __name__ == "__main__":
    main()
