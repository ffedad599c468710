"""From the SDK to the receipt, on one running network."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import redis

from proofgrid.client import AsyncClient, Client, Fulfilled
from proofgrid.errors import Conflict, RequestFailed
from proofgrid.gateway.embedded import Network, Station
from proofgrid.models import AttemptState, CauseCode, Fulfilment, Settlement, Verification
from proofgrid.prover.sealing import FleetKey
from tests.e2e.networks import STEPS, VECTORS, WAIT_S, leaves_of, network

INPUTS = json.loads((VECTORS / "steps.json").read_text())
PUBLIC = tuple(int(value) for value in json.loads((STEPS / "public.json").read_text()))


@pytest.fixture(scope="module")
def stations() -> list[Station]:
    return []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, stations: list[Station]) -> Iterator[Network]:
    with network(tmp_path_factory.mktemp("state"), stations=stations) as up:
        yield up


@pytest.fixture
def client(running: Network) -> Iterator[Client]:
    with Client(running.url, rpc_url=running.rpc_url) as connected:
        yield connected


def test_up_means_ready(running: Network, stations: list[Station]) -> None:
    assert [station.component for station in stations] == [
        "database",
        "redis",
        "chain",
        "verifier",
        "gateway",
        "worker",
    ]
    health = httpx.get(running.url + "/v1/health", trust_env=False)
    assert (health.status_code, health.json()["ready"]) == (200, True)


def test_a_first_program(running: Network) -> None:
    with Client(running.url, rpc_url=running.rpc_url) as client:
        circuit = client.register(zkey=STEPS / "steps.zkey", wasm=STEPS / "steps.wasm")
        done = client.prove(circuit, inputs=INPUTS).wait(WAIT_S)
    assert done.public_inputs == PUBLIC
    assert done.on_chain
    status = done.status
    assert (status.fulfilment, status.verification, status.settlement) == (
        Fulfilment.FULFILLED,
        Verification.VALID,
        Settlement.COMMITTED,
    )
    assert [attempt.state for attempt in status.attempts] == [AttemptState.ACCEPTED]
    done.receipt.check(circuit.verifying_key, done.public_inputs, done.proof)


def test_many_at_once_each_get_one_leaf(running: Network) -> None:
    async def journey() -> list[Fulfilled]:
        async with AsyncClient(running.url, rpc_url=running.rpc_url) as client:
            circuit = await client.register(zkey=STEPS / "steps.zkey", wasm=STEPS / "steps.wasm")
            handles = await asyncio.gather(
                *(client.prove(circuit, witness=STEPS / "steps.wtns", idempotency_key=f"many-{i}") for i in range(6))
            )
            again = await client.prove(circuit, witness=STEPS / "steps.wtns", idempotency_key="many-0")
            assert again.id == handles[0].id
            return list(await asyncio.gather(*(handle.wait(WAIT_S) for handle in [*handles, again])))

    done = asyncio.run(journey())
    positions = {(one.receipt.batch, one.receipt.index) for one in done}
    assert len(positions) == len({one.request_id for one in done}) == 6
    assert all(len(leaves_of(running, one.request_id)) == 1 for one in done)


def test_inputs_that_the_circuit_refuses_end_with_its_words(client: Client) -> None:
    circuit = client.register(zkey=STEPS / "steps.zkey", wasm=STEPS / "steps.wasm")
    handle = client.prove(circuit, inputs={**INPUTS, "x": "1000000"})
    with pytest.raises(RequestFailed) as failure:
        handle.wait(WAIT_S)
    assert failure.value.cause == CauseCode.UNSATISFIED_CIRCUIT
    status = handle.status()
    assert (status.fulfilment, len(status.attempts)) == (Fulfilment.UNFULFILLABLE, 1)


def test_inputs_that_are_missing_are_named(client: Client) -> None:
    circuit = client.register(zkey=STEPS / "steps.zkey", wasm=STEPS / "steps.wasm")
    with pytest.raises(RequestFailed) as failure:
        client.prove(circuit, inputs={"x": 1}).wait(WAIT_S)
    assert failure.value.cause == CauseCode.MALFORMED_INPUT


def test_a_false_witness_is_unfulfillable_after_a_second_opinion(client: Client) -> None:
    circuit = client.register(zkey=STEPS / "steps.zkey")
    witness = bytearray((STEPS / "steps.wtns").read_bytes())
    witness[-32] ^= 1
    handle = client.prove(circuit, witness=bytes(witness))
    with pytest.raises(RequestFailed, match="does not satisfy") as failure:
        handle.wait(WAIT_S)
    assert failure.value.cause == CauseCode.UNSATISFIED_CIRCUIT
    causes = [attempt.cause.code for attempt in handle.status().attempts if attempt.cause]
    assert causes == [CauseCode.FALSE_PROOF, CauseCode.FALSE_PROOF]


def test_plain_inputs_are_nowhere_but_in_the_workers_memory(running: Network, client: Client) -> None:
    secret = "1234567890123456789012345678901234567"
    circuit = client.register(zkey=STEPS / "steps.zkey", wasm=STEPS / "steps.wasm")
    with pytest.raises(RequestFailed):
        client.prove(circuit, inputs={**INPUTS, "x": secret}).wait(WAIT_S)
    forms = (secret.encode(), int(secret).to_bytes(16, "little"), int(secret).to_bytes(16, "big"))
    files = [path for path in running.config.state_folder.rglob("*") if path.is_file()]
    assert {"proofgrid.sqlite", "worker-1.log", "redis.log"} <= {path.name for path in files}
    for path in files:
        assert not any(form in path.read_bytes() for form in forms), path
    with redis.Redis.from_url(running.worker_settings().redis_url) as queue:
        for key in queue.keys("*"):
            assert not any(form in (queue.dump(key) or b"") for form in forms)


def test_one_state_folder_has_one_network(running: Network) -> None:
    with pytest.raises(Conflict, match="another network runs"), network(running.config.state_folder):
        pass


def test_secrets_are_the_owners_alone(running: Network) -> None:
    secrets = [*running.secrets_folder.iterdir(), *(running.config.state_folder / "devnet").glob("*.json")]
    assert {path.name for path in secrets} >= {"fleet.key", "worker-token", "worker.json", "committer.json"}
    for path in [*secrets, Path(running.config.state_folder)]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_worker_with_another_fleets_key_is_sent_away(running: Network, tmp_path: Path) -> None:
    FleetKey.load_or_create(tmp_path / "fleet.key")
    settings = replace(running.worker_settings(), fleet_key=tmp_path / "fleet.key")
    command = [sys.executable, "-m", "proofgrid.prover.worker"]
    environment = os.environ | settings.to_environment()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "fleet" in result.stderr
