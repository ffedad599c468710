"""Requesters: several SDK clients that place requests of three circuits, repeat themselves, and wait."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.client import Circuit, Client, Fulfilled, Handle
from proofgrid.errors import Conflict, ProofgridError, RequestFailed
from proofgrid.kernels.curves import BN254
from proofgrid.models import Fulfilment
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.wtns import write_wtns
from proofgrid.prover.groth16.setup import setup

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
CHAIN_LENGTH = 200
N_CLIENTS = 5
PAUSE_S = 0.2

Answer = TypeVar("Answer")


class Wish(StrEnum):
    """What a request is, and so how it must end."""

    TRUE = "true"
    FALSE = "false"  # its witness does not satisfy the circuit
    REGRETTED = "regretted"  # cancelled as soon as it is placed
    BRIEF = "brief"  # its deadline is nearly now

    @property
    def endings(self) -> frozenset[Fulfilment]:
        return {
            Wish.TRUE: frozenset({Fulfilment.FULFILLED}),
            Wish.FALSE: frozenset({Fulfilment.UNFULFILLABLE}),
            Wish.REGRETTED: frozenset({Fulfilment.CANCELLED, Fulfilment.FULFILLED}),
            Wish.BRIEF: frozenset({Fulfilment.EXPIRED, Fulfilment.FULFILLED}),
        }[self]


WEIGHTS = {Wish.TRUE: 88, Wish.FALSE: 3, Wish.REGRETTED: 5, Wish.BRIEF: 4}
BRIEF_S = 2.0


@dataclass(frozen=True)
class Offer:
    """A registered circuit, and what is asked of it: arguments of ``Client.prove``."""

    circuit: Circuit
    true: dict[str, Any]
    false: dict[str, Any]


@dataclass
class Job:
    """One request; ``ids`` are all the ids that placing it, again and again, gave."""

    number: int
    wish: Wish
    offer: int
    key: str
    twice: bool
    ids: set[str] = field(default_factory=set)
    handle: Handle | None = None
    ending: Fulfilment | None = None
    complaint: str | None = None


def make_jobs(count: int, seed: int, n_offers: int = 3) -> list[Job]:
    draws = random.Random(f"{seed}/jobs")
    wishes = draws.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)
    return [
        Job(number, wish, number % n_offers, f"faults-{seed}-{number}", draws.random() < 0.2)
        for number, wish in enumerate(wishes)
    ]


def make_offers(url: str, folder: Path) -> list[Offer]:
    """Three circuits: circom's by inputs, the same under a key made here by witness, and a longer one by witness."""
    steps = VECTORS / "bn254"
    good = (steps / "steps.wtns").read_bytes()
    setup(read_r1cs(steps / "steps.r1cs"), folder / "steps.zkey")
    setup(square_chain(CHAIN_LENGTH), folder / "chain.zkey")
    values = square_chain_witness(CHAIN_LENGTH, 3, 5)
    write_wtns(folder / "chain.wtns", BN254, values)
    spoilt = np.array(values)
    spoilt[-1, 0] += 1
    write_wtns(folder / "spoilt.wtns", BN254, spoilt)
    inputs = {"inputs": VECTORS / "steps.json"}
    with Client(url) as client:
        return [
            Offer(client.register(zkey=steps / "steps.zkey", wasm=steps / "steps.wasm"), inputs, {"inputs": {"no": 1}}),
            Offer(client.register(zkey=folder / "steps.zkey"), {"witness": good}, {"witness": _spoilt(good)}),
            Offer(
                client.register(zkey=folder / "chain.zkey"),
                {"witness": folder / "chain.wtns"},
                {"witness": folder / "spoilt.wtns"},
            ),
        ]


def _spoilt(witness: bytes) -> bytes:
    """The last value, a private one, is another."""
    return witness[:-32] + bytes([witness[-32] ^ 1]) + witness[-31:]


class Requesters:
    """Clients in threads of their own: each places its share within ``period_s`` and waits until each has ended."""

    def __init__(self, url: str, offers: list[Offer], jobs: list[Job], period_s: float) -> None:
        self._url, self._offers, self._jobs, self._period_s = url, offers, jobs, period_s
        self._stop = threading.Event()
        self.troubles: Counter[str] = Counter()
        self._threads = [
            threading.Thread(target=self._run, args=(jobs[first::N_CLIENTS],), name=f"client-{first}", daemon=True)
            for first in range(N_CLIENTS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def placed(self) -> int:
        return sum(job.handle is not None for job in self._jobs)

    @property
    def ended(self) -> int:
        return sum(job.ending is not None or job.complaint is not None for job in self._jobs)

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def give_up(self) -> None:
        """Stop waiting for what has not ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, jobs: list[Job]) -> None:
        begun = time.monotonic()
        with Client(self._url) as client:
            for position, job in enumerate(jobs):
                due = begun + self._period_s * position / max(1, len(jobs))
                self._stop.wait(max(0.0, due - time.monotonic()))
                self._insist(job, lambda job=job: self._place(client, job))  # type: ignore[misc]
            for job in jobs:
                self._insist(job, lambda job=job: self._await(job))  # type: ignore[misc]

    def _place(self, client: Client, job: Job) -> None:
        offer = self._offers[job.offer]
        for _ in range(1 + job.twice):
            terms = {"deadline_s": BRIEF_S} if job.wish is Wish.BRIEF else {}
            what = offer.false if job.wish is Wish.FALSE else offer.true
            handle = client.prove(offer.circuit, idempotency_key=job.key, **what, **terms)
            job.ids.add(handle.id)
        if job.wish is Wish.REGRETTED:
            try:
                handle.cancel()
            except Conflict:
                self.troubles["cancelled too late"] += 1
        job.handle = handle

    def _await(self, job: Job) -> None:
        assert job.handle is not None
        try:
            job.ending = job.handle.wait(20.0).status.fulfilment
        except RequestFailed:
            job.ending = job.handle.status().fulfilment

    def _insist(self, job: Job, what: Callable[[], None]) -> None:
        """Do it until it is done; an error that nobody should try again over is a complaint."""
        while not self._stop.is_set() and job.complaint is None:
            try:
                return what()
            except ProofgridError as error:
                self.troubles[error.code] += 1
                if not error.retryable:
                    job.complaint = f"{type(error).__name__}: {error}"
                self._stop.wait(PAUSE_S)
            except Exception as error:  # noqa: BLE001  # a defect of the SDK: it is told in the end
                job.complaint = f"{type(error).__name__}: {error}"
        return None


def fetch(url: str, rpc_url: str, offer: Offer, request_id: str) -> Fulfilled:
    """The proof and its receipt, verified here and against the chain, by a client that knew nothing."""
    with Client(url, rpc_url=rpc_url) as client:
        return client.handle(request_id, offer.circuit).wait(20.0)
