"""What an operator's monitoring asks: metrics, life, readiness."""

import dataclasses

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from proofgrid.gateway.app import create_app
from proofgrid.network import metrics
from proofgrid.network.database import AttemptRow, RequestRow
from tests.network.gateway import services_of, serving
from tests.network.world import World


def samples(text: str) -> dict[tuple[str, str], float]:
    """By name and the one label's value."""
    families = text_string_to_metric_families(text)
    return {(s.name, next(iter(s.labels.values()), "")): s.value for family in families for s in family.samples}


def scraped(world: World) -> dict[tuple[str, str], float]:
    return samples(metrics.exposition(world.database, world.now).decode())


def test_requests_are_counted_by_state_and_the_oldest_waiting_has_an_age(world: World) -> None:
    world.place()
    world.now += 7
    found = scraped(world)
    assert found["proofgrid_requests", "requested"] == 1
    assert found["proofgrid_requests", "fulfilled"] == 0
    assert found["proofgrid_oldest_waiting_seconds", ""] == 7
    world.coordinator.run_dispatch(world.now)
    found = scraped(world)
    assert found["proofgrid_requests", "requested"] == 0
    assert found["proofgrid_attempts", "sent"] == 1
    assert found["proofgrid_oldest_waiting_seconds", ""] == 0


def test_no_id_and_no_token_is_in_the_metrics(world: World) -> None:
    world.place()
    world.coordinator.run_dispatch(world.now)
    text = metrics.exposition(world.database, world.now).decode()
    with world.database.reading() as session:
        request, attempt = session.query(RequestRow).one(), session.query(AttemptRow).one()
    for secret in (request.id, request.idempotency_key, attempt.id, attempt.token):
        assert secret not in text


@pytest.mark.parametrize("path", ["/v1/ready", "/v1/health"])
def test_a_network_whose_loops_never_ticked_lives_but_is_not_ready(world: World, path: str) -> None:
    with serving(world) as url, httpx.Client(base_url=url, trust_env=False) as http:
        assert http.get("/v1/live").json() == {"live": True}
        assert http.get(path).status_code == 503
        reply = http.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert ("proofgrid_requests", "requested") in samples(reply.text)


def test_off_loopback_the_metrics_are_refused(world: World) -> None:
    services = services_of(world, api_token="an-api-token")
    public = dataclasses.replace(services, config=services.config.model_copy(update={"host": "192.0.2.1"}))
    reply = TestClient(create_app(public)).get("/metrics")
    assert (reply.status_code, reply.json()["code"]) == (401, "access_denied")
