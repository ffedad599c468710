"""Several RPC endpoints as one client: the first in order that works is asked, the next one when it fails.

An endpoint that fails rests, longer each time (or for as long as its Retry-After says), before it is asked again. An
answer that any endpoint would give (a failed preflight, a wrong request) is passed on; silence, HTTP errors, nonsense
and a node that is behind are not answers. An endpoint of another chain is never asked anything but its genesis hash.
"""

import asyncio
import email.utils
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from solana.rpc.async_api import AsyncClient
from solana.rpc.async_http_provider import AsyncHTTPProvider
from solana.rpc.commitment import Confirmed
from solana.rpc.core import RPCException
from solders.errors import SerdeJSONError
from solders.rpc.responses import RPCError

from proofgrid.documents import parse_json
from proofgrid.errors import ChainUnavailable, MalformedInput, SettlementError

MAX_ANSWER_BYTES = 32 << 20
MAX_ENDPOINTS = 8
MAX_REST_S = 30.0
_ANSWERS = frozenset({-32002, -32003, -32006, -32015, -32600, -32601, -32602})
"""JSON-RPC errors about the request: every endpoint would say the same."""
_GENESIS = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "getGenesisHash"})

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class _Trouble(Exception):
    """Why an endpoint did not answer, and how long it asks to be left alone."""

    def __init__(self, reason: str, rest_s: float = 0.0) -> None:
        super().__init__(reason)
        self.rest_s = rest_s


@dataclass
class Endpoint:
    """One endpoint and how it does; ``name`` is its URL without what may be a secret."""

    url: str
    name: str = field(init=False)
    genesis: str | None = None
    is_foreign: bool = False
    failures: int = 0
    """In a row."""
    trouble: str | None = None
    rests_until: float = 0.0
    """By ``time.monotonic()``."""

    def __post_init__(self) -> None:
        self.name = public_name(self.url)

    def failed(self, trouble: _Trouble, rest_s: float) -> None:
        self.failures += 1
        self.trouble = str(trouble)
        pause_s = max(trouble.rest_s, rest_s * 2 ** min(self.failures - 1, 16))
        self.rests_until = time.monotonic() + min(pause_s, MAX_REST_S)

    def answered(self) -> None:
        self.failures, self.trouble, self.rests_until = 0, None, 0.0


