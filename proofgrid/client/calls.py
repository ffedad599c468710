"""Calls of the gateway as flows: retries, and answers as messages or errors."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from proofgrid.client.effects import Call, Flow, Reply, Sleep, Work
from proofgrid.errors import ProofgridError, QueueError
from proofgrid.models import error_of_answer
from proofgrid.prover.artifacts import hash_file

PATIENCE_S = 3.0
UPLOAD_TIMEOUT_S = 600.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.1, 5.0

Model = TypeVar("Model", bound=BaseModel)


def exchange(call: Call, *, patience_s: float = PATIENCE_S, expected: frozenset[int] = frozenset()) -> Flow[Reply]:
    """The reply. Trouble on the way and retryable refusals are tried again, each pause twice the last.

    After ``patience_s`` of pauses raises what came last; a gateway that cannot be reached is :class:`QueueError`.
    Statuses in ``expected`` are answers, not errors.
    """
    waited_s, pause_s = 0.0, FIRST_PAUSE_S
    while True:
        reply: Reply = yield call
        if reply.trouble is None and (200 <= reply.status < 300 or reply.status in expected):
            return reply
        error: ProofgridError = (
            error_of_answer(reply.status, reply.body)
            if reply.trouble is None
            else QueueError(f"the network's gateway cannot be reached ({reply.trouble}); is `proofgrid up` running?")
        )
        if not error.retryable or waited_s + pause_s > patience_s:
            raise error
        yield Sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, LAST_PAUSE_S)


def get(
    path: str,
    kind: type[Model],
    *,
    params: dict[str, str] | None = None,
    timeout_s: float = 30.0,
    patience_s: float = PATIENCE_S,
) -> Flow[Model]:
    reply = yield from exchange(Call("GET", path, params=params or {}, timeout_s=timeout_s), patience_s=patience_s)
    return parse(kind, reply.body)


def post(path: str, message: BaseModel, kind: type[Model], *, timeout_s: float = 30.0) -> Flow[Model]:
    reply = yield from exchange(Call("POST", path, message.model_dump_json().encode(), timeout_s=timeout_s))
    return parse(kind, reply.body)


def parse(kind: type[Model], body: bytes) -> Model:
    """The message; a body that is none is :class:`QueueError`: somebody else answers at this address."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise QueueError(
            f"what answered is not a gateway that this SDK understands (expected a {kind.__name__}); check the URL "
            "and the versions of both"
        ) from error


def upload_file(path: Path) -> Flow[str]:
    """Make the network have this file; its digest. Nothing is sent that it has already."""
    digest: str = yield Work(lambda: hash_file(path))
    yield from _upload(digest, Call("POST", "", file=path))
    return digest


def upload_bytes(content: bytes, digest: str) -> Flow[None]:
    yield from _upload(digest, Call("POST", "", content))


def _upload(digest: str, call: Call) -> Flow[None]:
    path = f"/v1/artifacts/{digest}"
    found = yield from exchange(Call("HEAD", path), expected=frozenset({404}))
    if found.status == 404:
        octets = replace(call, url=path, content_type="application/octet-stream", timeout_s=UPLOAD_TIMEOUT_S)
        yield from exchange(octets)
