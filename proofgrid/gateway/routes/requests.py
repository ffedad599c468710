"""/v1/requests: ask for a proof, watch it, cancel it, fetch it and its receipt."""

import asyncio
import json
import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from proofgrid.gateway.services import Requester, Services, Serving
from proofgrid.models import Fulfilment, ProofAnswer, ProofRequest, ReceiptAnswer, RequestStatus, Settlement
from proofgrid.network import requests, results

router = APIRouter(tags=["requests"])

RequestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_POLL_S = (0.05, 0.25)


@router.post("/v1/requests", status_code=201, response_model=RequestStatus)
async def place(body: ProofRequest, who: Requester, services: Serving) -> Response:
    """Ask for one proof; the same idempotency key again is the same request."""
    status = await services.admissions.place(who, body)
    services.ring("dispatch")
    return _answer(status, 201)


@router.get("/v1/requests/{request_id}", response_model=RequestStatus)
async def read(
    request_id: RequestPath, who: Requester, services: Serving, wait: Annotated[float, Query(ge=0, le=3600)] = 0.0
) -> Response:
    """How the request stands; with ``wait`` the answer comes when it has ended, or after so many seconds."""
    ends_at = time.monotonic() + min(wait, services.config.limits.max_wait_s)
    pause_s = _POLL_S[0]
    while True:
        status = await _read(services, request_id, who)
        if _has_ended(status) or time.monotonic() + pause_s >= ends_at:
            return _answer(status, 200)
        await asyncio.sleep(pause_s)
        pause_s = min(1.5 * pause_s, _POLL_S[1])


@router.delete("/v1/requests/{request_id}")
def cancel(request_id: RequestPath, who: Requester, services: Serving) -> RequestStatus:
    """Cancel before a worker claims it; 409 afterwards."""
    with services.database.writing() as session:
        requests.cancel(session, request_id, who, time.time())
    return _status(services, request_id, who)


@router.get("/v1/requests/{request_id}/proof")
def proof(request_id: RequestPath, who: Requester, services: Serving) -> ProofAnswer:
    """The verified proof; 409 while there is none."""
    with services.database.reading() as session:
        return results.proof(session, services.store, services.config, request_id, who)


@router.get("/v1/requests/{request_id}/receipt")
def receipt(request_id: RequestPath, who: Requester, services: Serving) -> ReceiptAnswer:
    """The receipt; 409 while the proof's batch is not on chain."""
    with services.database.reading() as session:
        found = results.receipt(session, request_id, who)
    return ReceiptAnswer(
        receipt=json.loads(found.document),
        chain_id=found.chain_id,
        is_current_chain=found.is_current_chain,
    )


async def _read(services: Services, request_id: str, who: str) -> RequestStatus:
    """How the request stands. Reading a local file waits for no writer and costs less than another thread would."""
    if services.database.is_local:
        return _status(services, request_id, who)
    return await run_in_threadpool(_status, services, request_id, who)


def _answer(status: RequestStatus, code: int) -> Response:
    """Written at once: the message is checked already."""
    return Response(status.model_dump_json(), code, media_type="application/json")


def _status(services: Services, request_id: str, who: str) -> RequestStatus:
    with services.database.reading() as session:
        return requests.status(session, request_id, who)


def _has_ended(status: RequestStatus) -> bool:
    if status.fulfilment is Fulfilment.FULFILLED:
        return status.settlement is not Settlement.UNSETTLED
    return status.fulfilment.is_terminal
