from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.network import postgres
from tests.network.world import MakeWorld, World, make_world


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Cluster]:
    """PostgreSQL, started for this run."""
    with postgres.cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The database that a world is over: a file in its folder, or one that the cluster lends."""
    if request.param == "sqlite":
        yield None
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgresql")
    url = cluster.lend()
    yield url
    cluster.take_back(url)


@pytest.fixture
def make(tmp_path: Path, database_url: str | None) -> Iterator[MakeWorld]:
    """Makes one world, with the settings that the test needs."""
    worlds: list[World] = []

    def build(**settings: Any) -> World:
        worlds.append(make_world(tmp_path, database_url=database_url, **settings))
        return worlds[-1]

    yield build
    for world in worlds:
        world.database.close()


@pytest.fixture
def world(make: MakeWorld) -> World:
    return make()
