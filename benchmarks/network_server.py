"""``python -m benchmarks.network_server FOLDER [DATABASE_URL]``: a real gateway and real loops over a queue and a chain
that are stubs, and two more doors under ``/bench``. Nobody proves here: only benchmarks.bench_network starts this.
"""

import json
import signal
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from proofgrid import __version__
from proofgrid.config import NetworkConfig
from proofgrid.gateway.app import create_app
from proofgrid.gateway.server import GatewayServer, bind
from proofgrid.gateway.services import Services
from proofgrid.models import NetworkInfo, ProveTask
from proofgrid.network.chain import CommittedBatch
from proofgrid.network.coordinator import Coordinator, Loops
from proofgrid.network.database import CircuitRow, Database
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.verifier.keys import VerifyingKey

CIRCUIT = "c0" * 32
SEALED = b"a sealed witness"


@dataclass
class StubBroker:
    """A task queue in memory that remembers when a task came."""

    tasks: deque[tuple[ProveTask, float]] = field(default_factory=deque)

    def send(self, task: ProveTask) -> None:
        self.tasks.append((task, time.time()))

    def waiting(self) -> int:
        return len(self.tasks)


class StubChain:
    """A chain on which nothing happens."""

    chain_id, program_id, committer = "bench", "1" * 32, "2" * 32

    def next_number(self) -> int:
        return 0

    def register(self, verifying_key: VerifyingKey) -> None:
        raise NotImplementedError

    def commit(self, number: int, root: bytes, n_leaves: int) -> CommittedBatch:
        raise NotImplementedError

    def tend(self) -> None:
        return None

    def final(self, number: int) -> CommittedBatch | None:
        return None


def main() -> None:
    folder = Path(sys.argv[1])
    config = NetworkConfig(state_folder=folder, port=0, database_url=sys.argv[2] if len(sys.argv) > 2 else None)
    database, store = Database(config.resolved_database_url), ArtifactStore(config.store_folder)
    sealed = store.put(SEALED)
    with database.writing() as session:
        session.add(_circuit())
    broker = StubBroker()
    listener = bind(config.host, config.port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    coordinator = Coordinator(database, store, broker, StubChain(), config, bytes(32), url)
    info = NetworkInfo(
        version=__version__,
        chain_id="bench",
        program_id="1" * 32,
        committer="2" * 32,
        rpc_url=None,
        fleet_key="00" * 32,
        ask_lamports=0,
        limits=config.limits.model_dump(),
    )
    with Loops(coordinator) as loops:
        services = Services(database, store, config, info, "token", ring=loops.ring)
        app = create_app(services)
        _add_doors(app, broker)
        with GatewayServer(app, listener):
            sys.stdout.write(json.dumps({"url": url, "sealed": sealed, "circuit": CIRCUIT}) + "\n")
            sys.stdout.flush()
            stop = threading.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            stop.wait()
    database.close()


def _add_doors(app: FastAPI, broker: StubBroker) -> None:
    @app.get("/bench/task")
    async def task() -> dict[str, Any]:
        """The oldest task of the queue, and when it came there."""
        found, sent_at = broker.tasks.popleft()
        return {"attempt_id": found.attempt_id, "token": found.token, "sent_at": sent_at}

    @app.get("/bench/last")
    async def last() -> dict[str, Any]:
        """How many tasks wait, and when the newest came."""
        return {"waiting": len(broker.tasks), "sent_at": broker.tasks[-1][1] if broker.tasks else 0.0}


def _circuit() -> CircuitRow:
    return CircuitRow(
        id=CIRCUIT,
        name="bench",
        zkey_digest="00" * 32,
        wasm_digest=None,
        curve="bn254",
        n_public=1,
        verifying_key_digest="00" * 32,
        verifying_key={},
        created_at=0.0,
    )


if __name__ == "__main__":
    main()