class Endpoints(AsyncHTTPProvider):
    """The provider behind :func:`connect`. Raises ChainUnavailable when no endpoint answers."""

    def __init__(self, one: AsyncHTTPProvider, urls: Sequence[str], *, timeout_s: float, rest_s: float) -> None:
        self.session, self.endpoint_uri = one.session, one.endpoint_uri
        self.endpoints = [Endpoint(url) for url in urls]
        self.genesis: str | None = None
        """The chain's, once known; a single endpoint is not asked."""
        self._timeout_s, self._rest_s = timeout_s, rest_s

    async def make_request(self, body: Any, parser: Any) -> Any:
        return await self._first_answer(body.to_json(), lambda raw: _parse(raw, parser))

    async def make_request_unparsed(self, body: Any) -> str:
        return await self._first_answer(body.to_json(), lambda raw: raw)

    async def introduce(self) -> None:
        """Learn the genesis hashes not known yet; raises SettlementError for endpoints of different chains."""
        strangers = [one for one in self.endpoints if one.genesis is None and one.rests_until <= time.monotonic()]
        if len(self.endpoints) == 1 or not strangers:
            return
        await asyncio.gather(*(self._meet(one) for one in strangers))
        known = {one.name: one.genesis for one in self.endpoints if one.genesis is not None}
        if self.genesis is None and len(set(known.values())) > 1:
            for one in self.endpoints:
                one.genesis = None
            said = ", ".join(f"{name} is of {genesis}" for name, genesis in known.items())
            raise SettlementError(f"the RPC endpoints are of different chains: {said}; name those of one chain")
        self.genesis = self.genesis or next(iter(known.values()), None)
        for one in self.endpoints:
            if one.genesis is not None and one.genesis != self.genesis and not one.is_foreign:
                one.is_foreign = True
                one.trouble = f"is of another chain, {one.genesis}: remove it"
                log.error("RPC endpoint %s %s", one.name, one.trouble)

    async def _meet(self, endpoint: Endpoint) -> None:
        try:
            endpoint.genesis = await self._ask(endpoint, _GENESIS, lambda raw: str(json.loads(raw)["result"]))
        except _Trouble as trouble:
            endpoint.failed(trouble, self._rest_s)

    async def _first_answer(self, content: str, parse: Callable[[str], Answer]) -> Answer:
        await self._wait_for_one()
        await self.introduce()
        for endpoint in self._usable():
            if endpoint.rests_until > time.monotonic():
                continue
            try:
                answer = await self._ask(endpoint, content, parse)
            except _Trouble as trouble:
                endpoint.failed(trouble, self._rest_s)
                continue
            except RPCException:
                endpoint.answered()
                raise
            endpoint.answered()
            return answer
        said = "; ".join(f"{one.name}: {one.trouble or 'resting'}" for one in self.endpoints)
        raise ChainUnavailable(f"no RPC endpoint answers ({said}): try again, or name another one")

    def _usable(self) -> list[Endpoint]:
        if len(self.endpoints) == 1:
            return self.endpoints
        return [one for one in self.endpoints if one.genesis is not None and not one.is_foreign]

    async def _wait_for_one(self) -> None:
        """Sleep while every endpoint rests: nobody is asked more often than it bears."""
        rests_until = min((one.rests_until for one in self.endpoints if not one.is_foreign), default=0.0)
        await asyncio.sleep(max(rests_until - time.monotonic(), 0.0))

    async def _ask(self, endpoint: Endpoint, content: str, parse: Callable[[str], Answer]) -> Answer:
        """The endpoint's answer. Raises _Trouble where it has none, RPCException where that is the answer."""
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._post(endpoint.url, content)
            _refuse_trouble(raw)
            return parse(raw.decode())
        except RPCException:
            raise
        except TimeoutError:
            raise _Trouble(f"no answer within {self._timeout_s:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _Trouble(f"{type(error).__name__} {error}".strip().replace(endpoint.url, endpoint.name)) from None
        except (MalformedInput, SerdeJSONError, ValueError, TypeError, KeyError):
            raise _Trouble("an answer that is not Solana's JSON-RPC") from None

    async def _post(self, url: str, content: str) -> bytes:
        headers = {"Content-Type": "application/json"}
        async with self.session.stream("POST", url, content=content, headers=headers) as response:
            if response.status_code != 200:
                raise _Trouble(f"HTTP {response.status_code}", _retry_after_s(response.headers.get("retry-after")))
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise _Trouble(f"an answer of more than {MAX_ANSWER_BYTES >> 20} MiB")
        return bytes(body)


def connect(urls: Sequence[str], *, timeout_s: float = 10.0, rest_s: float = 0.25) -> AsyncClient:
    """A client at ``confirmed`` over these endpoints, asked in this order; close it after use.

    ``timeout_s`` is for a whole answer, ``rest_s`` the first rest of one that failed. Raises MalformedInput.
    """
    if not 0 < len(urls) <= MAX_ENDPOINTS or len(set(urls)) < len(urls):
        raise MalformedInput(f"RPC endpoints: 1 to {MAX_ENDPOINTS} different URLs are expected, got {len(urls)}")
    for url in urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise MalformedInput(f"an RPC endpoint's URL begins with http:// or https://; got {public_name(url)}")
    client = AsyncClient(urls[0], commitment=Confirmed, timeout=timeout_s)
    client._provider = Endpoints(client._provider, urls, timeout_s=timeout_s, rest_s=rest_s)
    return client


def endpoints_of(client: AsyncClient) -> list[Endpoint]:
    """The endpoints of a client made by :func:`connect`; none of another's."""
    provider = client._provider
    return provider.endpoints if isinstance(provider, Endpoints) else []


def split_urls(text: str) -> tuple[str, ...]:
    """``https://a,https://b``: the URLs of several endpoints in one setting."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def public_name(url: str) -> str:
    """A URL without user, path and query, where providers put their keys."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or '?'}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "a URL that cannot be read"


def _parse(raw: str, parser: Any) -> Any:
    try:
        parsed = parser.from_json(raw)
    except BaseException as panic:
        if type(panic).__module__ != "pyo3_runtime":  # solders panics over some answers; that is no Exception
            raise
        raise ValueError("solders cannot read it") from None
    if isinstance(parsed, RPCError.__args__):  # type: ignore[attr-defined]
        raise RPCException(parsed)
    return parsed


def _refuse_trouble(raw: bytes) -> None:
    """Raise _Trouble for an error that another endpoint may not have, MalformedInput for what is not JSON."""
    answer = parse_json(raw, "the endpoint's answer", limit=MAX_ANSWER_BYTES)
    if not isinstance(answer, dict):
        raise _Trouble("an answer that is not Solana's JSON-RPC")
    error = answer.get("error")
    if error is None:
        return
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
    if code not in _ANSWERS:
        raise _Trouble(f"error {code}: {str(message)[:120]}")


def _retry_after_s(header: str | None) -> float:
    """Seconds from now; 0 where nothing readable is said."""
    if header is None:
        return 0.0
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max(email.utils.parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except ValueError:
        return 0.0
