"""The dispatch loop: waiting requests get an attempt, attempts get into the task queue.

Two steps with the database between them: the attempt is written before it is sent, and what was not marked as
sent is sent again after a crash. A task that arrives twice is claimed once.
"""

from sqlalchemy import func, select

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, Fulfilment, InputKind, ProveTask
from proofgrid.network.attempts import open_attempt
from proofgrid.network.broker import Broker
from proofgrid.network.database import AttemptRow, Database, RequestRow
from proofgrid.network.transitions import move_attempt

MAX_OUTSTANDING = 256
"""Tasks in the queue at once; what waits behind them can still be cancelled, and goes first come, first served."""


def assign(database: Database, now: float) -> int:
    """Open attempts for waiting requests, the oldest first; their number."""
    with database.reading() as session:
        waiting = (AttemptState.QUEUED, AttemptState.SENT)
        outstanding = session.scalar(select(func.count()).where(AttemptRow.state.in_(waiting))) or 0
        requests = session.scalars(
            select(RequestRow)
            .where(RequestRow.fulfilment == Fulfilment.REQUESTED, RequestRow.deadline_at > now)
            .order_by(RequestRow.sequence)
            .limit(max(0, MAX_OUTSTANDING - outstanding))
        ).all()
    if not requests:
        return 0
    with database.writing() as session:
        return sum(open_attempt(session, request, now) is not None for request in requests)


def send(database: Database, broker: Broker, gateway_url: str, now: float) -> int:
    """Put queued attempts into the task queue, the oldest request first; their number.

    Raises :class:`~proofgrid.errors.QueueError`, after which the rest stays queued.
    """
    with database.reading() as session:
        attempts = session.scalars(
            select(AttemptRow)
            .join(AttemptRow.request)
            .where(AttemptRow.state == AttemptState.QUEUED, AttemptRow.not_before <= now)
            .order_by(RequestRow.sequence)
        ).all()
        tasks = [_task(attempt, gateway_url) for attempt in attempts]
    for task in tasks:
        broker.send(task)
        with database.writing() as session:
            move_attempt(session, task.attempt_id, task.token, AttemptState.QUEUED, AttemptState.SENT, sent_at=now)
    return len(tasks)


def put_back_lost(database: Database, config: NetworkConfig, broker: Broker, now: float) -> int:
    """Queue again what was sent and is in no queue any more: Redis lost it, or a worker died with it; their number.

    That is everything overdue when the queue is empty; else what was sent before a task that was claimed a while ago,
    since the queue gives first what came first.
    """
    overdue_since = now - config.timing.resend_after_s
    with database.reading() as session:
        overdue = session.scalars(
            select(AttemptRow)
            .where(AttemptRow.state == AttemptState.SENT, AttemptRow.sent_at <= overdue_since)
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


def _task(attempt: AttemptRow, gateway_url: str) -> ProveTask:
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
        input_kind=InputKind(request.input_kind),
    )
