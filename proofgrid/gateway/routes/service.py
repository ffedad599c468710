"""GET /v1/health and /v1/network: does it work, and what must a requester know."""

import time

from fastapi import APIRouter, Response

from proofgrid.gateway.services import Serving
from proofgrid.models import Health, NetworkInfo
from proofgrid.network.coordinator import components

router = APIRouter(tags=["service"])


@router.get("/v1/ready", responses={503: {"model": Health}})
@router.get("/v1/health", responses={503: {"model": Health}})
def health(services: Serving, response: Response) -> Health:
    """Ready (200) or not (503), by what each part last did."""
    with services.database.reading() as session:
        found = components(session, services.config, time.time())
    ready = all(component.ready for component in found)
    response.status_code = 200 if ready else 503
    return Health(ready=ready, components=tuple(found))


@router.get("/v1/network")
def network(services: Serving) -> NetworkInfo:
    """The program, the committer, the fleet's key, the ask and the limits."""
    return services.info
