"""/v1/leases and /v1/workers: what provers call. A lease's fencing token is its authority.

Provers of other operators sign each call, too: the token says which try, the signature says who.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import FileResponse

from proofgrid.errors import AccessDenied, NotFound
from proofgrid.gateway.services import FencingToken, Serving, fleet
from proofgrid.gateway.signed import Prover
from proofgrid.models import Claim, Failure, Heartbeat, HeartbeatAnswer, Lease, Submission, WorkerPulse
from proofgrid.network import leases, workers

router = APIRouter(tags=["leases"])

AttemptPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
WorkerPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._@-]{1,96}$")]


@router.post("/v1/leases/{attempt_id}/claim")
def claim(attempt_id: AttemptPath, body: Claim, token: FencingToken, prover: Prover, services: Serving) -> Lease:
    """Take the attempt; 409 means drop the task."""
    lease = leases.claim(services.database, services.config, attempt_id, token, body.worker, time.time(), prover)
    services.ring("dispatch")  # there is room in the queue
    return lease


@router.post("/v1/leases/{attempt_id}/heartbeat")
def heartbeat(
    attempt_id: AttemptPath, body: Heartbeat, token: FencingToken, prover: Prover, services: Serving
) -> HeartbeatAnswer:
    """Keep the lease; 409 means it is lost: stop proving."""
    return leases.heartbeat(services.database, services.config, attempt_id, token, body, time.time(), prover)


@router.post("/v1/leases/{attempt_id}/submit", status_code=202)
def submit(attempt_id: AttemptPath, body: Submission, token: FencingToken, prover: Prover, services: Serving) -> None:
    """Hand in a proof for the verifier; the same twice is once."""
    leases.submit(services.database, services.store, attempt_id, token, body, time.time(), prover)
    services.ring("verify")


@router.post("/v1/leases/{attempt_id}/fail", status_code=202)
def fail(attempt_id: AttemptPath, body: Failure, token: FencingToken, prover: Prover, services: Serving) -> None:
    """Give the attempt up, with the reason."""
    leases.fail(services.database, services.config, attempt_id, token, body, time.time(), prover)
    services.ring("dispatch")


@router.get("/v1/leases/{attempt_id}/artifacts/{digest}")
def artifact(
    attempt_id: AttemptPath,
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    token: FencingToken,
    prover: Prover,
    services: Serving,
) -> FileResponse:
    """One of the artifacts that the attempt needs, for a worker on another machine."""
    with services.database.reading() as session:
        allowed = leases.artifacts_of(session, attempt_id, token, prover)
    if digest not in allowed:
        raise NotFound(f"the attempt does not need an artifact {digest}")
    return FileResponse(services.store.path(digest), media_type="application/octet-stream")


@router.post("/v1/workers/{worker}/pulse", status_code=204, dependencies=[Depends(fleet)])
def pulse(worker: WorkerPath, body: WorkerPulse, services: Serving) -> None:
    """A worker of the fleet lives. One with another fleet's key could open no witness and is refused."""
    if body.fleet_key != services.info.fleet_key:
        raise AccessDenied("this worker holds another fleet's key: give it this network's secrets/fleet.key")
    with services.database.writing() as session:
        workers.record_pulse(session, worker, body, time.time())
