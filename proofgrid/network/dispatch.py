"""The dispatch loop: the market gives waiting requests away, the fleet's attempts get into the task queue.

Two steps with the database between them: the attempt is written before it is sent, and what was not marked as
sent is sent again after a crash. A task that arrives twice is claimed once. Attempts of other provers are not sent:
they come for them.
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, InputKind, ProveTask
from proofgrid.network.attempts import Assignment, open_attempts
from proofgrid.network.broker import Broker
from proofgrid.network.database import AttemptRow, Database, RequestRow
from proofgrid.network.market import usage, why
from proofgrid.network.market.board import Board, Fleet, load_board, loads_of
from proofgrid.network.market.candidates import Match
from proofgrid.network.market.matching import run_round
from proofgrid.network.market.waiting import MAX_WAITING, WaitingRoom, is_anybody_waiting, running_of
from proofgrid.network.tables.market import AskRow
from proofgrid.network.transitions import move_attempt

MAX_OUTSTANDING = 256
"""Tasks in the queue at once; what waits behind them can still be cancelled, and goes first come, first served."""
MAX_MATCHES = 512
WRITTEN_AT_ONCE = 256
"""Between two such transactions others may write."""

SENT_AT_ONCE = 32
"""Tasks that one transaction marks as sent: so many are sent again after a crash, and are claimed once."""


def assign(
    database: Database, config: NetworkConfig, fleet: str, now: float, *, room: WaitingRoom | None = None
) -> int:
    """One round of the market: attempts for waiting requests, priced; their number.

    ``fleet`` is the fleet's key; ``room`` spares reading again what a former round has read. Why the others wait is
    noted for their requesters. A round ends after ``MAX_MATCHES``, written ``WRITTEN_AT_ONCE`` to a transaction.
    Cost: see :mod:`proofgrid.network.market.matching` and :class:`WaitingRoom`.
    """
    room = WaitingRoom() if room is None else room
    with database.reading() as session:
        if not is_anybody_waiting(session, now):
            return 0
        board = load_board(session, config, Fleet(fleet, MAX_OUTSTANDING), now)
        limit = MAX_WAITING if board.free else why.NOTES_AT_ONCE
        waiting = room.load(session, fleet, now, limit=limit)
        running = running_of(session)
    matches = run_round(waiting, board.candidates, running, board.start, now, board.rules, limit=MAX_MATCHES)
    assigned = 0
    for first in range(0, len(matches), WRITTEN_AT_ONCE):
        some = matches[first : first + WRITTEN_AT_ONCE]
        with database.writing() as session:
            assigned += _open(session, board, _within_capacity(session, board, some))
    room.forget(match.request for match in matches)
    why.note(database, board, waiting, {match.request.id for match in matches})
    return assigned


def _within_capacity(session: Session, board: Board, matches: Sequence[Match]) -> list[Match]:
    """The matches that still hold with the provers' rows locked: another coordinator may have been faster."""
    others = sorted({match.key for match in matches if match.key != board.fleet})
    if not others:
        return list(matches)
    rows = session.scalars(select(AskRow).where(AskRow.prover.in_(others)).order_by(AskRow.prover).with_for_update())
    slots = {row.prover: row.capacity for row in rows}
    room = {one.key: board.rules.room(one) + one.at_risk_lamports for one in board.candidates if one.key in slots}
    for prover, load in loads_of(session, frozenset(others)).items():
        if prover in slots:
            slots[prover] -= load.attempts
            room[prover] -= load.at_risk
    kept = []
    for match in matches:
        if match.key != board.fleet:
            slots[match.key] = slots.get(match.key, 0) - 1
            room[match.key] = room.get(match.key, 0) - match.price
            if slots[match.key] < 0 or room[match.key] < 0:
                continue
        kept.append(match)
    return kept


def _open(session: Session, board: Board, matches: Sequence[Match]) -> int:
    """Write the matches down; how many were not taken meanwhile."""
    assignments = [
        Assignment(one.request.id, None if one.key == board.fleet else one.key, one.price) for one in matches
    ]
    opened = open_attempts(session, assignments, board.now)
    usage.begin(session, {opened[one.request.id]: one for one in matches if one.request.id in opened}, board.now)
    return len(opened)


def send(database: Database, broker: Broker, gateway_url: str, fleet: str, now: float) -> int:
    """Put queued attempts of the fleet, whose key is ``fleet``, into its queue, the oldest request first; their number.

    Raises :class:`~proofgrid.errors.QueueError`, after which the rest stays queued.
    """
    with database.reading() as session:
        attempts = session.scalars(
            select(AttemptRow)
            .join(AttemptRow.request)
            .where(AttemptRow.state == AttemptState.QUEUED, AttemptRow.not_before <= now, AttemptRow.prover.is_(None))
            .order_by(RequestRow.sequence)
            .options(contains_eager(AttemptRow.request).joinedload(RequestRow.circuit))
        ).all()
        tasks = [task_of(attempt, gateway_url, fleet) for attempt in attempts]
    for first in range(0, len(tasks), SENT_AT_ONCE):
        _send(database, broker, tasks[first : first + SENT_AT_ONCE], now)
    return len(tasks)


def _send(database: Database, broker: Broker, tasks: list[ProveTask], now: float) -> None:
    """Send these, then mark in one transaction those that the queue took."""
    taken = []
    try:
        for task in tasks:
            broker.send(task)
            taken.append(task)
    finally:
        with database.writing() as session:
            for task in taken:
                move_attempt(session, task.attempt_id, task.token, AttemptState.QUEUED, AttemptState.SENT, sent_at=now)


def put_back_lost(database: Database, config: NetworkConfig, broker: Broker, now: float) -> int:
    """Queue again what was sent and is in no queue any more: Redis lost it, or a worker died with it; their number.

    That is everything overdue when the queue is empty; else what was sent before a task that was claimed a while ago,
    since the queue gives first what came first.
    """
    overdue_since = now - config.timing.resend_after_s
    with database.reading() as session:
        overdue = session.execute(
            select(AttemptRow.id, AttemptRow.token, AttemptRow.sent_at)
            .where(
                AttemptRow.state == AttemptState.SENT,
                AttemptRow.sent_at <= overdue_since,
                AttemptRow.prover.is_(None),
            )
            .order_by(AttemptRow.id)
        ).all()
        if not overdue:
            return 0
        passed = session.scalar(select(func.max(AttemptRow.sent_at)).where(AttemptRow.claimed_at <= overdue_since))
    if broker.waiting() > 0:
        overdue = [one for one in overdue if (one.sent_at or now) < (passed or 0.0)]
    if not overdue:
        return 0
    with database.writing() as session:
        return sum(
            move_attempt(session, attempt.id, attempt.token, AttemptState.SENT, AttemptState.QUEUED, not_before=now)
            for attempt in overdue
        )


def task_of(attempt: AttemptRow, gateway_url: str, prover: str) -> ProveTask:
    """What ``prover``, whose attempt this is, needs to know; with the key sealed to it."""
    request = attempt.request
    return ProveTask(
        attempt_id=attempt.id,
        token=attempt.token,
        request_id=request.id,
        gateway_url=gateway_url,
        circuit_id=request.circuit_id,
        zkey_digest=request.circuit.zkey_digest,
        wasm_digest=request.circuit.wasm_digest,
        sealed_digest=request.sealed_digest,
        sealed_key=None if request.sealed_keys is None else request.sealed_keys.get(prover),
        input_kind=InputKind(request.input_kind),
    )
