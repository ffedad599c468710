"""A real gateway over a world: uvicorn on a free loopback port."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proofgrid.gateway.app import create_app
from proofgrid.gateway.server import GatewayServer, bind
from proofgrid.gateway.services import Services
from proofgrid.models import NetworkInfo
from proofgrid.prover.sealing import FleetKey
from tests.network.world import World

WORKER_TOKEN = "5" * 64


def services_of(world: World, *, api_token: str | None = None) -> Services:
    info = NetworkInfo(
        version="0",
        chain_id=world.chain.chain_id,
        program_id=world.chain.program_id,
        committer=world.chain.committer,
        rpc_url=None,
        fleet_key=fleet_key(world).public.hex(),
        ask_lamports=world.config.ask_lamports,
        limits=world.config.limits.model_dump(),
    )
    return Services(world.database, world.store, world.config, info, WORKER_TOKEN, api_token=api_token)


def fleet_key(world: World) -> FleetKey:
    return FleetKey.load_or_create(Path(world.folder) / "fleet.key")


@contextmanager
def serving(world: World, **options: str) -> Iterator[str]:
    """The URL of a gateway that answers."""
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    world.coordinator = dataclasses.replace(world.coordinator, gateway_url=url, prover=fleet_key(world).public)
    with GatewayServer(create_app(services_of(world, **options)), listener):
        yield url
