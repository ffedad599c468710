"""Doors for provers: a call signed by the prover's hot key says who calls."""

import time
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from proofgrid.errors import AccessDenied
from proofgrid.gateway.services import Serving
from proofgrid.signed_calls import KEY_HEADER, Call, Signed, check_call


async def signed_call(request: Request, services: Serving) -> Signed:
    """Who signed this call; a call counts once. Raises :class:`~proofgrid.errors.AccessDenied`."""
    path, query = request.url.path, request.url.query
    target = f"{path}?{query}" if query else path
    call = Call(services.info.audience, request.method, target, await request.body())
    signed = check_call(request.headers, call, time.time())
    if not await run_in_threadpool(services.nonces.is_first, signed):
        raise AccessDenied("this signed call was made before; sign each call anew, with a fresh nonce")
    return signed


SignedCall = Annotated[Signed, Depends(signed_call)]


async def signed_if_at_all(request: Request, services: Serving) -> str | None:
    """The key that signed this call; None for a call without a signature. Raises AccessDenied for a wrong one."""
    return (await signed_call(request, services)).key if KEY_HEADER in request.headers else None


Prover = Annotated[str | None, Depends(signed_if_at_all)]
