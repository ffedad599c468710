"""What a worker does with a task, with its gateway in memory."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from proofgrid.config import Timing
from proofgrid.errors import Cancelled, Conflict, InvalidProof, MalformedInput, QueueError, UnsatisfiedCircuit
from proofgrid.kernels.backend import select
from proofgrid.kernels.control import Control
from proofgrid.models import (
    CauseCode,
    Failure,
    Heartbeat,
    HeartbeatAnswer,
    InputKind,
    Lease,
    ProveTask,
    Submission,
)
from proofgrid.network import leases
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.groth16 import key_cache
from proofgrid.prover.groth16.key_cache import KeyCache
from proofgrid.prover.sealing import FleetKey, envelop, seal
from proofgrid.prover.worker import proving
from proofgrid.prover.worker.proving import Workbench, carry_out, failure_of
from proofgrid.prover.worker.settings import WorkerSettings
from tests.network.world import BN254, MakeWorld, World, true_submission


class MemoryLeases:
    """The lease API without HTTP, over the same functions that the gateway calls."""

    def __init__(self, world: World) -> None:
        self.world, self.worker = world, "worker-1"
        self.submitted: list[Submission] = []
        self.failures: list[Failure] = []
        self.beats: list[float] = []
        self.heartbeat_error: Exception | None = None

    def claim(self, task: ProveTask) -> Lease:
        self.world.now = time.time()
        return self.world.claim(task, self.worker)

    def heartbeat(self, task: ProveTask, progress: float) -> HeartbeatAnswer:
        if self.heartbeat_error is not None:
            raise self.heartbeat_error
        self.beats.append(progress)
        world = self.world
        return leases.heartbeat(
            world.database, world.config, task.attempt_id, task.token, Heartbeat(progress=progress), time.time()
        )

    def submit(self, task: ProveTask, submission: Submission) -> None:
        self.submitted.append(submission)
        self.world.submit(task, submission)

    def fail(self, task: ProveTask, failure: Failure) -> None:
        self.failures.append(failure)
        world = self.world
        leases.fail(world.database, world.config, task.attempt_id, task.token, failure, time.time())

    @contextmanager
    def artifact(self, task: ProveTask, digest: str) -> Iterator[Iterator[bytes]]:
        with self.world.store.open(digest) as file:
            yield iter(lambda: file.read(1000), b"")


@pytest.fixture
def world(make: MakeWorld) -> World:
    world = make(timing=Timing(heartbeat_s=0.02, heartbeat_timeout_s=0.5, batch_age_s=0.0))
    world.now = time.time()
    return world


@pytest.fixture
def bench(world: World, tmp_path: Path) -> Workbench:
    """A worker on another machine: its own store."""
    return Workbench(
        store=ArtifactStore(tmp_path / "worker-store"),
        fleet_key=FleetKey.load_or_create(tmp_path / "fleet.key"),
        backend=select(),
        leases=MemoryLeases(world),  # type: ignore[arg-type]
    )


def task_for(world: World, bench: Workbench, plain: bytes, kind: InputKind = InputKind.WITNESS) -> ProveTask:
    sealed = seal(bench.fleet_key.public.hex(), world.circuit.id, kind, plain)
    world.place(sealed_digest=world.store.put(sealed), input_kind=kind)
    world.dispatch()
    return world.take()


def memory(bench: Workbench) -> MemoryLeases:
    assert isinstance(bench.leases, MemoryLeases)
    return bench.leases


WITNESS = (BN254 / "steps.wtns").read_bytes()
INPUTS = (BN254.parent / "steps.json").read_bytes()


@pytest.mark.parametrize(("kind", "plain"), [(InputKind.WITNESS, WITNESS), (InputKind.INPUTS, INPUTS)])
def test_a_task_becomes_a_submitted_proof(world: World, bench: Workbench, kind: InputKind, plain: bytes) -> None:
    task = task_for(world, bench, plain, kind)
    carry_out(bench, task)
    (submission,) = memory(bench).submitted
    assert submission.public_inputs == true_submission().public_inputs
    assert plain not in b"".join(path.read_bytes() for path in bench.store.folder.rglob("*") if path.is_file())


def test_a_worker_opens_an_envelope_and_one_for_others_fails(world: World, bench: Workbench) -> None:
    own, other = bench.fleet_key.public.hex(), FleetKey(SigningKey(bytes(32))).public.hex()
    sealed = envelop([own, other], world.circuit.id, InputKind.WITNESS, WITNESS)
    world.coordinator.prover = bench.fleet_key.public
    digest = world.store.put(sealed.content)
    for keys in (sealed.keys, sealed.keys | {own: sealed.keys[other]}):
        world.place(sealed_digest=digest, recipients=keys)
        world.dispatch()
        carry_out(bench, world.take())
    assert len(memory(bench).submitted) == 1
    (failure,) = memory(bench).failures
    assert (failure.cause.code, "not sealed to this prover" in failure.cause.message) == (
        CauseCode.MALFORMED_INPUT,
        True,
    )


def test_a_key_is_prepared_once_and_outlives_the_worker(
    world: World, bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept open from task to task, and on the disk for the next process."""
    bench = replace(bench, cache=KeyCache(tmp_path / "prepared"))
    prepared = []
    original = key_cache.prepare_bases
    monkeypatch.setattr(key_cache, "prepare_bases", lambda *a: (prepared.append(a[1]), original(*a))[1])
    opened = []
    monkeypatch.setattr(KeyCache, "open", record(KeyCache.open, opened))
    for _ in range(2):
        carry_out(bench, task_for(world, bench, WITNESS))
    assert (len(prepared), len(opened)) == (5, 1)
    restarted = replace(bench, keys=OrderedDict())
    carry_out(restarted, task_for(world, bench, WITNESS))
    assert (len(prepared), len(opened)) == (5, 2)
    assert len(memory(bench).submitted) == 3


