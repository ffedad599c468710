"""quote, why, market: what a person sees of the market."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_files import run
from tests.network.gateway import serving
from tests.network.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    import time

    world = make_world(tmp_path)
    world.now = time.time()
    yield world
    world.database.close()


def test_a_quote_a_reason_and_figures(world: World) -> None:
    with serving(world) as url:
        quoted = run("quote", world.circuit.id, "--url", url)
        assert quoted.stdout.splitlines()[0] == "expected 500 for 1 unit", quoted.stderr
        request_id = world.place(deny=("f" * 64,))
        assert "may have it" in run("why", request_id, "--url", url).stdout
        told = json.loads(run("why", request_id, "--url", url, "--json").stdout)
        assert (told["fulfilment"], told["eligible"]) == ("requested", 1)
        assert run("market", "prices", "--url", url).stdout.startswith("no prices yet")
        assert "1 waiting" in run("market", "statistics", "--url", url).stdout


def test_the_token_comes_from_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(world, api_token="7" * 64) as url:
        refused = run("quote", world.circuit.id, "--url", url, "--json")
        assert json.loads(refused.stdout)["error"]["code"] == "access_denied"
        monkeypatch.setenv("PROOFGRID_API_TOKEN", "7" * 64)
        assert run("quote", world.circuit.id, "--url", url).returncode == 0


def test_a_network_that_is_away_is_said_so() -> None:
    away = run("market", "statistics", "--url", "http://127.0.0.1:1", "--json")
    assert away.returncode == 3
    assert json.loads(away.stdout)["error"]["code"] == "queue_unavailable"
