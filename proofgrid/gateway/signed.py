"""Doors for provers: a call signed by the prover's hot key says who calls."""

import time
from typing import Annotated

from fastapi import Depends, Request

from proofgrid.gateway.services import Serving
from proofgrid.signed_calls import Call, Signed, check_call


async def signed_call(request: Request, services: Serving) -> Signed:
    """Who signed this call. Raises :class:`~proofgrid.errors.AccessDenied`.

    A call may come twice within the time that it is good for: a door that this could harm keeps the nonces.
    """
    path, query = request.url.path, request.url.query
    target = f"{path}?{query}" if query else path
    call = Call(services.info.audience, request.method, target, await request.body())
    return check_call(request.headers, call, time.time())


SignedCall = Annotated[Signed, Depends(signed_call)]
