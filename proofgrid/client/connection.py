"""How both clients reach a gateway."""

from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import httpx

from proofgrid import __version__
from proofgrid.config import LOOPBACK_HOSTS
from proofgrid.errors import MalformedInput


class GatewayToken(httpx.Auth):
    """Shows the API token to the gateway alone: the same client also asks a chain's RPC endpoint."""

    def __init__(self, gateway: str, token: str) -> None:
        self._gateway, self._token = httpx.URL(gateway), token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) == _origin(self._gateway):
            request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port  # httpx drops a scheme's own port


def connection_options(url: str, api_token: str | None) -> dict[str, Any]:
    """Arguments of an httpx client; a proxy of the environment is not used for this very machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MalformedInput(f"{url!r} is not the address of a gateway; expected one like http://127.0.0.1:8645")
    return {
        "base_url": url,
        "headers": {"User-Agent": f"proofgrid/{__version__}"},
        "auth": None if api_token is None else GatewayToken(url, api_token),
        "trust_env": parts.hostname not in LOOPBACK_HOSTS,
    }
