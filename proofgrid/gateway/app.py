"""The gateway's application: routes, body caps, error answers, and the hosts it answers for."""

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from proofgrid import __version__
from proofgrid.config import LOOPBACK_HOSTS
from proofgrid.gateway import answers
from proofgrid.gateway.bodies import BodyCap
from proofgrid.gateway.origins import SameOrigin
from proofgrid.gateway.routes import (
    artifacts,
    batches,
    challenges,
    circuits,
    leases,
    market,
    operations,
    provers,
    requests,
    service,
    uploads,
)
from proofgrid.gateway.services import Services

ROUTERS = (
    service.router,
    operations.router,
    artifacts.router,
    uploads.router,
    circuits.router,
    requests.router,
    market.router,
    batches.router,
    leases.router,
    challenges.router,
    provers.router,
)


def create_app(services: Services) -> FastAPI:
    """The ASGI application over ``services``."""
    app = FastAPI(title="proofgrid", version=__version__, description="Ask for zk proofs; get them verified.")
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    answers.install(app)
    limits = services.config.limits

    def cap_of(path: str) -> int | None:
        if path.startswith(("/v1/artifacts/", "/v1/uploads/")):
            return None  # the route streams to disk and counts
        if path.startswith("/v1/prover/challenges/"):
            return challenges.MAX_BODY_BYTES
        return limits.max_submission_bytes if path.endswith("/submit") else limits.max_json_bytes

    app.add_middleware(BodyCap, cap_of=cap_of)
    app.add_middleware(SameOrigin)
    if services.config.is_loopback:
        # A web page must not reach a laptop's gateway by a name that its owner points at 127.0.0.1.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*sorted(LOOPBACK_HOSTS), "[::1]"])
    return app
