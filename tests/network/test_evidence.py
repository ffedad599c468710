"""A batch's data at the gateway: whoever knows a root gets what stands under it, and can check it."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select, update

from proofgrid.errors import NotFound, QueueError
from proofgrid.gateway.routes import batches
from proofgrid.models import BatchState
from proofgrid.network.database import AttemptRow, BatchRow
from proofgrid.settlement.watcher.documents import BatchData
from proofgrid.settlement.watcher.judgement import judge
from proofgrid.settlement.watcher.sources import GatewaySource
from tests.network.gateway import serving
from tests.network.world import World


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serving(world, api_token="6" * 64) as url:
        yield url


def fetch(url: str, root: bytes, n_leaves: int) -> BatchData:
    async def find() -> BatchData:
        source = GatewaySource(url)
        try:
            return await source.find(root, n_leaves)
        finally:
            await source.close()

    return asyncio.run(find())


def settled(world: World, count: int) -> bytes:
    for _ in range(count):
        world.fulfil()
    assert world.settle() == count
    return world.chain.roots[-1]


def test_anyone_checks_a_settled_batch(world: World, url: str) -> None:
    data = fetch(url, settled(world, 3), 3)
    assert data.unknown == 0
    assert [digest.hex() for digest in data.keys] == [world.circuit.verifying_key_digest]
    judgement = judge(data, {})
    assert (judgement.checked, judgement.false) == (3, {})


def test_a_leaf_whose_proof_is_lost_comes_alone(world: World, url: str) -> None:
    root = settled(world, 2)
    with world.database.reading() as session:
        digests = list(session.scalars(select(AttemptRow.result_digest)))
    assert digests[0] is not None
    world.store.path(digests[0]).unlink()
    data = fetch(url, root, 2)
    assert data.unknown == sum(digest == digests[0] for digest in digests)


def test_what_was_never_committed_is_not_shown(world: World, url: str) -> None:
    root = settled(world, 1)
    with pytest.raises(NotFound):
        fetch(url, bytes(32), 1)
    with world.database.writing() as session:
        session.execute(update(BatchRow).values(state=BatchState.ABANDONED))
    with pytest.raises(NotFound):
        fetch(url, root, 1)


def test_a_root_is_64_digits(url: str) -> None:
    assert httpx.get(f"{url}/v1/batches/..%2f/data", trust_env=False).status_code in (400, 404)
    assert httpx.get(f"{url}/v1/batches/{'A' * 64}/data", trust_env=False).status_code == 400


def test_many_readers_wait(world: World, url: str) -> None:
    root = settled(world, 1)
    assert batches._AT_ONCE.acquire(blocking=False)
    assert batches._AT_ONCE.acquire(blocking=False)
    try:
        with pytest.raises(QueueError):
            fetch(url, root, 1)
    finally:
        batches._AT_ONCE.release(2)
    assert fetch(url, root, 1).unknown == 0
