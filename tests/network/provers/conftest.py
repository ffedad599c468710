import dataclasses
import time
from collections.abc import Iterator

import httpx
import pytest

from proofgrid.gateway.app import create_app
from proofgrid.gateway.nonces import RecordedNonces
from proofgrid.gateway.server import GatewayServer, bind
from proofgrid.network.market import standings
from tests.network.gateway import fleet_key, services_of
from tests.network.market.bazaar import Bazaar, key_of
from tests.network.provers.operators import Operator
from tests.network.world import World


@pytest.fixture
def bazaar(world: World, monkeypatch: pytest.MonkeyPatch) -> Bazaar:
    """Provers 1 (the cheaper) and 2, both with an ask."""
    world.now = time.time()
    world.coordinator.prover = fleet_key(world).public
    bazaar = Bazaar(world)
    monkeypatch.setattr(standings, "standings", lambda session, now: bazaar.standings)
    bazaar.ask(1, 100)
    bazaar.ask(2, 200)
    return bazaar


@pytest.fixture
def operators(bazaar: Bazaar) -> Iterator[tuple[Operator, Operator]]:
    """Both provers, registered."""
    world = bazaar.world
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    services = dataclasses.replace(services_of(world), nonces=RecordedNonces(world.database))
    with GatewayServer(create_app(services), listener), httpx.Client(base_url=url, trust_env=False) as http:
        pair = Operator(http, services.info.audience, 1), Operator(http, services.info.audience, 2)
        for one in pair:
            told = {"name": f"prover {one.number}", "hardware": {"kind": "cpu"}, "version": "0.1", "capacity": 4}
            assert one.post("/v1/provers", told).status_code == 200
        yield pair


@pytest.fixture
def request_id(bazaar: Bazaar) -> str:
    """A request that prover 1 won."""
    return placed(bazaar)


def placed(bazaar: Bazaar, **changes: object) -> str:
    keys = {fleet_key(bazaar.world).public.hex(): "00" * 135, key_of(1): "01" * 135, key_of(2): "02" * 135}
    found = bazaar.world.place(**{"recipients": keys, **changes})
    bazaar.dispatch()
    return found
