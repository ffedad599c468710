"""Calls of the gateway as flows: retries, and answers as messages or errors."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from proofgrid.client.effects import Call, Flow, Reply, Sleep, Work
from proofgrid.errors import MalformedInput, ProofgridError, QueueError
from proofgrid.models import error_of_answer
from proofgrid.prover.artifacts import hash_file

PATIENCE_S = 3.0
UPLOAD_TIMEOUT_S = 600.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.1, 5.0

WHOLE_BYTES = 8 << 20
"""A file up to it is sent in one call."""
PIECE_BYTES = 8 << 20
UPLOAD_PATIENCE_S = 60.0
OnUpload = Callable[[int, int], None]
_TUS = {"Tus-Resumable": "1.0.0"}
_OCTETS = "application/offset+octet-stream"

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


def upload_file(path: Path, on_upload: OnUpload | None = None) -> Flow[str]:
    """Make the network have this file; its digest. Nothing is sent that it has already.

    A file above ``WHOLE_BYTES`` goes in pieces: a broken connection costs one, and a later call goes on where this one
    ended. ``on_upload`` hears of each piece: bytes that are there, bytes of the file.
    """
    digest: str = yield Work(lambda: hash_file(path))
    size: int = yield Work(lambda: path.stat().st_size)
    if size <= WHOLE_BYTES:
        yield from _upload(digest, Call("POST", "", file=path))
    else:
        yield from _upload_pieces(path, digest, size, on_upload or _tell_nobody)
    return digest


def _upload_pieces(path: Path, digest: str, size: int, on_upload: OnUpload) -> Flow[None]:
    offset, place = yield from _begin(digest, size)
    waited_s, pause_s = 0.0, FIRST_PAUSE_S
    while offset < size:
        on_upload(offset, size)
        piece: bytes = yield Work(partial(_piece, path, offset))
        if not piece:
            raise MalformedInput(f"{path} became shorter while it was sent; leave it as it is and try again")
        headers = _TUS | {"Upload-Offset": str(offset)}
        sent: Reply = yield Call("PATCH", place, piece, None, _OCTETS, timeout_s=UPLOAD_TIMEOUT_S, headers=headers)
        if sent.trouble is None and sent.status == 204:
            offset, waited_s, pause_s = _offset(sent), 0.0, FIRST_PAUSE_S
            continue
        if sent.trouble is None and sent.status not in (404, 409):  # an earlier connection finished it, or holds it
            error = error_of_answer(sent.status, sent.body)
            if not error.retryable:
                raise error
        if waited_s > UPLOAD_PATIENCE_S:
            raise QueueError(f"the upload broke off at {offset} of {size} bytes; the same call goes on there")
        yield Sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, LAST_PAUSE_S)
        # Begun again, not asked for: the piece that made it whole may have arrived, and its answer been lost.
        offset, place = yield from _begin(digest, size)
    on_upload(size, size)


def _begin(digest: str, size: int) -> Flow[tuple[int, str]]:
    """The offset and the path of an upload; the offset is ``size`` if the network has these bytes."""
    named = {"Upload-Length": str(size), "Upload-Metadata": f"sha256 {b64encode(digest.encode()).decode()}"}
    begun = yield from exchange(Call("POST", "/v1/uploads", headers=_TUS | named), patience_s=UPLOAD_PATIENCE_S)
    offset, place = _offset(begun), begun.headers.get("location", "")
    if offset < size and not place.startswith("/v1/uploads/"):  # nowhere else: the call carries the token
        raise QueueError("what answered does not take uploads in pieces; check the URL and the versions of both")
    return offset, place


def _piece(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE_BYTES)


def _offset(reply: Reply) -> int:
    text = reply.headers.get("upload-offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise QueueError("what answered does not take uploads in pieces; check the URL and the versions of both")
    return int(text)


def _tell_nobody(sent: int, size: int) -> None:
    """Without a listener."""


def upload_bytes(content: bytes, digest: str) -> Flow[None]:
    yield from _upload(digest, Call("POST", "", content))


def _upload(digest: str, call: Call) -> Flow[None]:
    path = f"/v1/artifacts/{digest}"
    found = yield from exchange(Call("HEAD", path), expected=frozenset({404}))
    if found.status == 404:
        octets = replace(call, url=path, content_type="application/octet-stream", timeout_s=UPLOAD_TIMEOUT_S)
        yield from exchange(octets)
