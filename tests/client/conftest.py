from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.service import Service
from tests.network.gateway import serving
from tests.network.world import make_world


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A gateway that answers, and a fleet of one that works when the test says so."""
    world = make_world(tmp_path)
    with serving(world) as url:
        yield Service(world, url)
    world.database.close()
