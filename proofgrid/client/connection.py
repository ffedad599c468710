"""How both clients reach a gateway."""

from typing import Any
from urllib.parse import urlsplit

from proofgrid import __version__
from proofgrid.config import LOOPBACK_HOSTS
from proofgrid.errors import MalformedInput


def connection_options(url: str, api_token: str | None) -> dict[str, Any]:
    """Arguments of an httpx client; a proxy of the environment is not used for this very machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MalformedInput(f"{url!r} is not the address of a gateway; expected one like http://127.0.0.1:8645")
    headers = {"User-Agent": f"proofgrid/{__version__}"}
    if api_token is not None:
        headers["Authorization"] = f"Bearer {api_token}"
    return {"base_url": url, "headers": headers, "trust_env": parts.hostname not in LOOPBACK_HOSTS}
