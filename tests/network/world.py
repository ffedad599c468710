"""A coordinator over a real database and store, with a queue and a chain in memory, and a clock that tests move."""

import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofgrid.config import NetworkConfig, Timing
from proofgrid.errors import ChainUnavailable, Conflict, MalformedInput, QueueError
from proofgrid.models import (
    CircuitInfo,
    CircuitRegistration,
    Lease,
    ProofRequest,
    ProveTask,
    RequestStatus,
    Submission,
    WorkerPulse,
)
from proofgrid.network import circuits, leases, requests, workers
from proofgrid.network.chain import CommittedBatch
from proofgrid.network.coordinator import Coordinator
from proofgrid.network.database import AttemptRow, Database
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.verifier.keys import VerifyingKey

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
BN254 = VECTORS / "bn254"
PROVER = bytes(range(32))
REQUESTER = "local"
ASK = 500


def true_submission() -> Submission:
    """snarkjs' own proof of the circuit ``steps``."""
    return Submission(
        proof=json.loads((BN254 / "proof.json").read_text()),
        public_inputs=tuple(json.loads((BN254 / "public.json").read_text())),
    )


def false_submission() -> Submission:
    """The same proof, of another statement."""
    true = true_submission()
    return Submission(proof=true.proof, public_inputs=("7", *true.public_inputs[1:]))


@dataclass
class MemoryBroker:
    """A queue that can be away."""

    tasks: list[ProveTask] = field(default_factory=list)
    is_away: bool = False

    def send(self, task: ProveTask) -> None:
        if self.is_away:
            raise QueueError("the test's queue is away")
        self.tasks.append(task)

    def waiting(self) -> int:
        if self.is_away:
            raise QueueError("the test's queue is away")
        return len(self.tasks)


class Crash(Exception):
    """The process dies here."""


@dataclass
class MemoryChain:
    """A log of roots; ``crash_at`` kills the coordinator before or after a root is there; ``n_final`` of them are."""

    chain_id: str = "chain-1"
    program_id: str = "1" * 32
    committer: str = "2" * 32
    roots: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    is_away: bool = False
    is_ignorant: bool = False
    n_final: int = 0
    crash_at: str | None = None
    _letters = itertools.cycle("ABCDEFGHJKLMNPQRSTUVWXYZ")

    def next_number(self) -> int:
        self._answer()
        return len(self.roots)

    def register(self, verifying_key: VerifyingKey) -> None:
        self._answer()
        if self.is_ignorant:
            raise MalformedInput("the test's chain knows no such curve")
        self.keys.append(verifying_key.digest())

    def commit(self, number: int, root: bytes, n_leaves: int) -> CommittedBatch:
        self._answer()
        if number < len(self.roots):
            if self.roots[number] != root:
                raise Conflict(f"batch {number} has another root")
            return CommittedBatch(self.signatures[number], _address(number))
        assert number == len(self.roots)
        signature = next(self._letters) * 64
        self._crash("before")
        self.roots.append(root)
        self.signatures.append(signature)
        self._crash("after")
        return CommittedBatch(signature, _address(number))

    def tend(self) -> None:
        pass

    def final(self, number: int) -> CommittedBatch | None:
        return CommittedBatch(self.signatures[number], _address(number)) if number < self.n_final else None

    def _answer(self) -> None:
        if self.is_away:
            raise ChainUnavailable("the test's chain is away")

    def _crash(self, where: str) -> None:
        if self.crash_at == where:
            self.crash_at = None
            raise Crash(where)


def _address(number: int) -> str:
    return "3" * 31 + str(number + 1)


