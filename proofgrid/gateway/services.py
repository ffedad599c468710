"""What the routes work on, and who may use them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Header, Request

from proofgrid.config import NetworkConfig
from proofgrid.errors import AccessDenied, MalformedInput
from proofgrid.gateway.admissions import Admissions
from proofgrid.gateway.nonces import MemoryNonces, Nonces
from proofgrid.models import NetworkInfo
from proofgrid.network.admission.examiner import Examiner
from proofgrid.network.database import Database
from proofgrid.prover.artifacts import ArtifactStore


def _ring_nobody(loop: str) -> None:
    """Loops in other processes find their work at their next tick."""


@dataclass(frozen=True)
class Services:
    """One gateway's dependencies. ``api_token`` None lets every caller in: only for a loopback address."""

    database: Database
    store: ArtifactStore
    config: NetworkConfig
    info: NetworkInfo
    worker_token: str = field(repr=False)
    api_token: str | None = field(default=None, repr=False)
    ring: Callable[[str], None] = _ring_nobody
    examiner: Examiner | None = None
    nonces: Nonces = field(default_factory=MemoryNonces, repr=False)
    admissions: Admissions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        admissions = Admissions(self.database, self.store, self.config.ask_lamports)
        object.__setattr__(self, "admissions", admissions)


async def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


# Coroutines: a plain function would be another turn in the pool of threads for each request.
Serving = Annotated[Services, Depends(services_of)]


async def requester(services: Serving, authorization: Annotated[str | None, Header()] = None) -> str:
    """Who asks: the name under which requests and idempotency keys are kept."""
    if services.api_token is None:
        return "local"
    _require_token(services.api_token, authorization, "the API token (file api-token in the network's state folder)")
    return "token"


async def fleet(services: Serving, authorization: Annotated[str | None, Header()] = None) -> None:
    """A worker of this operator's fleet."""
    _require_token(services.worker_token, authorization, "the worker token")


async def fencing_token(fencing_token: Annotated[str | None, Header()] = None) -> str:
    """The token of a lease; the lease API compares it with the attempt's."""
    if fencing_token is None or not 0 < len(fencing_token) <= 128 or not fencing_token.isascii():
        raise MalformedInput("the lease API wants the attempt's token in the header Fencing-Token")
    return fencing_token


def _require_token(expected: str, authorization: str | None, what: str) -> None:
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), expected.encode()):
        raise AccessDenied(f"this door wants {what} as: Authorization: Bearer …")


Requester = Annotated[str, Depends(requester)]
FencingToken = Annotated[str, Depends(fencing_token)]
