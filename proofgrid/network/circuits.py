"""Circuits: their artifacts are parsed and checked before anyone may ask for a proof of them."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from proofgrid.errors import MalformedInput, NotFound
from proofgrid.kernels.backend import Backend
from proofgrid.models import CircuitInfo, CircuitRegistration
from proofgrid.network.database import CircuitRow
from proofgrid.network.locks import lock
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.settlement.registry import require_registrable

_ID_TAG = b"proofgrid.circuit.v1"
_WASM_MAGIC = b"\0asm\x01\0\0\0"


def circuit_id(zkey_digest: str, wasm_digest: str | None) -> str:
    """SHA-256 of tag | zkey digest | wasm digest (zeros if none), hex: equal artifacts are one circuit.

    So nobody can bind another wasm to somebody's key.
    """
    wasm = bytes(32) if wasm_digest is None else bytes.fromhex(wasm_digest)
    return hashlib.sha256(_ID_TAG + bytes.fromhex(zkey_digest) + wasm).hexdigest()


@dataclass(frozen=True)
class KeyFacts:
    """What a proving key says of its circuit; the verifying key is snarkjs' JSON."""

    curve: str
    n_public: int
    domain_size: int
    verifying_key_digest: str
    verifying_key: dict[str, Any]


def read_key(source: Path | memoryview, *, backend: Backend | None = None) -> KeyFacts:
    """Check a proving key, in this process. Cost: one pass over the file.

    Raises :class:`MalformedInput`, also for a key that the chain cannot judge proofs under.
    """
    zkey = read_zkey(source)
    zkey.check()
    key = verifying_key(zkey, backend=backend)
    require_registrable(key)  # before any work: a proof that cannot be settled is worth nothing here
    return KeyFacts(zkey.curve.name, zkey.n_public, zkey.domain_size, key.digest().hex(), key.to_json())


def inspect(
    store: ArtifactStore, registration: CircuitRegistration, read: Callable[[Path], KeyFacts] = read_key
) -> CircuitInfo:
    """What a circuit is, read from its stored artifacts; no database.

    Raises :class:`NotFound` for what was not uploaded, :class:`MalformedInput`, and whatever ``read`` does.
    """
    facts = read(store.path(registration.zkey_digest))
    if registration.wasm_digest is not None:
        with store.open(registration.wasm_digest) as file:
            if file.read(len(_WASM_MAGIC)) != _WASM_MAGIC:
                raise MalformedInput("the circuit's wasm does not begin as a WebAssembly module (version 1) does")
    return CircuitInfo(
        id=circuit_id(registration.zkey_digest, registration.wasm_digest),
        **registration.model_dump(),
        **asdict(facts),
    )


def save(session: Session, circuit: CircuitInfo, now: float) -> None:
    """Register an inspected circuit; once is enough, twice is the same."""
    lock(session, f"circuit {circuit.id}")
    row = session.get(CircuitRow, circuit.id)
    if row is None:
        session.add(CircuitRow(**circuit.model_dump(), created_at=now))
    elif not row.domain_size:
        row.domain_size = circuit.domain_size


def find(session: Session, identity: str) -> CircuitInfo:
    """Raises :class:`NotFound`."""
    info = lookup(session, identity)
    if info is None:
        raise NotFound(f"no circuit is registered as {identity}; register its zkey first")
    return info


def lookup(session: Session, identity: str) -> CircuitInfo | None:
    row = session.get(CircuitRow, identity)
    return None if row is None else CircuitInfo(**{name: getattr(row, name) for name in CircuitInfo.model_fields})