@dataclass
class World:
    """Everything one test needs; ``now`` is its clock."""

    folder: Path
    config: NetworkConfig
    database: Database
    store: ArtifactStore
    broker: MemoryBroker
    chain: MemoryChain
    coordinator: Coordinator
    circuit: CircuitInfo
    now: float = 1000.0

    def body(self, **changes: Any) -> ProofRequest:
        values: dict[str, Any] = {
            "idempotency_key": secrets.token_hex(8),
            "circuit_id": self.circuit.id,
            "sealed_digest": self.store.put(secrets.token_bytes(16)),
            "input_kind": "witness",
            "deadline_s": 600.0,
            "max_price_lamports": 1000,
        }
        return ProofRequest(**{**values, **changes})

    def place(self, body: ProofRequest | None = None, **changes: Any) -> str:
        with self.database.writing() as session:
            body = body or self.body(**changes)
            return requests.place(session, REQUESTER, body, ask_lamports=self.config.ask_lamports, now=self.now)

    def dispatch(self) -> int:
        return self.coordinator.run_dispatch(self.now)

    def take(self) -> ProveTask:
        """The next task of the queue."""
        return self.broker.tasks.pop(0)

    def claim(self, task: ProveTask, worker: str = "worker-1") -> Lease:
        return leases.claim(self.database, self.config, task.attempt_id, task.token, worker, self.now)

    def submit(self, task: ProveTask, submission: Submission | None = None, token: str | None = None) -> None:
        answer = submission or true_submission()
        prover = self.attempt(task).prover
        leases.submit(self.database, self.store, task.attempt_id, token or task.token, answer, self.now, prover)

    def pulse(self, *names: str) -> None:
        with self.database.writing() as session:
            for name in names:
                workers.record_pulse(
                    session, name, WorkerPulse(backend="b", version="0", fleet_key="00" * 32, started_at=0.0), self.now
                )

    def running(self, worker: str = "worker-1", **changes: Any) -> tuple[str, ProveTask]:
        """A request that a worker proves, and its task."""
        request_id = self.place(**changes)
        self.dispatch()
        task = self.take()
        self.claim(task, worker)
        return request_id, task

    def fulfil(self) -> str:
        """A fulfilled request."""
        request_id, task = self.running()
        self.submit(task)
        self.coordinator.run_verify(self.now)
        return request_id

    def settle(self) -> int:
        return self.coordinator.run_settle(self.now)

    def status(self, request_id: str) -> RequestStatus:
        with self.database.reading() as session:
            return requests.status(session, request_id, REQUESTER)

    def attempt(self, task: ProveTask) -> AttemptRow:
        with self.database.reading() as session:
            return session.get_one(AttemptRow, task.attempt_id)

    def restart(self) -> None:
        """Another process opens what the last one left."""
        self.database.close()
        self.database = Database(self.config.resolved_database_url, durable=False)
        self.coordinator.database = self.database


_known: dict[CircuitRegistration, CircuitInfo] = {}


def _inspected(store: ArtifactStore, registration: CircuitRegistration) -> CircuitInfo:
    """Reading a key takes a while on the reference backend; every world has the same circuit."""
    if registration not in _known:
        _known[registration] = circuits.inspect(store, registration)
    return _known[registration]


MakeWorld = Callable[..., World]


def make_world(folder: Path, **settings: Any) -> World:
    """A world over an empty folder with the circuit ``steps`` registered."""
    values: dict[str, Any] = {"timing": Timing(batch_age_s=0.0), "ask_lamports": ASK, "max_attempts": 3, **settings}
    config = NetworkConfig(state_folder=folder, **values)
    database = Database(config.resolved_database_url, durable=False)
    store = ArtifactStore(config.store_folder)
    broker, chain = MemoryBroker(), MemoryChain()
    registration = CircuitRegistration(
        name="steps", zkey_digest=store.put_file(BN254 / "steps.zkey"), wasm_digest=store.put_file(BN254 / "steps.wasm")
    )
    circuit = _inspected(store, registration)
    with database.writing() as session:
        circuits.save(session, circuit, 0.0)
    coordinator = Coordinator(database, store, broker, chain, config, PROVER, "http://127.0.0.1:1")
    return World(folder, config, database, store, broker, chain, coordinator, circuit)
