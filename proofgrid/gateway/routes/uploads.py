"""/v1/uploads: large artifacts in pieces, in the manner of tus 1.0 (core, creation, termination, expiration)."""

import base64
import binascii
import re
import time
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from proofgrid.errors import MalformedInput
from proofgrid.gateway.services import Requester, Services, Serving
from proofgrid.network.uploads import Upload, Uploads

router = APIRouter(tags=["artifacts"])

VERSION = "1.0.0"
OCTETS = "application/offset+octet-stream"
UploadPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_NUMBER = re.compile(r"[0-9]{1,15}")


@router.post("/v1/uploads", status_code=201)
def begin(
    who: Requester,
    services: Serving,
    upload_length: Annotated[str, Header()],
    upload_metadata: Annotated[str, Header(max_length=512)],
) -> Response:
    """Begin, or find again, the upload of ``Upload-Length`` bytes with the ``sha256`` that ``Upload-Metadata`` names.

    If the answer's ``Upload-Offset`` is the whole length, the network has the artifact and nothing is to be sent.
    """
    upload = _uploads(services).begin(
        who, _digest(upload_metadata), _number("Upload-Length", upload_length), time.time()
    )
    headers = _headers(upload)
    if upload.id:
        headers["Location"] = f"/v1/uploads/{upload.id}"
    return Response(status_code=201, headers=headers)


@router.head("/v1/uploads/{identity}")
def offset(identity: UploadPath, who: Requester, services: Serving) -> Response:
    """How many bytes are here: where to go on."""
    return Response(headers=_headers(_uploads(services).find(identity, who)))


@router.patch("/v1/uploads/{identity}", status_code=204)
async def append(
    identity: UploadPath,
    who: Requester,
    services: Serving,
    request: Request,
    upload_offset: Annotated[str, Header()],
    content_type: Annotated[str, Header()],
) -> Response:
    """Send what follows ``Upload-Offset``; the piece that makes it whole is answered after the digest was checked."""
    if content_type != OCTETS:
        raise MalformedInput(f"a piece of an upload has Content-Type {OCTETS}")
    uploads, number = _uploads(services), _number("Upload-Offset", upload_offset)
    with uploads.appending(identity, who, number) as appender:
        async for piece in request.stream():
            appender.write(piece)
    await run_in_threadpool(uploads.finish, identity, who, time.time())
    return Response(status_code=204, headers={"Tus-Resumable": VERSION, "Upload-Offset": str(appender.offset)})


@router.delete("/v1/uploads/{identity}", status_code=204)
def end(identity: UploadPath, who: Requester, services: Serving) -> Response:
    """Give an upload up."""
    _uploads(services).end(identity, who)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


def _uploads(services: Services) -> Uploads:
    return Uploads(services.database, services.store, services.config)


def _headers(upload: Upload) -> dict[str, str]:
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.size),
        "Cache-Control": "no-store",
    }


def _number(name: str, text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise MalformedInput(f"{name} is a number of bytes")
    return int(text)


def _digest(metadata: str) -> str:
    """tus: pairs of a key and a value in base64, separated by commas."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "sha256":
            try:
                return base64.b64decode(value, validate=True).decode("ascii")
            except (binascii.Error, UnicodeDecodeError):
                break
    raise MalformedInput("Upload-Metadata needs: sha256 <the 64 hex digits of the file's SHA-256, in base64>")
