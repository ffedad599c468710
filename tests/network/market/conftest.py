import pytest

from proofgrid.network.market import standings
from tests.network.market.bazaar import Bazaar
from tests.network.world import World


@pytest.fixture
def bazaar(world: World, monkeypatch: pytest.MonkeyPatch) -> Bazaar:
    """A world with provers of other operators."""
    bazaar = Bazaar(world)
    monkeypatch.setattr(standings, "standings", lambda session, now: bazaar.standings)
    return bazaar