def record(function: Callable[..., Any], calls: list[Any]) -> Callable[..., Any]:
    return lambda *a, **k: (calls.append(a), function(*a, **k))[1]


def test_keys_that_do_not_fit_make_room_for_the_last(
    world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(bench, task_for(world, bench, WITNESS))
    (digest,) = bench.keys
    bench.keys["another"] = bench.keys.pop(digest)
    carry_out(bench, task_for(world, bench, WITNESS))
    assert list(bench.keys) == ["another", digest]
    bench.keys["another"] = bench.keys.pop(digest)
    monkeypatch.setattr(proving, "MAX_KEY_BYTES", bench.keys["another"][0].n_bytes)
    carry_out(bench, task_for(world, bench, WITNESS))
    assert list(bench.keys) == [digest]


def test_settings_travel_by_the_environment(tmp_path: Path) -> None:
    settings = WorkerSettings("redis://x", "http://y", tmp_path, tmp_path / "key", "token")
    for there in (settings, replace(settings, prepared_folder=tmp_path / "p", prepared_bytes=5)):
        assert WorkerSettings.from_environment(there.to_environment()) == there
    with pytest.raises(MalformedInput, match="PREPARED_BYTES"):
        WorkerSettings.from_environment(settings.to_environment() | {"PROOFGRID_WORKER_PREPARED_BYTES": "many"})


def test_a_task_that_is_not_ours_any_more_is_dropped(world: World, bench: Workbench) -> None:
    task = task_for(world, bench, WITNESS)
    world.claim(task, "another")
    carry_out(bench, task)
    assert (memory(bench).submitted, memory(bench).failures) == ([], [])


@pytest.mark.parametrize(
    ("kind", "plain", "code"),
    [
        (InputKind.INPUTS, b"{", CauseCode.MALFORMED_INPUT),
        (InputKind.INPUTS, b"[" * 100_000, CauseCode.MALFORMED_INPUT),
        (InputKind.INPUTS, b"{}", CauseCode.MALFORMED_INPUT),
        (InputKind.WITNESS, b"not a witness", CauseCode.MALFORMED_INPUT),
        (InputKind.WITNESS, WITNESS[:-32], CauseCode.MALFORMED_INPUT),
    ],
)
def test_inputs_that_are_none_end_the_request(
    world: World, bench: Workbench, kind: InputKind, plain: bytes, code: CauseCode
) -> None:
    carry_out(bench, task_for(world, bench, plain, kind))
    (failure,) = memory(bench).failures
    assert (failure.cause.code, failure.final) == (code, True)


def test_a_false_witness_is_noticed_before_anything_is_submitted(world: World, bench: Workbench) -> None:
    changed = bytearray(WITNESS)
    changed[-32] ^= 1  # the last wire
    carry_out(bench, task_for(world, bench, bytes(changed)))
    (failure,) = memory(bench).failures
    assert (failure.cause.code, failure.final) == (CauseCode.FALSE_PROOF, False)
    assert memory(bench).submitted == []


def test_an_artifact_that_cannot_be_had_is_left_to_another_worker(world: World, bench: Workbench) -> None:
    task = task_for(world, bench, WITNESS)
    world.store.delete(task.zkey_digest)
    carry_out(bench, task)
    (failure,) = memory(bench).failures
    assert (failure.cause.code, failure.final) == (CauseCode.ARTIFACT_UNAVAILABLE, False)


def test_a_stored_artifact_with_other_bytes_is_not_used(world: World, bench: Workbench) -> None:
    task = task_for(world, bench, WITNESS)
    bench.store.put((BN254 / "steps.zkey").read_bytes())
    bench.store.path(task.zkey_digest).write_bytes(b"other")
    carry_out(bench, task)
    assert memory(bench).failures[0].cause.code is CauseCode.ARTIFACT_UNAVAILABLE


def stuck(monkeypatch: pytest.MonkeyPatch, on_start: Callable[[], None] = lambda: None) -> threading.Event:
    """A proof that goes on until it is cancelled; the event says that it was."""
    cancelled = threading.Event()

    def prove_for_ever(zkey: Any, witness: Any, *, backend: Any, control: Control) -> Any:
        on_start()
        for _ in range(500):
            time.sleep(0.01)
            try:
                control.check()
            except Cancelled:
                cancelled.set()
                raise
        raise AssertionError("nobody cancelled the proof")

    monkeypatch.setattr(proving, "prove", prove_for_ever)
    return cancelled


@pytest.mark.parametrize("error", [Conflict("the lease is lost"), QueueError("away for longer than the lease lasts")])
def test_a_lost_lease_stops_the_proof_in_silence(
    world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def lose() -> None:
        memory(bench).heartbeat_error = error

    cancelled = stuck(monkeypatch, on_start=lose)
    started = time.monotonic()
    carry_out(bench, task_for(world, bench, WITNESS))
    assert cancelled.is_set()
    assert (memory(bench).submitted, memory(bench).failures) == ([], [])
    if isinstance(error, QueueError):
        assert time.monotonic() - started >= world.config.timing.heartbeat_timeout_s


def test_the_deadline_stops_the_proof(world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = stuck(monkeypatch)
    sealed = seal(bench.fleet_key.public.hex(), world.circuit.id, InputKind.WITNESS, WITNESS)
    world.place(sealed_digest=world.store.put(sealed), deadline_s=2.0)
    world.dispatch()
    carry_out(bench, world.take())
    assert cancelled.is_set()
    assert memory(bench).failures[0].cause.code is CauseCode.DEADLINE_PASSED


def test_it_beats_while_it_proves(world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    prove: Callable[..., Any] = proving.prove
    monkeypatch.setattr(proving, "prove", lambda *a, **k: (time.sleep(0.2), prove(*a, **k))[1])
    carry_out(bench, task_for(world, bench, WITNESS))
    assert len(memory(bench).beats) > 3
    assert len(memory(bench).submitted) == 1


def test_a_defect_is_reported_and_raised(world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> Any:
        raise ZeroDivisionError("with a witness value 42 in it")

    monkeypatch.setattr(proving, "prove", broken)
    with pytest.raises(ZeroDivisionError):
        carry_out(bench, task_for(world, bench, WITNESS))
    (failure,) = memory(bench).failures
    assert (failure.cause.code, failure.final) == (CauseCode.PROVER_ERROR, False)
    assert "42" not in failure.cause.message


@pytest.mark.parametrize(
    ("error", "code", "final"),
    [
        (UnsatisfiedCircuit("assert"), CauseCode.UNSATISFIED_CIRCUIT, True),
        (MalformedInput("bytes"), CauseCode.MALFORMED_INPUT, True),
        (InvalidProof("false"), CauseCode.FALSE_PROOF, False),
        (QueueError("away"), CauseCode.PROVER_ERROR, False),
    ],
)
def test_each_error_has_its_cause(error: Any, code: CauseCode, final: bool) -> None:
    failure = failure_of(error)
    assert (failure.cause.code, failure.final) == (code, final)
