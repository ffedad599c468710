"""GET /metrics and /v1/live: what an operator's monitoring asks. (/v1/ready answers as /v1/health does.)"""

import time

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from proofgrid.errors import AccessDenied
from proofgrid.gateway.services import Serving
from proofgrid.network import metrics

router = APIRouter(tags=["operations"])


@router.get("/metrics")
def scrape(services: Serving) -> Response:
    """Prometheus metrics; :class:`AccessDenied` off loopback, where there is no operator's token yet."""
    if not services.config.is_loopback:
        raise AccessDenied("metrics are served only by a gateway on a loopback address: scrape from its own machine")
    return Response(metrics.exposition(services.database, time.time()), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/v1/live")
def live() -> dict[str, bool]:
    """The process answers; whether the network works is /v1/ready's to say."""
    return {"live": True}
