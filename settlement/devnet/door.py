"""Who may knock: a page in the user's browser must not drive the devnet unless it was allowed to.

A page reaches the loopback interface in two ways. With a name of its own that it points to 127.0.0.1 (DNS rebinding)
it is same-origin, but the Host header has that name: only loopback names and the hosts allowed are answered. As a
foreign origin it may still POST, and open WebSockets, whose answers CORS would only hide: a request that carries an
Origin is answered only when that is a loopback one (an application being developed) or allowed. Programs send none.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANY = "*"
_POLICY_VIOLATION = 1008

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """An ASGI application that answers 403 to whom it does not know. ``*`` among hosts or origins allows all."""

    def __init__(self, app: App, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts, self._origins = LOOPBACK | set(hosts), frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = self._refusal(scope["headers"])
        if why is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(why)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": why.encode()})

    def _refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or not self._knows_host(hosts[0]):
            return "this host name is not allowed here: start the devnet with --allow-host"
        if any(not self._knows_origin(origin) for origin in origins):
            return "this origin is not allowed here: start the devnet with --allow-origin"
        return None

    def _knows_host(self, host: str) -> bool:
        return ANY in self._hosts or _hostname("//" + host) in self._hosts

    def _knows_origin(self, origin: str) -> bool:
        if ANY in self._origins or origin in self._origins:
            return True
        return origin.startswith(("http://", "https://")) and _hostname(origin) in LOOPBACK


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
