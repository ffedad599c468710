from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.network.world import MakeWorld, World, make_world


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeWorld]:
    """Makes one world, with the settings that the test needs."""
    worlds: list[World] = []

    def build(**settings: Any) -> World:
        worlds.append(make_world(tmp_path, **settings))
        return worlds[-1]

    yield build
    for world in worlds:
        world.database.close()


@pytest.fixture
def world(make: MakeWorld) -> World:
    return make()
