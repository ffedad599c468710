"""What must not be lost when processes die: each request ends once, with one leaf and one receipt."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.client import Circuit, Client, Fulfilled
from proofgrid.errors import Conflict
from proofgrid.gateway.embedded import Network
from proofgrid.kernels.curves import BN254
from proofgrid.models import AttemptState, CauseCode, Fulfilment, InputKind, ProveTask, Submission, Verification
from proofgrid.network.broker import CeleryBroker
from proofgrid.network.database import AttemptRow
from proofgrid.network.supervisor import WorkerSupervisor
from proofgrid.prover.formats.wtns import write_wtns
from proofgrid.prover.groth16.setup import setup
from proofgrid.prover.worker.lease import LeaseClient
from tests.e2e.networks import (
    QUICK,
    STEPS,
    WAIT_S,
    children,
    is_alive,
    leaves_of,
    n_leaves_on_chain,
    network,
    sent_attempt,
    until,
)

LONG = 1 << 14
"""Constraints of a proof that takes long enough to be killed in."""


@pytest.fixture(scope="module")
def long_proof(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``key.zkey`` and ``witness.wtns``."""
    folder = tmp_path_factory.mktemp("long")
    setup(square_chain(LONG, BN254), folder / "key.zkey")
    write_wtns(folder / "witness.wtns", BN254, square_chain_witness(LONG, 3, 5, BN254))
    return folder


def require_once(running: Network, done: Fulfilled, states: list[AttemptState]) -> None:
    assert [attempt.state for attempt in done.status.attempts] == states
    assert done.on_chain
    (leaf,) = leaves_of(running, done.request_id)
    assert leaf.receipt is not None
    assert n_leaves_on_chain(running) == 1


def task_of(running: Network, attempt: AttemptRow, circuit: Circuit) -> ProveTask:
    """The message that was sent for an attempt, as far as the lease API is concerned."""
    return ProveTask(
        attempt_id=attempt.id,
        token=attempt.token,
        request_id=attempt.request_id,
        gateway_url=running.url,
        circuit_id=circuit.id,
        zkey_digest="0" * 64,
        wasm_digest=None,
        sealed_digest="0" * 64,
        input_kind=InputKind.WITNESS,
    )


def test_a_worker_killed_in_the_middle_of_a_proof(tmp_path: Path, long_proof: Path) -> None:
    timing = QUICK.model_copy(update={"heartbeat_s": 0.05})
    up = network(tmp_path, threads=1, timing=timing)
    with up as running, Client(running.url, rpc_url=running.rpc_url) as client:
        circuit = client.register(zkey=long_proof / "key.zkey")
        handle = client.prove(circuit, witness=long_proof / "witness.wtns")
        (supervisor,) = running.workers
        until(lambda: handle.status().progress > 0)
        victim, lost = supervisor.pid, sent_attempt(running, handle.id)
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        assert handle.status().fulfilment is Fulfilment.PROVING  # it was killed in the middle
        done = handle.wait(WAIT_S)
        require_once(running, done, [AttemptState.LOST, AttemptState.ACCEPTED])
        cause = done.status.attempts[0].cause
        assert cause is not None
        assert cause.code is CauseCode.WORKER_LOST
        assert supervisor.starts == 2

        # The dead worker's message comes back (as kombu's visibility time-out does it), and its proof, too late.
        task = task_of(running, lost, circuit)
        broker = CeleryBroker(running.worker_settings().redis_url)
        broker.send(task)
        until(lambda: broker.waiting() == 0)
        broker.close()
        leases = LeaseClient(running.url, "ghost", "")
        with pytest.raises(Conflict, match="lost"):
            leases.submit(task, Submission(proof=done.proof.to_json(), public_inputs=()))
        leases.close()
        time.sleep(0.5)  # two ticks of each loop
        require_once(running, done, [AttemptState.LOST, AttemptState.ACCEPTED])
        assert handle.status() == done.status


