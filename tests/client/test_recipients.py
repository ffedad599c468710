"""Whom the SDK seals to: a quote's provers get witnesses, and inputs only if they are allowed by name."""

from typing import Any

import pytest
from sqlalchemy import select

from proofgrid.client import Client, flows
from proofgrid.client.effects import Flow
from proofgrid.errors import MalformedInput
from proofgrid.models.market import Quote
from proofgrid.network.database import RequestRow
from tests.client.service import Service
from tests.network.gateway import fleet_key
from tests.network.market.bazaar import key_of
from tests.network.world import BN254, VECTORS

QUOTED, OTHER = key_of(1), key_of(2)
WITNESS = {"witness": BN254 / "steps.wtns"}
INPUTS = {"inputs": VECTORS / "steps.json"}


@pytest.fixture(autouse=True)
def _quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    original = flows.quote

    def quote(circuit_id: str, deadline_s: float) -> Flow[Quote]:
        found = yield from original(circuit_id, deadline_s)
        return found.model_copy(update={"eligible": (QUOTED,)})

    monkeypatch.setattr(flows, "quote", quote)


def sealed_to(service: Service, **arguments: Any) -> set[str]:
    with Client(service.url) as client:
        circuit = client.register(zkey=BN254 / "steps.zkey", wasm=BN254 / "steps.wasm")
        request_id = client.prove(circuit, max_price_lamports=1000, **arguments).id
    with service.world.database.reading() as session:
        row = session.scalars(select(RequestRow).where(RequestRow.id == request_id)).one()
        assert row.sealed_keys is not None
        assert set(row.recipients or ()) == set(row.sealed_keys)
        return set(row.sealed_keys)


def test_who_gets_to_open_it(service: Service) -> None:
    fleet = fleet_key(service.world).public.hex()
    assert sealed_to(service, **WITNESS) == {fleet, QUOTED}
    assert sealed_to(service, **WITNESS, deny=[QUOTED]) == {fleet}
    assert sealed_to(service, **INPUTS) == {fleet}
    assert sealed_to(service, **INPUTS, allow=[OTHER]) == {OTHER}
    with pytest.raises(MalformedInput, match="no prover may have this request"):
        sealed_to(service, **INPUTS, deny=[fleet])
