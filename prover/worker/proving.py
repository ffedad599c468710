"""One task carried out: claim, fetch, unseal, prove, check, submit, or a reason why not."""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from proofgrid.errors import (
    BackendUnavailable,
    Cancelled,
    Conflict,
    InvalidProof,
    MalformedInput,
    NotFound,
    ProofgridError,
    UnsatisfiedCircuit,
)
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.models import Cause, CauseCode, Failure, InputKind, ProveTask, Submission
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.key_cache import KeyCache
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prepared import PreparedKey, prepare_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.sealing import OVERHEAD_BYTES, FleetKey
from proofgrid.prover.worker.heart import Heart
from proofgrid.prover.worker.lease import LeaseClient
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import VerifyingKey

log = logging.getLogger(__name__)

MAX_SEALED_BYTES = (4 << 30) + OVERHEAD_BYTES
KEY_PERCENT = 10
"""Of a task's progress: opening the key, which takes the longest when it is prepared for the first time."""
MAX_KEY_BYTES = 8 << 30
"""What the keys kept open may take; a mapped key's pages are the system's to reclaim."""


class _NoArtifact(ProofgridError):
    """An artifact of the task cannot be had here; another worker may have it."""


@dataclass
class Workbench:
    """What a worker process keeps between tasks: its store, its key, its backend, and the last proving keys."""

    store: ArtifactStore
    fleet_key: FleetKey
    backend: Backend
    leases: LeaseClient
    threads: int = 0
    cache: KeyCache | None = None
    """Where prepared keys outlive this process."""
    keys: OrderedDict[str, tuple[PreparedKey, VerifyingKey]] = field(default_factory=OrderedDict)
    checked: set[str] = field(default_factory=set)
    """Digests of large artifacts that this process has hashed already."""


def carry_out(bench: Workbench, task: ProveTask) -> None:
    """Prove what the task names, under its lease; the coordinator hears how it ended unless the lease was lost.

    An exception that is not ours is reported too, and raised.
    """
    try:
        lease = bench.leases.claim(task)
    except (Conflict, NotFound) as error:
        log.info("attempt %s dropped: %s", task.attempt_id, error)
        return
    control = Control(bench.threads)
    with Heart(bench.leases, task, lease, control) as heart:
        try:
            submission = _prove(bench, task, control)
            control.check()
            bench.leases.submit(task, submission)
            log.info("attempt %s: proof submitted", task.attempt_id)
        except Cancelled:
            if not heart.lost:
                _report(bench, task, _failure(CauseCode.DEADLINE_PASSED, "the deadline passed while proving"))
        except Conflict as error:
            log.warning("attempt %s: the proof came too late: %s", task.attempt_id, error)
        except ProofgridError as error:
            _report(bench, task, failure_of(error))
        except Exception as error:
            _report(bench, task, _failure(CauseCode.PROVER_ERROR, f"the prover broke: {type(error).__name__}"))
            raise


def failure_of(error: ProofgridError) -> Failure:
    """What the coordinator hears of an error; final where no other worker would do better."""
    if isinstance(error, UnsatisfiedCircuit):
        return _failure(CauseCode.UNSATISFIED_CIRCUIT, str(error), final=True)
    if isinstance(error, MalformedInput):
        return _failure(CauseCode.MALFORMED_INPUT, str(error), final=True)
    if isinstance(error, InvalidProof):
        message = "the proof made from this witness is false: the witness does not satisfy the circuit of this key"
        return _failure(CauseCode.FALSE_PROOF, message)
    if isinstance(error, _NoArtifact):
        return _failure(CauseCode.ARTIFACT_UNAVAILABLE, str(error))
    if isinstance(error, BackendUnavailable):
        return _failure(CauseCode.BACKEND_UNAVAILABLE, str(error))
    return _failure(CauseCode.PROVER_ERROR, str(error))


