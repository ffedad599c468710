"""Keeps web pages of other places from writing here.

A page may send a POST to 127.0.0.1 without asking first, if the request looks like a form's; its browser names the
page's origin. Programs name none.
"""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from proofgrid.errors import AccessDenied
from proofgrid.gateway.answers import answer_error

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """Refuses to write for a page that this very address did not serve."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _READING:
            headers = dict(scope["headers"])
            origin = headers.get(b"origin")
            if origin is not None and not _is_of(origin.decode("latin-1"), headers.get(b"host", b"").decode("latin-1")):
                refusal = AccessDenied("the header Origin names a web page of another place; it may not write here")
                await answer_error(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_of(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False
