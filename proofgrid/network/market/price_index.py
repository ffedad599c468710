"""The price index in the database: a step each ``STEP_S``, from proofs that the verifier accepted."""

from collections import Counter, defaultdict
from statistics import median_low

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.models import AttemptState, Fulfilment
from proofgrid.models.market import PricePoint, Prices, SizePrices
from proofgrid.network.database import CircuitRow, Database, RequestRow
from proofgrid.network.market.board import Fleet, load_board
from proofgrid.network.market.index import STEP_S, Level, per_unit, step
from proofgrid.network.market.pricing import index_price, size_class, units_of
from proofgrid.network.tables.market import PricePointRow, PriceRow, UsageRow

HISTORY_S = 7 * 86400.0
QUIET_POINT_S = 600.0
"""Of an index that does not move, a point is kept so often."""


def advance(database: Database, config: NetworkConfig, fleet: Fleet, now: float) -> int:
    """Take the next step of each index if it is due; how many moved."""
    with database.reading() as session:
        last = session.scalar(select(func.max(PriceRow.updated_at)))
        if last is not None and last > now - STEP_S:
            return 0
        deals = _deals(session, last)
        if last is None and not deals:
            return 0
        waiting = _waiting(session)
        free = load_board(session, config, fleet, now).free
    with database.writing() as session:
        rows = {row.size_class: row for row in session.scalars(select(PriceRow).with_for_update())}
        if rows and max(row.updated_at for row in rows.values()) > now - STEP_S:
            return 0  # another coordinator took the step
        moved = 0
        for size in sorted(rows.keys() | deals.keys()):
            moved += _advance_one(session, rows.get(size), size, deals.get(size, []), waiting[size], free, now)
        session.execute(delete(PricePointRow).where(PricePointRow.at < now - HISTORY_S))
        return moved


def _advance_one(
    session: Session, row: PriceRow | None, size: int, deals: list[int], waiting: int, free: int, now: float
) -> bool:
    old = None if row is None else Level(row.paid_micro, row.index_micro)
    new = step(old, deals, waiting, free)
    if new is None:
        return False
    if row is None:
        row = PriceRow(size_class=size, deals=0)
        session.add(row)
    row.paid_micro, row.index_micro, row.updated_at = new.paid, new.index, now
    row.deals += len(deals)
    last = session.scalar(select(func.max(PricePointRow.at)).where(PricePointRow.size_class == size))
    if new != old or last is None or last <= now - QUIET_POINT_S:
        point = PricePointRow(
            size_class=size, at=now, index_micro=new.index, deals=len(deals), waiting=waiting, free=free
        )
        session.add(point)
    return new != old


def _deals(session: Session, since: float | None) -> dict[int, list[int]]:
    """Clearing prices per unit of accepted proofs, by size: one for each pair of requester and prover."""
    rows = select(UsageRow.requester, UsageRow.prover, UsageRow.units, UsageRow.price_lamports).where(
        UsageRow.outcome == AttemptState.ACCEPTED, UsageRow.units > 0, UsageRow.closed_at > (since or 0.0)
    )
    pairs: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for requester, prover, units, price in session.execute(rows):
        pairs[size_class(units), requester, prover].append(per_unit(price, units))
    deals: dict[int, list[int]] = defaultdict(list)
    for (size, _, _), found in sorted(pairs.items()):
        deals[size].append(median_low(found))
    return deals


def _waiting(session: Session) -> Counter[int]:
    """Waiting requests by size."""
    rows = (
        select(CircuitRow.domain_size, func.count())
        .join(RequestRow, RequestRow.circuit_id == CircuitRow.id)
        .where(RequestRow.fulfilment == Fulfilment.REQUESTED)
        .group_by(CircuitRow.domain_size)
    )
    found: Counter[int] = Counter()
    for domain_size, count in session.execute(rows):
        found[size_class(units_of(domain_size))] += count
    return found


def public_prices(session: Session, *, history: int = 0) -> Prices:
    """The index of every size, each with its last ``history`` points, the newest first."""
    sizes = []
    for row in session.scalars(select(PriceRow).order_by(PriceRow.size_class)):
        points = session.scalars(
            select(PricePointRow)
            .where(PricePointRow.size_class == row.size_class)
            .order_by(PricePointRow.at.desc())
            .limit(history)
        )
        max_units = 1 << row.size_class
        sizes.append(
            SizePrices(
                max_units=max_units,
                per_unit_micro=row.index_micro,
                lamports=min(index_price(row.index_micro, max_units), (1 << 63) - 1),
                deals=row.deals,
                updated_at=row.updated_at,
                history=tuple(
                    PricePoint(
                        at=point.at,
                        per_unit_micro=point.index_micro,
                        deals=point.deals,
                        waiting=point.waiting,
                        free=point.free,
                    )
                    for point in points
                ),
            )
        )
    return Prices(sizes=tuple(sizes))
