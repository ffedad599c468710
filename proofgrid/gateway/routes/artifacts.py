"""/v1/artifacts: bytes named by their SHA-256; ask first, send once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from proofgrid.errors import NotFound
from proofgrid.gateway.services import Serving, requester

router = APIRouter(tags=["artifacts"], dependencies=[Depends(requester)])

DigestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.head("/v1/artifacts/{digest}", status_code=204)
def has(digest: DigestPath, services: Serving) -> Response:
    """204 if the network has these bytes already, 404 if not."""
    if not services.store.exists(digest):
        raise NotFound(f"no artifact is named {digest}")
    return Response(status_code=204)


@router.post("/v1/artifacts/{digest}", status_code=201)
async def upload(digest: DigestPath, request: Request, services: Serving) -> dict[str, str]:
    """Store the body under its SHA-256; the body streams to disk and must hash to its name."""
    with services.store.writer(services.config.limits.max_artifact_bytes) as writer:
        async for chunk in request.stream():
            writer.write(chunk)
        return {"digest": await run_in_threadpool(writer.commit, digest)}
