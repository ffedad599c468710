"""Provers' standing asks: published by a signed call, replaced only by a newer one, sealed from everybody else."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from proofgrid.errors import Conflict, MalformedInput
from proofgrid.models.market import MAX_ASK_S, Ask, Hardware, HardwareKind
from proofgrid.network.database import CircuitRow
from proofgrid.network.market.pricing import units_of
from proofgrid.network.tables.market import AskRow


def publish(session: Session, prover: str, ask: Ask, now: float) -> Ask:
    """Make this the prover's ask; the one that stands. The same again is the same.

    Raises :class:`MalformedInput` for an ask that has expired or lasts too long, and :class:`Conflict` for a sequence
    that is not newer.
    """
    if not now < ask.expires_at <= now + MAX_ASK_S:
        raise MalformedInput(
            f"expires_at must lie within the next {MAX_ASK_S:.0f} s; it is {ask.expires_at - now:+.0f} s"
        )
    row = session.scalar(select(AskRow).where(AskRow.prover == prover).with_for_update())
    if row is not None:
        standing = ask_of(row)
        if standing == ask:
            return standing
        if ask.sequence <= row.sequence:
            raise Conflict(
                f"the ask's sequence is {ask.sequence}, the standing one's {row.sequence}: sign a higher one"
            )
    row = row or AskRow(prover=prover)
    values = ask.model_dump(exclude={"hardware", "circuits"})
    for name, value in values.items():
        setattr(row, name, value)
    row.hardware_kind, row.hardware_name = ask.hardware.kind.value, ask.hardware.name
    row.circuits = None if ask.circuits is None else list(ask.circuits)
    row.updated_at = now
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("another first ask of this prover came at the same moment: read it, then send again") from error
    return ask


def ask_of(row: AskRow | Row[Any]) -> Ask:
    """The ask that this row holds; it was checked on the way in."""
    return Ask.model_construct(
        base_lamports=row.base_lamports,
        per_unit_lamports=row.per_unit_lamports,
        capacity=row.capacity,
        hardware=Hardware.model_construct(kind=HardwareKind(row.hardware_kind), name=row.hardware_name),
        circuits=None if row.circuits is None else tuple(row.circuits),
        expires_at=row.expires_at,
        sequence=row.sequence,
    )


def is_within_reach(session: Session, circuit_id: str, cap: int, now: float) -> bool:
    """Does any standing ask take this circuit for at most ``cap``? Cost: one scan of the asks."""
    domain_size = session.scalar(select(CircuitRow.domain_size).where(CircuitRow.id == circuit_id)) or 0
    price = AskRow.base_lamports + AskRow.per_unit_lamports * units_of(domain_size)
    near = session.scalars(select(AskRow).where(AskRow.expires_at > now, price <= cap)).all()
    return any(row.circuits is None or circuit_id in row.circuits for row in near)


def standing_ask(session: Session, prover: str) -> Ask | None:
    """This prover's own ask."""
    row = session.get(AskRow, prover)
    return None if row is None else ask_of(row)
