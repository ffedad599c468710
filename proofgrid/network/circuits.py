"""Circuits: their artifacts are parsed and checked before anyone may ask for a proof of them."""

import hashlib

from sqlalchemy.orm import Session

from proofgrid.errors import MalformedInput, NotFound
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


def inspect(store: ArtifactStore, registration: CircuitRegistration) -> CircuitInfo:
    """What a circuit is, read from its stored artifacts; no database.

    Cost: one pass over the zkey. Raises :class:`NotFound` for what was not uploaded, :class:`MalformedInput`, also for
    a key that the chain cannot judge proofs under.
    """
    zkey = read_zkey(store.path(registration.zkey_digest))
    zkey.check()
    key = verifying_key(zkey)
    require_registrable(key)  # before any work: a proof that cannot be settled is worth nothing here
    if registration.wasm_digest is not None:
        with store.open(registration.wasm_digest) as file:
            if file.read(len(_WASM_MAGIC)) != _WASM_MAGIC:
                raise MalformedInput("the circuit's wasm does not begin as a WebAssembly module (version 1) does")
    return CircuitInfo(
        id=circuit_id(registration.zkey_digest, registration.wasm_digest),
        name=registration.name,
        zkey_digest=registration.zkey_digest,
        wasm_digest=registration.wasm_digest,
        curve=zkey.curve.name,
        n_public=zkey.n_public,
        domain_size=zkey.domain_size,
        verifying_key_digest=key.digest().hex(),
        verifying_key=key.to_json(),
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
