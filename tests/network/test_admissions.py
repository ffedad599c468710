"""Requests that arrive together are written together, and stand or fall alone."""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from proofgrid.errors import Conflict, NotFound
from proofgrid.gateway.admissions import Admissions
from proofgrid.models import Fulfilment, ProofRequest, RequestStatus
from tests.network.world import ASK, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, ask_lamports=ASK)


def place_all(world: World, bodies: list[ProofRequest]) -> list[RequestStatus | BaseException]:
    async def run() -> list[RequestStatus | BaseException]:
        admissions = Admissions(world.database, world.store, ASK)
        return await asyncio.gather(*(admissions.place("local", body) for body in bodies), return_exceptions=True)

    return asyncio.run(run())


def test_one_transaction_serves_all_that_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions, writing = [0], world.database.writing

    @contextmanager
    def counting() -> Any:
        transactions[0] += 1
        with writing() as session:
            yield session

    monkeypatch.setattr(world.database, "writing", counting)
    answers = place_all(world, [world.body() for _ in range(40)])
    assert {answer.fulfilment for answer in answers if isinstance(answer, RequestStatus)} == {Fulfilment.REQUESTED}
    assert len({answer.id for answer in answers if isinstance(answer, RequestStatus)}) == 40
    assert transactions[0] <= 2


def test_what_is_refused_takes_no_other_with_it(world: World) -> None:
    good, cheap = world.body(), world.body(max_price_lamports=ASK - 1)
    other = world.body(idempotency_key=good.idempotency_key, max_price_lamports=ASK + 1)
    first, missing, poor, clash, again = place_all(
        world, [good, world.body(sealed_digest="0" * 64), cheap, other, good]
    )
    assert isinstance(missing, NotFound)
    assert isinstance(clash, Conflict)
    assert isinstance(first, RequestStatus)
    assert isinstance(poor, RequestStatus)
    assert poor.fulfilment is Fulfilment.UNFULFILLABLE
    assert first == again == world.status(first.id)
    assert poor == world.status(poor.id)


def test_a_database_that_is_away_is_said_to_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("BEGIN", {}, OSError("the disk is full"))

    monkeypatch.setattr(world.database, "writing", away)
    answers = place_all(world, [world.body() for _ in range(3)])
    assert all(isinstance(answer, OperationalError) for answer in answers)
