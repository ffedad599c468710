"""What the SDK asks the market: quotes, prices, reasons; and the cap of a request that names none."""

from collections.abc import Sequence

from proofgrid.client.calls import get, post
from proofgrid.client.effects import Flow
from proofgrid.errors import MalformedInput
from proofgrid.models import MAX_RECIPIENTS
from proofgrid.models.market import Prices, Quote, QuoteRequest, Statistics, Why

UNASKED_LAMPORTS = 1_000_000
"""More than this is never a cap that nobody named, whatever a network quotes."""
UNASKED_MARGIN = 2
"""Nor more than so many times what the network expects."""


def quote(circuit_id: str, deadline_s: float) -> Flow[Quote]:
    return (yield from post("/v1/quotes", QuoteRequest(circuit_id=circuit_id, deadline_s=deadline_s), Quote))


def prices(history: int) -> Flow[Prices]:
    return (yield from get("/v1/prices", Prices, params={"history": str(history)}))


def statistics() -> Flow[Statistics]:
    return (yield from get("/v1/statistics", Statistics))


def why(request_id: str) -> Flow[Why]:
    return (yield from get(f"/v1/requests/{request_id}/why", Why))


def recipients(fleet: str, quoted: Sequence[str], allow: Sequence[str] | None, deny: Sequence[str]) -> list[str]:
    """Who gets to open a request: the fleet, then those allowed by name, then the quote's; none that may not have it.

    Of those allowed, the quoted come first, for an envelope has at most ``MAX_RECIPIENTS``.
    """
    named = () if allow is None else sorted(allow, key=lambda key: key not in quoted)
    may = [key for key in dict.fromkeys((fleet, *named, *quoted)) if key not in deny]
    return [key for key in may if allow is None or key in allow][:MAX_RECIPIENTS]


def default_cap(found: Quote) -> int:
    """The cap of a request whose caller named none: the quote's high end, within bounds that are ours.

    Raises :class:`MalformedInput` where the network expects more than is spent unasked.
    """
    if found.expected_lamports is None or found.high_lamports is None:
        return UNASKED_LAMPORTS  # nobody can say; the request waits, and why() says for what
    if found.expected_lamports > UNASKED_LAMPORTS:
        raise MalformedInput(
            f"the network expects {found.expected_lamports} for this proof, and more than {UNASKED_LAMPORTS} is not "
            f"spent unasked: if that is right, pass max_price_lamports={found.high_lamports}"
        )
    return min(found.high_lamports, UNASKED_MARGIN * found.expected_lamports, UNASKED_LAMPORTS)
