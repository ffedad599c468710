"""/v1/batches: what a root commits to, for anyone who watches the chain. No token: the scheme stands on it."""

import threading
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from proofgrid.errors import QueueError
from proofgrid.gateway.services import Serving
from proofgrid.network.evidence import batch_data
from proofgrid.settlement.watcher.documents import encode

router = APIRouter(tags=["batches"])

_AT_ONCE = threading.BoundedSemaphore(2)
"""Reading a batch costs a file for each leaf, and anyone may ask."""


@router.get("/v1/batches/{root}/data", response_class=StreamingResponse)
def data(root: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], services: Serving) -> StreamingResponse:
    """The leaves, public inputs, proofs and verifying keys under a committed root, as JSON lines."""
    if not _AT_ONCE.acquire(blocking=False):
        raise QueueError("others are reading batches: ask again in a moment")
    try:
        with services.database.reading() as session:
            found = batch_data(session, services.store, services.config, root)
    finally:
        _AT_ONCE.release()
    return StreamingResponse(encode(found), media_type="application/jsonl")
