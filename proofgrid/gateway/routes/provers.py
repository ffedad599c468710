"""/v1/provers and /v1/prover/work: other operators' provers register, fetch what they were assigned, and leave."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool

from proofgrid.gateway.services import Serving
from proofgrid.gateway.signed import SignedCall
from proofgrid.models.provers import Provers, ProverView, Registration, Work, WorkCall
from proofgrid.network import provers

router = APIRouter(tags=["provers"])

KeyPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_POLL_S = (0.1, 1.0)


@router.post("/v1/provers")
def register(body: Registration, caller: SignedCall, services: Serving) -> ProverView:
    """Register the caller's key; again is an update. Work comes only to whom admission and the market let in."""
    with services.database.writing() as session:
        return provers.register(session, caller.key, body, time.time())


@router.get("/v1/provers")
def listed(
    services: Serving,
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Provers:
    """The registered provers, a page at a time."""
    with services.database.reading() as session:
        found = provers.listed(session, after, limit)
    return Provers(provers=found, next_after=found[-1].key if len(found) == limit else None)


@router.get("/v1/provers/{key}")
def view(key: KeyPath, services: Serving) -> ProverView:
    """What one prover says of itself, and when it was last heard of."""
    with services.database.reading() as session:
        return provers.view(session, key)


@router.post("/v1/prover/leave")
def leave(caller: SignedCall, services: Serving) -> ProverView:
    """Get no new work; what is at hand may be finished. Registering again comes back."""
    with services.database.writing() as session:
        return provers.leave(session, caller.key, time.time())


@router.post("/v1/prover/work")
async def work(body: WorkCall, caller: SignedCall, services: Serving) -> Work:
    """The caller's assigned attempts that it does not hold; the answer comes with the first, or after ``wait_s``."""
    await run_in_threadpool(provers.seen, services.database, caller.key, time.time())
    ends_at = time.monotonic() + min(body.wait_s, services.config.limits.max_wait_s)
    held, pause_s = frozenset(body.held), _POLL_S[0]
    while True:
        tasks = await run_in_threadpool(provers.work, services.database, caller.key, held, body.slots, time.time())
        if tasks or time.monotonic() + pause_s >= ends_at:
            return Work(tasks=tasks)
        await asyncio.sleep(pause_s)
        pause_s = min(1.5 * pause_s, _POLL_S[1])
