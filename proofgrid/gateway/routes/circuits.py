"""/v1/circuits: register once, prove many times."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from proofgrid.gateway.services import Serving, requester
from proofgrid.models import CircuitInfo, CircuitRegistration
from proofgrid.network import circuits
from proofgrid.network.requests import require_uploaded

router = APIRouter(tags=["circuits"], dependencies=[Depends(requester)])


@router.post("/v1/circuits", status_code=201)
def register(registration: CircuitRegistration, services: Serving) -> CircuitInfo:
    """Parse and check the uploaded key (one pass over it) and register the circuit."""
    circuit_id = circuits.circuit_id(registration.zkey_digest, registration.wasm_digest)
    with services.database.reading() as session:
        known = circuits.lookup(session, circuit_id)
    if known is not None and known.domain_size:
        return known
    info = circuits.inspect(services.store, registration)
    with services.database.writing() as session:
        for digest in (registration.zkey_digest, registration.wasm_digest):
            if digest is not None:
                require_uploaded(session, services.store, digest)
        circuits.save(session, info, time.time())
    return info


@router.get("/v1/circuits/{circuit_id}")
def read(circuit_id: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], services: Serving) -> CircuitInfo:
    with services.database.reading() as session:
        return circuits.find(session, circuit_id)
