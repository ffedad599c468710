"""The SDK for an event loop: the same flows, driven by httpx.AsyncClient."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import httpx

from proofgrid.client import flows, market
from proofgrid.client.connection import connection_options
from proofgrid.client.effects import drive_async
from proofgrid.client.results import Circuit, Fulfilled
from proofgrid.config import DEFAULT_URL
from proofgrid.models import NetworkInfo, RequestStatus
from proofgrid.models.market import Prices, Quote, Statistics, Why
from proofgrid.verifier.keys import VerifyingKey


class AsyncClient:
    """:class:`~proofgrid.client.Client` with coroutines: same arguments, same errors; an async context manager."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_token: str | None = None,
        rpc_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **connection_options(url, api_token))
        self._rpc_url = rpc_url

    async def network(self) -> NetworkInfo:
        return await drive_async(flows.network(), self._http)

    async def register(
        self,
        *,
        zkey: Path | str,
        wasm: Path | str | None = None,
        name: str | None = None,
        on_upload: flows.OnUpload | None = None,
    ) -> Circuit:
        return await drive_async(
            flows.register(Path(zkey), None if wasm is None else Path(wasm), name, on_upload), self._http
        )

    async def circuit(self, circuit_id: str, *, verifying_key: VerifyingKey | None = None) -> Circuit:
        return await drive_async(flows.circuit(circuit_id, verifying_key), self._http)

    async def prove(
        self,
        circuit: Circuit,
        *,
        inputs: flows.Inputs | None = None,
        witness: flows.Witness | None = None,
        deadline_s: float = 3600.0,
        max_price_lamports: int | None = None,
        idempotency_key: str | None = None,
        pay_until_s: float | None = None,
        allow: Sequence[str] | None = None,
        deny: Sequence[str] = (),
    ) -> "AsyncHandle":
        terms = flows.Terms(deadline_s, max_price_lamports, idempotency_key, pay_until_s, allow, deny)
        ticket = await drive_async(flows.prove(circuit, inputs, witness, terms), self._http)
        return AsyncHandle(ticket, self._http, self._rpc_url)

    def handle(self, request_id: str, circuit: Circuit) -> "AsyncHandle":
        return AsyncHandle(flows.Ticket(request_id, circuit), self._http, self._rpc_url)

    async def quote(self, circuit: Circuit | str, *, deadline_s: float = 3600.0) -> Quote:
        circuit_id = circuit if isinstance(circuit, str) else circuit.id
        return await drive_async(market.quote(circuit_id, deadline_s), self._http)

    async def prices(self, *, history: int = 0) -> Prices:
        return await drive_async(market.prices(history), self._http)

    async def statistics(self) -> Statistics:
        return await drive_async(market.statistics(), self._http)

    async def why(self, request_id: str) -> Why:
        return await drive_async(market.why(request_id), self._http)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


@dataclass(frozen=True)
class AsyncHandle:
    """A placed request; see :class:`~proofgrid.client.Handle`."""

    ticket: flows.Ticket
    _http: httpx.AsyncClient = field(repr=False)
    _rpc_url: str | None = None

    @property
    def id(self) -> str:
        return self.ticket.request_id

    async def status(self) -> RequestStatus:
        return await drive_async(flows.status(self.id), self._http)

    async def wait(self, timeout_s: float | None = None, *, on_status: flows.Progress | None = None) -> Fulfilled:
        return await drive_async(flows.wait(self.ticket, timeout_s, on_status, self._rpc_url), self._http)

    async def cancel(self) -> RequestStatus:
        return await drive_async(flows.cancel(self.id), self._http)

    async def why(self) -> Why:
        return await drive_async(market.why(self.id), self._http)
