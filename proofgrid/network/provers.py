"""Provers of other operators: registered by a signed call, handed what the market assigned to them, remembered."""

from collections.abc import Collection

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, contains_eager

from proofgrid.errors import NotFound, QueueError
from proofgrid.models import AttemptState, ProveTask
from proofgrid.models.market import Hardware, HardwareKind
from proofgrid.models.provers import ProverView, Registration
from proofgrid.network.database import AttemptRow, Database, RequestRow
from proofgrid.network.dispatch import task_of
from proofgrid.network.locks import lock
from proofgrid.network.tables.market import AskRow
from proofgrid.network.tables.provers import NonceRow, ProverRow
from proofgrid.network.transitions import move_attempt
from proofgrid.signed_calls import GOOD_FOR_S, Signed

_WAITING = (AttemptState.QUEUED, AttemptState.SENT)
_PRUNED_AT_ONCE = 10_000
SEEN_EVERY_S = 5.0
MAX_REGISTERED = 200_000


def remember(session: Session, call: Signed) -> bool:
    """Keep a signed call's nonce for as long as the signature is good; False if it was made before."""
    statement = text(
        "INSERT INTO seen_nonces (key, nonce, until) VALUES (:key, :nonce, :until) "
        "ON CONFLICT DO NOTHING RETURNING nonce"
    )
    values = {"key": call.key, "nonce": call.nonce, "until": call.time + GOOD_FOR_S + 1}
    return session.execute(statement, values).first() is not None


def prune(database: Database, now: float) -> int:
    """Forget nonces whose calls are refused by their time; their number, of at most 10,000."""
    old = select(NonceRow.nonce).where(NonceRow.until < now)
    with database.reading() as session:
        if session.execute(old.limit(1)).first() is None:
            return 0
    with database.writing() as session:
        some = session.execute(
            select(NonceRow.until).where(NonceRow.until < now).order_by(NonceRow.until).limit(_PRUNED_AT_ONCE)
        )
        last = max(row[0] for row in some)
        found = session.execute(delete(NonceRow).where(NonceRow.until <= last))
        return int(getattr(found, "rowcount", 0))


def register(session: Session, key: str, told: Registration, now: float) -> ProverView:
    """Write down what a prover says of itself; again is an update, and comes back after leaving.

    Raises :class:`QueueError` when there are too many: keys are free.
    """
    lock(session, f"prover {key}")
    row = session.get(ProverRow, key)
    if row is None:
        if (session.scalar(select(func.count()).select_from(ProverRow)) or 0) >= MAX_REGISTERED:
            raise QueueError("this network has as many registered provers as it keeps; ask its operator")
        row = ProverRow(key=key, registered_at=now)
        session.add(row)
    row.name, row.chain_address, row.capacity, row.version = told.name, told.chain_address, told.capacity, told.version
    row.hardware_kind, row.hardware_name = told.hardware.kind.value, told.hardware.name
    row.seen_at, row.left_at = now, None
    session.flush()
    return view_of(row)


def leave(session: Session, key: str, now: float) -> ProverView:
    """Take no new work: its ask ends; attempts at hand may be finished. Raises :class:`NotFound`."""
    lock(session, f"prover {key}")
    row = _found(session, key)
    row.left_at = row.left_at or now
    session.execute(update(AskRow).where(AskRow.prover == key, AskRow.expires_at > now).values(expires_at=now))
    return view_of(row)


def view(session: Session, key: str) -> ProverView:
    """What the public sees of one; raises :class:`NotFound`."""
    return view_of(_found(session, key))


def listed(session: Session, after: str, limit: int) -> tuple[ProverView, ...]:
    """Provers in the order of their keys, from behind ``after``."""
    rows = session.scalars(select(ProverRow).where(ProverRow.key > after).order_by(ProverRow.key).limit(limit))
    return tuple(view_of(row) for row in rows)


def _found(session: Session, key: str) -> ProverRow:
    row = session.get(ProverRow, key)
    if row is None:
        raise NotFound(f"no prover is registered with the key {key}: POST /v1/provers registers one")
    return row


def view_of(row: ProverRow) -> ProverView:
    return ProverView(
        key=row.key,
        name=row.name,
        chain_address=row.chain_address,
        capacity=row.capacity,
        hardware=Hardware(kind=HardwareKind(row.hardware_kind), name=row.hardware_name),
        version=row.version,
        registered_at=row.registered_at,
        seen_at=row.seen_at,
        left_at=row.left_at,
    )


def seen(database: Database, key: str, now: float) -> None:
    """A registered prover lives; raises :class:`NotFound`. Cost: a read; a write every few seconds."""
    with database.reading() as session:
        is_old = _found(session, key).seen_at < now - SEEN_EVERY_S
    if is_old:
        with database.writing() as session:
            session.execute(update(ProverRow).where(ProverRow.key == key).values(seen_at=now))


def work(database: Database, prover: str, held: Collection[str], slots: int, now: float) -> tuple[ProveTask, ...]:
    """What is assigned to this prover and not among ``held``, the oldest first, marked as sent.

    What was sent before and is not held comes again: the answer was lost, or the prover started anew.
    """
    waiting = (
        select(AttemptRow)
        .join(AttemptRow.request)
        .where(AttemptRow.prover == prover, AttemptRow.state.in_(_WAITING), AttemptRow.not_before <= now)
        .where(RequestRow.deadline_at > now)
        .order_by(RequestRow.sequence)
        .options(contains_eager(AttemptRow.request).joinedload(RequestRow.circuit))
    )
    with database.reading() as session:
        attempts = [one for one in session.scalars(waiting.limit(slots + len(held))) if one.id not in held][:slots]
        tasks = tuple(task_of(one, "", prover) for one in attempts)
    fresh = [one for one in attempts if one.state is AttemptState.QUEUED]
    if fresh:
        with database.writing() as session:
            for one in fresh:
                move_attempt(session, one.id, one.token, AttemptState.QUEUED, AttemptState.SENT, sent_at=now)
    return tasks