def test_a_false_proof_is_refused_and_made_by_another_worker(tmp_path: Path) -> None:
    with network(tmp_path, workers=0) as running, Client(running.url, rpc_url=running.rpc_url) as client:
        circuit = client.register(zkey=STEPS / "steps.zkey")
        handle = client.prove(circuit, witness=STEPS / "steps.wtns")
        task = task_of(running, sent_attempt(running, handle.id), circuit)
        liar = LeaseClient(running.url, "liar", "")
        liar.claim(task)
        proof = (STEPS / "proof.json").read_bytes()
        liar.submit(task, Submission.model_validate({"proof": json.loads(proof), "public_inputs": ["1", "2"]}))
        liar.close()
        until(lambda: handle.status().attempts[0].state is AttemptState.REFUSED)
        refused = handle.status()
        assert (refused.verification, leaves_of(running, handle.id)) == (Verification.INVALID, [])
        with WorkerSupervisor(running.worker_settings().to_environment(), tmp_path / "honest.log"):
            done = handle.wait(WAIT_S)
        require_once(running, done, [AttemptState.REFUSED, AttemptState.ACCEPTED])
        assert done.status.attempts[1].worker != "liar"
        cause = done.status.attempts[0].cause
        assert cause is not None
        assert cause.code is CauseCode.INVALID_PROOF


def test_a_redis_that_loses_everything_loses_no_request(tmp_path: Path) -> None:
    with network(tmp_path, workers=0) as running, Client(running.url, rpc_url=running.rpc_url) as client:
        handle = client.prove(client.register(zkey=STEPS / "steps.zkey"), witness=STEPS / "steps.wtns")
        assert sent_attempt(running, handle.id).state is AttemptState.SENT
        with redis.Redis.from_url(running.worker_settings().redis_url) as queue:
            queue.flushall()
        with WorkerSupervisor(running.worker_settings().to_environment(), tmp_path / "worker.log"):
            require_once(running, handle.wait(WAIT_S), [AttemptState.ACCEPTED])


def test_a_network_that_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    with network(tmp_path) as running, Client(running.url, rpc_url=running.rpc_url) as client:
        circuit = client.register(zkey=STEPS / "steps.zkey")
        first = client.prove(circuit, witness=STEPS / "steps.wtns").wait(WAIT_S)
    with network(tmp_path, workers=0) as running, Client(running.url) as client:
        waiting = client.prove(circuit, witness=STEPS / "steps.wtns")
    with network(tmp_path) as running, Client(running.url, rpc_url=running.rpc_url) as client:
        second = client.handle(waiting.id, circuit).wait(WAIT_S)
        assert (first.receipt.batch, second.receipt.batch) == (0, 1)
        assert first.chain_id == second.chain_id
        assert client.handle(first.request_id, circuit).wait(WAIT_S).receipt == first.receipt
    shutil.rmtree(tmp_path / "devnet")  # another chain: another log
    with network(tmp_path) as running, Client(running.url) as client:
        third = client.prove(circuit, witness=STEPS / "steps.wtns").wait(WAIT_S)
        assert (third.receipt.batch, third.is_current_chain) == (0, True)
        assert third.chain_id != first.chain_id
        old = client.handle(first.request_id, circuit).wait(WAIT_S)
        assert (old.receipt, old.is_current_chain) == (first.receipt, False)


UP = """
import pathlib, sys
from proofgrid.config import NetworkConfig
from proofgrid.gateway.up import run_network
config = NetworkConfig(state_folder=pathlib.Path(sys.argv[1]), port=0)
run_network(config, on_ready=lambda network: print(network.url, flush=True))
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_nothing_is_left_running(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    up = subprocess.Popen([sys.executable, "-c", UP, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert up.stdout is not None
    assert up.stdout.readline().startswith("http://127.0.0.1:")
    others = children(up.pid)
    assert len(others) == 3  # Redis, the verifier and the worker
    up.send_signal(sent)
    assert up.wait(WAIT_S) == code
    up.stdout.close()
    until(lambda: not any(is_alive(pid) for pid in others), timeout_s=20)
