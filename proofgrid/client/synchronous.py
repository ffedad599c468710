"""The blocking SDK: flows driven by httpx.Client."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import httpx

from proofgrid.client import flows, market
from proofgrid.client.connection import connection_options
from proofgrid.client.effects import drive
from proofgrid.client.results import Circuit, Fulfilled
from proofgrid.config import DEFAULT_URL
from proofgrid.models import NetworkInfo, RequestStatus
from proofgrid.models.market import Prices, Quote, Statistics, Why
from proofgrid.verifier.keys import VerifyingKey


class Client:
    """A requester's connection to a network; safe for several threads, a context manager.

    ``api_token`` for a gateway that is not on this machine. With ``rpc_url``, receipts are also compared with the
    chain behind it. Methods raise the errors of :mod:`proofgrid.errors`; a gateway that cannot be reached is
    :class:`~proofgrid.errors.QueueError`.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_token: str | None = None,
        rpc_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(transport=transport, **connection_options(url, api_token))
        self._rpc_url = rpc_url

    def network(self) -> NetworkInfo:
        """What the network says of itself."""
        return drive(flows.network(), self._http)

    def register(
        self,
        *,
        zkey: Path | str,
        wasm: Path | str | None = None,
        name: str | None = None,
        on_upload: flows.OnUpload | None = None,
    ) -> Circuit:
        """Upload a circuit's files, those that the network lacks, and register it; again is the same.

        ``on_upload`` hears how far a file above 8 MB is: bytes sent, bytes in all. A broken one goes on where it was.
        """
        return drive(flows.register(Path(zkey), None if wasm is None else Path(wasm), name, on_upload), self._http)

    def circuit(self, circuit_id: str, *, verifying_key: VerifyingKey | None = None) -> Circuit:
        """A circuit registered before; give your own key to not depend on the network's word."""
        return drive(flows.circuit(circuit_id, verifying_key), self._http)

    def prove(
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
    ) -> "Handle":
        """Ask for a proof of these inputs (a dict or a JSON file) or this witness (.wtns); returns at once.

        They are sealed to the network's key before they leave this process. The same ``idempotency_key`` again is
        the same request, with the inputs of the first. Without ``max_price_lamports`` the cap comes from a quote,
        within the bounds of :mod:`proofgrid.client.market`. The price is paid in full until ``pay_until_s`` (if
        given), in part until ``deadline_s``; ``allow`` and ``deny`` name provers by their keys.
        """
        terms = flows.Terms(deadline_s, max_price_lamports, idempotency_key, pay_until_s, allow, deny)
        return Handle(drive(flows.prove(circuit, inputs, witness, terms), self._http), self._http, self._rpc_url)

    def handle(self, request_id: str, circuit: Circuit) -> "Handle":
        """A request placed before, perhaps by another process."""
        return Handle(flows.Ticket(request_id, circuit), self._http, self._rpc_url)

    def quote(self, circuit: Circuit | str, *, deadline_s: float = 3600.0) -> Quote:
        """What a proof of this circuit (or the circuit of this id) would cost now, and who would make it."""
        circuit_id = circuit if isinstance(circuit, str) else circuit.id
        return drive(market.quote(circuit_id, deadline_s), self._http)

    def prices(self, *, history: int = 0) -> Prices:
        """The public price index, with the last points of its history."""
        return drive(market.prices(history), self._http)

    def statistics(self) -> Statistics:
        """The network in figures."""
        return drive(market.statistics(), self._http)

    def why(self, request_id: str) -> Why:
        """Why a request of this requester stands where it stands; as :meth:`Handle.why`."""
        return drive(market.why(request_id), self._http)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True)
class Handle:
    """A placed request."""

    ticket: flows.Ticket
    _http: httpx.Client = field(repr=False)
    _rpc_url: str | None = None

    @property
    def id(self) -> str:
        return self.ticket.request_id

    def status(self) -> RequestStatus:
        """How the request stands now."""
        return drive(flows.status(self.id), self._http)

    def wait(self, timeout_s: float | None = None, *, on_status: flows.Progress | None = None) -> Fulfilled:
        """The proof and its receipt, checked on this machine; see :func:`proofgrid.client.flows.wait`."""
        return drive(flows.wait(self.ticket, timeout_s, on_status, self._rpc_url), self._http)

    def cancel(self) -> RequestStatus:
        """Cancel before a worker claims it; raises :class:`~proofgrid.errors.Conflict` afterwards."""
        return drive(flows.cancel(self.id), self._http)

    def why(self) -> Why:
        """Why it is not served yet, or was not: who was skipped for what, and what would change it."""
        return drive(market.why(self.id), self._http)
