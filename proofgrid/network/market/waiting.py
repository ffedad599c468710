"""The requests that wait, as the market sees them; what was read once is kept while it waits."""

import sys
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from proofgrid.models import Fulfilment
from proofgrid.network.database import AttemptRow, CircuitRow, RequestRow
from proofgrid.network.market.candidates import Waiting
from proofgrid.network.market.pricing import units_of

PER_REQUESTER = 2_000
"""Waiting requests of one requester that a round considers, the oldest."""
MAX_WAITING = 20_000
"""Of all requesters."""
_AT_ONCE = 5_000
_NOBODY: frozenset[str] = frozenset()


class WaitingRoom:
    """Who waits. A request is read when it comes, and again when its row was written; losing this loses nothing."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, Waiting]] = {}

    def load(self, session: Session, fleet: str, now: float, *, limit: int = MAX_WAITING) -> list[Waiting]:
        """The requests that wait for a prover, each requester's oldest first, at most ``limit``.

        Cost: one indexed scan of all that wait (a number and a time for each), and reading what is new.
        """
        rank = func.row_number().over(partition_by=RequestRow.requester, order_by=RequestRow.sequence).label("rank")
        ranked = (
            select(RequestRow.sequence, RequestRow.updated_at, rank)
            .where(RequestRow.fulfilment == Fulfilment.REQUESTED, RequestRow.deadline_at > now)
            .subquery()
        )
        rows = session.execute(
            select(ranked.c.sequence, ranked.c.updated_at)
            .where(ranked.c.rank <= PER_REQUESTER)
            .order_by(ranked.c.rank, ranked.c.sequence)
            .limit(limit)
        ).all()
        here: dict[int, float] = {row[0]: row[1] for row in rows}
        known = {one: self._known[one] for one in here if one in self._known and self._known[one][0] == here[one]}
        new = [sequence for sequence in here if sequence not in known]
        self._known = known if len(rows) < limit else self._known | known
        for first in range(0, len(new), _AT_ONCE):
            some = RequestRow.sequence.in_(new[first : first + _AT_ONCE])
            for request in _read(session, fleet, some):
                self._known[request.sequence] = here[request.sequence], request
        return [self._known[sequence][1] for sequence in here if sequence in self._known]

    def forget(self, requests: Iterable[Waiting]) -> None:
        """Read these again if they come back: who had them is no longer nobody."""
        for request in requests:
            self._known.pop(request.sequence, None)


def is_anybody_waiting(session: Session, now: float) -> bool:
    """Most rounds need no more than this."""
    waiting = select(RequestRow.id).where(RequestRow.fulfilment == Fulfilment.REQUESTED, RequestRow.deadline_at > now)
    return session.execute(waiting.limit(1)).first() is not None


def one_request(session: Session, fleet: str, request_id: str) -> Waiting | None:
    """This request as the market sees it, whatever its status."""
    found = _read(session, fleet, RequestRow.id == request_id)
    return found[0] if found else None


def running_of(session: Session) -> dict[str, int]:
    """Live attempts of each requester."""
    rows = (
        select(RequestRow.requester, func.count())
        .where(RequestRow.fulfilment.in_((Fulfilment.ASSIGNED, Fulfilment.PROVING)))
        .group_by(RequestRow.requester)
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def _read(session: Session, fleet: str, where: ColumnElement[bool]) -> list[Waiting]:
    columns = (
        RequestRow.id,
        RequestRow.sequence,
        RequestRow.requester,
        RequestRow.circuit_id,
        CircuitRow.domain_size,
        RequestRow.max_price_lamports,
        RequestRow.created_at,
        RequestRow.deadline_at,
        RequestRow.recipients,
        RequestRow.allow,
        RequestRow.deny,
    )
    failed = _failed(session, where)
    sets: dict[frozenset[str], frozenset[str]] = {}  # many requests name the same provers: they share one set

    def shared(keys: Iterable[str]) -> frozenset[str]:
        found = frozenset(map(sys.intern, keys))
        return sets.setdefault(found, found)

    alone = frozenset({fleet})
    found = []
    for row in session.execute(select(*columns).join(RequestRow.circuit).where(where)):
        identity, sequence, requester, circuit_id, domain, cap, created_at, deadline_at, recipients, allow, deny = row
        found.append(
            Waiting(
                id=identity,
                sequence=sequence,
                requester=requester,
                circuit_id=circuit_id,
                units=units_of(domain),
                cap=cap,
                created_at=created_at,
                deadline_at=deadline_at,
                recipients=alone if recipients is None else shared(recipients),
                allow=None if allow is None else shared(allow),
                deny=shared(deny) if deny else _NOBODY,
                failed=failed.get(identity, _NOBODY),
            )
        )
    return found


def _failed(session: Session, where: ColumnElement[bool]) -> dict[str, frozenset[str]]:
    """Provers (not the fleet: its workers turn by themselves) that had an attempt at these requests."""
    rows = (
        select(AttemptRow.request_id, AttemptRow.prover)
        .join(AttemptRow.request)
        .where(where, AttemptRow.prover.is_not(None))
    )
    found: dict[str, set[str]] = defaultdict(set)
    for request_id, prover in session.execute(rows):
        if prover is not None:
            found[request_id].add(prover)
    return {request_id: frozenset(keys) for request_id, keys in found.items()}
