"""The SDK and the market: caps that nobody named, quotes, reasons."""

import asyncio

import pytest

from proofgrid.client import AsyncClient, Client
from proofgrid.client.market import UNASKED_LAMPORTS, default_cap
from proofgrid.errors import MalformedInput, NotFound
from proofgrid.models.market import Quote
from proofgrid.network.tables.market import PriceRow
from tests.client.service import Service
from tests.network.world import ASK, BN254

WTNS = BN254 / "steps.wtns"


def quoted(expected: int | None, high: int | None) -> Quote:
    return Quote(
        circuit_id="0" * 64,
        units=1,
        expected_lamports=expected,
        low_lamports=expected,
        high_lamports=high,
        index_lamports=None,
        eligible=(),
        expected_s=None,
        skips=(),
        valid_until=1.0,
    )


@pytest.mark.parametrize(
    ("expected", "high", "cap"),
    [
        (100, 125, 125),
        (100, 10**9, 200),  # a network that lies about the high end
        (UNASKED_LAMPORTS, 2 * UNASKED_LAMPORTS, UNASKED_LAMPORTS),
        (0, 0, 0),
        (None, None, UNASKED_LAMPORTS),
    ],
)
def test_a_cap_that_nobody_named_is_bounded(expected: int | None, high: int | None, cap: int) -> None:
    assert default_cap(quoted(expected, high)) == cap


def test_a_dear_proof_is_not_bought_unasked() -> None:
    with pytest.raises(MalformedInput, match="pass max_price_lamports=1300000"):
        default_cap(quoted(UNASKED_LAMPORTS + 1, 1_300_000))


def test_a_quote_a_request_and_its_reason(service: Service) -> None:
    service.world.pulse("worker-1")
    with Client(service.url) as client:
        circuit = client.circuit(service.world.circuit.id)
        found = client.quote(circuit)
        assert found.expected_lamports == client.quote(circuit.id).expected_lamports == ASK
        handle = client.prove(circuit, witness=WTNS)
        told = handle.why()
        assert (told.max_price_lamports, told.eligible) == (found.high_lamports, 1)
        assert client.why(handle.id).request_id == told.request_id == handle.id
        service.work()
        assert handle.wait(10).status.price_lamports == ASK
        assert "fulfilled" in handle.why().sentences[0]
        assert client.statistics().fulfilled == 1
        assert client.prices().sizes == ()
        with pytest.raises(NotFound):
            client.why("0" * 64)


def test_the_same_key_again_is_the_same_request_though_the_quote_has_changed(service: Service) -> None:
    with Client(service.url) as client:
        circuit = client.circuit(service.world.circuit.id)
        first = client.prove(circuit, witness=WTNS, idempotency_key="mine")
        with service.world.database.writing() as session:
            session.add(PriceRow(size_class=0, paid_micro=10**9, index_micro=10**9, deals=1, updated_at=0.0))
        assert client.quote(circuit).high_lamports != first.why().max_price_lamports
        assert client.prove(circuit, witness=WTNS, idempotency_key="mine").id == first.id


def test_the_async_client_asks_the_same(service: Service) -> None:
    async def ask() -> None:
        async with AsyncClient(service.url) as client:
            circuit = await client.circuit(service.world.circuit.id)
            assert (await client.quote(circuit)).units == 1
            handle = await client.prove(circuit, witness=WTNS, deny=("0" * 64,), pay_until_s=60.0)
            assert (await handle.why()).request_id == handle.id
            assert (await client.why(handle.id)).max_price_lamports == 630
            assert (await client.statistics()).waiting == 1
            assert (await client.prices(history=1)).sizes == ()

    asyncio.run(ask())
