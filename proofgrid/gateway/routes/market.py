"""The market's doors: a prover's ask (signed, sealed), quotes and reasons for requesters, prices for everybody."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from proofgrid.errors import AccessDenied, NotFound, QueueError
from proofgrid.gateway.services import Requester, Services, Serving, requester
from proofgrid.gateway.signed import SignedCall
from proofgrid.models.market import Ask, AskAnswer, AskStatistics, Prices, Quote, QuoteRequest, Statistics, Why
from proofgrid.network.dispatch import MAX_OUTSTANDING
from proofgrid.network.market import answers, asks, price_index, standings
from proofgrid.network.market.board import Board, Fleet, load_board

router = APIRouter(tags=["market"])

_AT_ONCE = threading.BoundedSemaphore(8)
"""Looking at every prover costs milliseconds, and anyone may ask."""


@router.put("/v1/prover/ask")
def publish(body: Ask, caller: SignedCall, services: Serving) -> AskAnswer:
    """Publish the caller's ask; only a higher sequence replaces the standing one, and the same again is the same."""
    now = time.time()
    with services.database.writing() as session:
        if not standings.is_known(session, caller.key, now):
            raise AccessDenied("no prover is registered with this key: register it first, then publish its ask")
        ask = asks.publish(session, caller.key, body, now)
    services.ring("dispatch")
    return AskAnswer(prover=caller.key, ask=ask)


@router.get("/v1/prover/ask")
def own_ask(caller: SignedCall, services: Serving) -> AskAnswer:
    """The caller's own standing ask; nobody else's can be read."""
    with services.database.reading() as session:
        ask = asks.standing_ask(session, caller.key)
    if ask is None:
        raise NotFound("this key has published no ask")
    return AskAnswer(prover=caller.key, ask=ask)


@router.get("/v1/asks")
def aggregate(services: Serving) -> AskStatistics:
    """What is public of the asks: how many provers, slots and how much speed; never one prover's prices."""
    with _looking(services) as (_, board):
        return answers.ask_statistics(board)


@router.post("/v1/quotes", dependencies=[Depends(requester)])
def quote(body: QuoteRequest, services: Serving) -> Quote:
    """What a proof of this circuit would cost now, and who would make it."""
    with _looking(services) as (session, board):
        return answers.quote(session, board, body)


@router.get("/v1/prices")
def prices(services: Serving, history: Annotated[int, Query(ge=0, le=1000)] = 0) -> Prices:
    """The public price index, with the last points of its history."""
    with services.database.reading() as session:
        return price_index.public_prices(session, history=history)


@router.get("/v1/statistics")
def statistics(services: Serving) -> Statistics:
    """The last day in figures."""
    with _looking(services) as (session, board):
        return answers.statistics(session, board)


@router.get("/v1/requests/{request_id}/why")
def why(request_id: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], who: Requester, services: Serving) -> Why:
    """Why the request stands where it stands: who was skipped for what, and what would change it."""
    with _looking(services) as (session, board):
        return answers.why(session, board, request_id, who)


@contextmanager
def _looking(services: Services) -> Iterator[tuple[Session, Board]]:
    if not _AT_ONCE.acquire(timeout=2.0):
        raise QueueError("others are asking the market: ask again in a moment")
    try:
        with services.database.reading() as session:
            fleet = Fleet(services.info.fleet_key, MAX_OUTSTANDING)
            yield session, load_board(session, services.config, fleet, time.time())
    finally:
        _AT_ONCE.release()
