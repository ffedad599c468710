"""The demo: one proof of a rollup batch, from a request in the SDK to a receipt that checks, each station timed."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.cli.output import Output, run_with_progress
from proofgrid.client import Client, Fulfilled, Handle
from proofgrid.config import NetworkConfig
from proofgrid.demo import rollup
from proofgrid.errors import InvalidProof
from proofgrid.gateway.embedded import Network, Station, WorkerOptions
from proofgrid.kernels.backend import Backend, select
from proofgrid.models import AttemptState, RequestStatus
from proofgrid.network.localnet import fund
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.groth16.setup import setup
from proofgrid.settlement.registry import upload_key, verify_on_chain
from proofgrid.settlement.sender import Sender
from proofgrid.verifier.keys import VerifyingKey

T = TypeVar("T")
PROOF_TIMEOUT_S = 300.0


def duration(seconds: float) -> str:
    """For a person: milliseconds below a tenth of a second."""
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


@dataclass
class Stations:
    """Prints each station with its time as it is passed, and remembers them for ``--json``."""

    out: Output
    passed: list[dict[str, object]] = field(default_factory=list)

    def heading(self, text: str) -> None:
        self.out.say(f"\n{text}")

    def passing(self, name: str, seconds: float, detail: str) -> None:
        self.passed.append({"station": name, "seconds": round(seconds, 3), "detail": detail})
        self.out.say(f"  {name:<13}{duration(seconds):>9}   {detail}")

    def timed(self, name: str, work: Callable[[], T], describe: Callable[[T], str]) -> T:
        start = time.perf_counter()
        result = work()
        self.passing(name, time.perf_counter() - start, describe(result))
        return result


def travel(state: Path, options: WorkerOptions, out: Output) -> None:
    """Run a network in ``state``, send one request through it and check what comes back."""
    stations = Stations(out)
    started = time.perf_counter()
    backend = select(options.backend)
    out.say("proofgrid demo: one rollup batch, proven and settled on this machine")

    stations.heading("1. a network of one worker")

    def passed(station: Station) -> None:
        stations.passing(station.component, station.seconds, station.detail)

    with Network(NetworkConfig(state_folder=state, port=0), worker=options, on_station=passed) as network:
        stations.heading("2. the rollup's circuit (circom) and a development key for it")
        files = rollup.unpack(state / "demo")
        zkey = state / "demo" / "rollup.zkey"
        _make_key(files.r1cs, zkey, backend, stations)
        with Client(network.url, rpc_url=network.rpc_url) as client:
            circuit = stations.timed(
                "register",
                lambda: client.register(zkey=zkey, wasm=files.wasm, name="rollup"),
                lambda made: (
                    f"key {made.verifying_key.digest().hex()[:16]}…, {made.verifying_key.n_public} public inputs"
                ),
            )
            stations.heading("3. a request through the SDK")
            inputs = stations.timed(
                "inputs",
                rollup.generate_inputs,
                lambda made: f"{rollup.TRANSFERS} signed transfers, new root {str(made['new_root'])[:16]}…",
            )
            handle = stations.timed(
                "request",
                lambda: client.prove(circuit, inputs=inputs),
                lambda placed: f"{placed.id[:16]}…, inputs sealed",
            )
            fulfilled = _follow(handle, stations)
            if list(fulfilled.public_inputs) != rollup.public_inputs(inputs):
                raise InvalidProof("the proof is of another batch than the one that was sent")
            stations.heading("4. the chain says so, too")
            asyncio.run(_ask_the_chain(network, fulfilled, circuit.verifying_key, stations))
            stations.heading("5. the receipt")
            stations.timed(
                "check",
                lambda: fulfilled.receipt.check(circuit.verifying_key, fulfilled.public_inputs, fulfilled.proof),
                lambda _: "leaf, Merkle path and proof hold; the root was read from the chain",
            )
    seconds = time.perf_counter() - started
    facts = {
        "request": fulfilled.request_id,
        "receipt": fulfilled.receipt.model_dump(mode="json"),
        "stations": stations.passed,
        "seconds": round(seconds, 3),
        "ok": True,
    }
    out.result(
        facts, f"\nthe receipt holds: request {fulfilled.request_id[:16]}… is proven and settled ({seconds:.1f} s)"
    )


def _make_key(r1cs: Path, zkey: Path, backend: Backend, stations: Stations) -> None:
    """The development setup, unless this state folder has a key already."""
    if zkey.is_file():
        stations.passing("setup", 0.0, "the key of the last run is used again")
        return
    circuit = read_r1cs(r1cs)
    _, seconds = run_with_progress("setup", lambda control: setup(circuit, zkey, backend=backend, control=control))
    size = zkey.stat().st_size / 2**20
    stations.passing(
        "setup", seconds, f"{circuit.n_constraints:,} constraints, key of {size:.1f} MiB (development only)"
    )


def _follow(handle: Handle, stations: Stations) -> Fulfilled:
    """Wait for the proof and its receipt, then print the request's way from the coordinator's own times."""
    on_terminal = sys.stderr.isatty()

    def show(status: RequestStatus) -> None:
        if on_terminal:
            sys.stderr.write(f"\r  {status.fulfilment} {100 * status.progress:3.0f} %\x1b[K")
            sys.stderr.flush()

    fulfilled = handle.wait(timeout_s=PROOF_TIMEOUT_S, on_status=show)
    if on_terminal:
        sys.stderr.write("\r\x1b[K")
    status = fulfilled.status
    attempt = next(attempt for attempt in status.attempts if attempt.state is AttemptState.ACCEPTED)
    created_at = status.created_at
    claimed_at, submitted_at = attempt.claimed_at or created_at, attempt.submitted_at or created_at
    fulfilled_at, committed_at = status.fulfilled_at or submitted_at, status.committed_at or submitted_at
    receipt = fulfilled.receipt
    stations.passing("queue", claimed_at - created_at, f"Celery task on Redis, claimed by {attempt.worker}")
    stations.passing(
        "prove", submitted_at - claimed_at, "witness from the circuit's wasm, Groth16 by the worker's kernels"
    )
    stations.passing("verify", fulfilled_at - submitted_at, "the coordinator's verifier says yes")
    detail = f"batch {receipt.batch}, root {receipt.root.hex()[:16]}…, transaction {receipt.transaction[:16]}…"
    stations.passing("settle", committed_at - fulfilled_at, detail)
    return fulfilled


async def _ask_the_chain(network: Network, fulfilled: Fulfilled, key: VerifyingKey, stations: Stations) -> None:
    """Register the verifying key and let our program verify the very proof, in a transaction of its own."""
    async with AsyncClient(network.rpc_url) as client:
        payer, program_id = Keypair(), Pubkey.from_string(network.program_id)
        await fund(client, payer.pubkey())
        sender = Sender(client, payer)
        start = time.perf_counter()
        address = await upload_key(sender, program_id, key)
        stations.passing("key account", time.perf_counter() - start, f"{address} (named by the key's digest)")
        start = time.perf_counter()
        sent = await verify_on_chain(sender, program_id, key, fulfilled.public_inputs, fulfilled.proof)
        detail = f"verify_groth16: true, {sent.compute_units:,} compute units, slot {sent.slot}"
        stations.passing("program", time.perf_counter() - start, detail)
