"""Requests are written in groups: whatever arrives while one transaction is being committed goes into the next.

A commit waits for the disk; alone, each request would wait for its own, and for those before it. If one of a group is
refused, nothing of it is kept and each is written alone. Nobody is answered before what was written is on disk.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from itertools import chain

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from proofgrid.errors import ProofgridError
from proofgrid.models import ProofRequest, RequestStatus
from proofgrid.network import requests
from proofgrid.network.database import Database
from proofgrid.network.locks import artifact_lock, lock
from proofgrid.network.requests import key_lock
from proofgrid.prover.artifacts import ArtifactStore

MAX_GROUP = 64
"""Requests in one transaction: others may write after it."""


@dataclass(frozen=True)
class Admission:
    """One request that waits to be written."""

    who: str
    body: ProofRequest
    placed: asyncio.Future[RequestStatus]


class Admissions:
    """For one event loop; a thread of its pool writes the groups, one at a time."""

    def __init__(self, database: Database, store: ArtifactStore, ask_lamports: int) -> None:
        self._database, self._store, self._ask_lamports = database, store, ask_lamports
        self._waiting: deque[Admission] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def place(self, who: str, body: ProofRequest) -> RequestStatus:
        """The request's status once it is durable; raises what :func:`proofgrid.network.requests.place` raises."""
        admission = Admission(who, body, asyncio.get_running_loop().create_future())
        self._waiting.append(admission)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await admission.placed

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(MAX_GROUP, len(self._waiting)))]
                group = [one for one in group if not one.placed.done()]  # whose caller has hung up
                try:
                    answers = await run_in_threadpool(self._write, group)
                except Exception as error:  # noqa: BLE001  # the database's: each caller hears of it
                    answers = [error] * len(group)
                for one, answer in zip(group, answers, strict=True):
                    _answer(one.placed, answer)
        finally:
            self._writer = None

    def _write(self, group: list[Admission]) -> list[RequestStatus | Exception]:
        """What became of each, after the one commit; if any is refused, each is written alone."""
        try:
            return list(self._commit(group))
        except (ProofgridError, IntegrityError) as error:  # one's own; what befalls the database is everybody's
            return [error] if len(group) == 1 else [self._write([one])[0] for one in group]

    def _commit(self, group: list[Admission]) -> list[RequestStatus]:
        with self._database.writing() as session:
            # All at once, in one order: two groups that wait for each other would both be refused.
            names = (
                (artifact_lock(one.body.sealed_digest), key_lock(one.who, one.body.idempotency_key)) for one in group
            )
            lock(session, *chain.from_iterable(names))
            return [self._place(session, one) for one in group]

    def _place(self, session: Session, one: Admission) -> RequestStatus:
        requests.require_uploaded(session, self._store, one.body.sealed_digest)
        row = requests.admit(session, one.who, one.body, ask_lamports=self._ask_lamports, now=time.time())
        return requests.status_of(row)


def _answer(placed: asyncio.Future[RequestStatus], answer: RequestStatus | Exception) -> None:
    if placed.done():
        return
    if isinstance(answer, Exception):
        placed.set_exception(answer)
    else:
        placed.set_result(answer)