def _failure(code: CauseCode, message: str, *, final: bool = False) -> Failure:
    return Failure(cause=Cause(code=code, message=message[:2000]), final=final)


def _report(bench: Workbench, task: ProveTask, failure: Failure) -> None:
    log.warning("attempt %s failed: %s", task.attempt_id, failure.cause.code)
    try:
        bench.leases.fail(task, failure)
    except ProofgridError as error:
        log.warning("attempt %s: nobody heard of the failure (the reaper will see it): %s", task.attempt_id, error)


def _prove(bench: Workbench, task: ProveTask, control: Control) -> Submission:
    control.expect(100)
    with control.share(KEY_PERCENT) as part:
        prepared, key = _keys(bench, task, part)
    witness = _witness(bench, task, prepared.zkey)
    with control.share(100 - KEY_PERCENT) as part:
        proof, public_inputs = prove(prepared, witness, backend=bench.backend, control=part)
    verify(key, public_inputs, proof, backend=bench.backend)
    return Submission(proof=proof.to_json(), public_inputs=tuple(map(str, public_inputs)))


def _keys(bench: Workbench, task: ProveTask, control: Control) -> tuple[PreparedKey, VerifyingKey]:
    """The task's keys, kept from the last tasks: those used last, as many as fit."""
    digest = task.zkey_digest
    if digest not in bench.keys:
        zkey = read_zkey(_fetch(bench, task, digest))
        key = verifying_key(zkey, backend=bench.backend)
        bench.keys[digest] = _prepared(bench, zkey, digest, control), key
        while len(bench.keys) > 1 and sum(kept.n_bytes for kept, _ in bench.keys.values()) > MAX_KEY_BYTES:
            bench.keys.popitem(last=False)
    bench.keys.move_to_end(digest)
    return bench.keys[digest]


def _prepared(bench: Workbench, zkey: Zkey, digest: str, control: Control) -> PreparedKey:
    if bench.cache is None:
        return prepare_key(zkey, backend=bench.backend, control=control)
    return bench.cache.open(zkey, digest, backend=bench.backend, control=control)


def _witness(bench: Workbench, task: ProveTask, zkey: Zkey) -> Array:
    _fetch(bench, task, task.sealed_digest)
    sealed = bench.store.read(task.sealed_digest, max_bytes=MAX_SEALED_BYTES)
    if task.sealed_key is None:
        plain = bench.fleet_key.unseal(sealed, task.circuit_id, task.input_kind)
    else:
        plain = bench.fleet_key.open(sealed, task.sealed_key, task.circuit_id, task.input_kind)
    if task.input_kind is InputKind.WITNESS:
        wtns = read_wtns(plain)
        if wtns.curve != zkey.curve:
            raise MalformedInput(f"the witness is over {wtns.curve.name}, the circuit's key over {zkey.curve.name}")
        return wtns.values
    if task.wasm_digest is None:
        raise MalformedInput("inputs were sent for a circuit without a wasm; send a witness")
    return _calculate(_fetch(bench, task, task.wasm_digest), plain)


def _calculate(wasm: Path, plain: bytes) -> Array:
    from proofgrid.prover.witness import calculate_witness, decode_inputs  # wasmtime: only where inputs come

    return calculate_witness(wasm, decode_inputs(plain, "the circuit's inputs"))


def _fetch(bench: Workbench, task: ProveTask, digest: str) -> Path:
    """The artifact's file, its digest checked once in this process; downloaded if this machine lacks it."""
    try:
        if not bench.store.exists(digest):
            with bench.leases.artifact(task, digest) as chunks:
                bench.store.put_stream(chunks, expected_digest=digest)
        elif digest not in bench.checked:
            bench.store.verify(digest)
        bench.checked.add(digest)
        return bench.store.path(digest)
    except (MalformedInput, NotFound, OSError) as error:
        raise _NoArtifact(f"artifact {digest[:12]}…: {error}") from error
