"""/v1/artifacts: bytes named by their SHA-256; ask first, send once."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from proofgrid.errors import NotFound
from proofgrid.gateway.services import Requester, Services, Serving, requester
from proofgrid.network import holdings
from proofgrid.prover.artifacts import ArtifactWriter

router = APIRouter(tags=["artifacts"], dependencies=[Depends(requester)])

DigestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.head("/v1/artifacts/{digest}", status_code=204)
def has(digest: DigestPath, services: Serving) -> Response:
    """204 if the network has these bytes already, 404 if not."""
    if not services.store.exists(digest):
        raise NotFound(f"no artifact is named {digest}")
    holdings.touch(services.database, digest, time.time())
    return Response(status_code=204)


@router.post("/v1/artifacts/{digest}", status_code=201)
async def upload(digest: DigestPath, who: Requester, request: Request, services: Serving) -> dict[str, str]:
    """Store the body under its SHA-256; the body streams to disk and must hash to its name."""
    await run_in_threadpool(_require_room, services, who, request.headers.get("content-length", ""))
    with services.store.writer(services.config.limits.max_artifact_bytes) as writer:
        async for chunk in request.stream():
            writer.write(chunk)
        await run_in_threadpool(_keep, services, who, writer, digest)
    return {"digest": digest}


def _require_room(services: Services, who: str, announced: str) -> None:
    """Uploads at once may pass the quota together; the next is refused."""
    limits = services.config.limits
    size = int(announced) if announced.isdigit() and len(announced) < 16 else limits.max_artifact_bytes
    with services.database.reading() as session:
        holdings.require_room(session, who, size, limits)


def _keep(services: Services, who: str, writer: ArtifactWriter, digest: str) -> None:
    now = time.time()
    holdings.touch(services.database, digest, now)  # if an old one is about to be swept away
    writer.commit(digest)
    with services.database.writing() as session:
        holdings.charge(session, digest, writer.size, who, now)
