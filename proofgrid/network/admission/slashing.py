"""Missed deadlines on their way to the chain: an outbox of requests with an escrow, each slashed at most once.

    due -> signed -> slashed      over: proven, refunded, or slashed by somebody else
     ^-------'   the transaction expired or failed: the chain is asked again

A transaction's bytes are written down before they are sent, and only those bytes are sent until they can no longer
land; the program refuses a second slash of one request in any case.
"""

import logging
from enum import StrEnum
from typing import Any, Protocol, cast, runtime_checkable

from solders.signature import Signature
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from proofgrid.errors import ProgramRefused
from proofgrid.network.database import Database
from proofgrid.network.tables.admission import SlashRow
from proofgrid.settlement.sender import Signed, TransactionExpired

log = logging.getLogger(__name__)

NOT_YET = "NotYetMissed"
RETRY_S = 5.0
REFUSED_RETRY_S = 300.0


class SlashState(StrEnum):
    """How far a slash is."""

    DUE = "due"
    SIGNED = "signed"  # its transaction is stored and may have been sent
    SLASHED = "slashed"
    OVER = "over"


@runtime_checkable
class Court(Protocol):
    """The chain as slashing needs it; raises :class:`~proofgrid.errors.SettlementError`."""

    def prepare_slash(self, request: str) -> Signed | None:
        """A signed transaction, not sent; None if there is nothing to slash. Raises ProgramRefused before it is due."""

    def bring_slash(self, signed: Signed) -> bool:
        """Has it landed? If not, it is sent again. Raises TransactionExpired, ProgramRefused."""


def watch(session: Session, request: str, request_id: str, prover: str | None, due_at: float, now: float) -> None:
    """Slash ``prover`` for the request account ``request`` once ``due_at`` has passed; a second call changes nothing.

    Call it in the transaction in which the attempt is assigned, with the account's ``settle_until_s``: a request that
    is proven in time is found over when it is due.
    """
    if session.get(SlashRow, request) is None:
        row = SlashRow(request=request, request_id=request_id, prover=prover, state=SlashState.DUE, due_at=due_at)
        row.created_at = now
        session.add(row)


def send_due(database: Database, court: Court, now: float) -> int:
    """Bring every slash that is due a step on; the number that landed. Raises ChainUnavailable, after which the next
    call goes on from what was written."""
    with database.reading() as session:
        open_states = (SlashState.DUE.value, SlashState.SIGNED.value)
        rows = session.scalars(
            select(SlashRow).where(SlashRow.state.in_(open_states), SlashRow.due_at <= now).order_by(SlashRow.due_at)
        ).all()
    return sum(_step(database, court, row, now) for row in rows)


def _step(database: Database, court: Court, row: SlashRow, now: float) -> bool:
    signed = _stored(row) if row.state == SlashState.SIGNED else _signed(database, court, row, now)
    if signed is None:
        return False
    try:
        landed = court.bring_slash(signed)
    except (TransactionExpired, ProgramRefused) as error:  # it never lands, or landed and failed: ask the chain anew
        _move(database, row.request, SlashState.SIGNED, SlashState.DUE, note=str(error), due_at=now + RETRY_S)
        return False
    if landed:
        log.warning("request %s: its prover was slashed on chain, transaction %s", row.request_id, signed.signature)
        return _move(database, row.request, SlashState.SIGNED, SlashState.SLASHED)
    return False


def _signed(database: Database, court: Court, row: SlashRow, now: float) -> Signed | None:
    """The transaction of a slash that has none yet, written down; None if there is none to send now."""
    try:
        signed = court.prepare_slash(row.request)
    except ProgramRefused as error:
        wait_s = RETRY_S if error.name == NOT_YET else REFUSED_RETRY_S
        _move(database, row.request, SlashState.DUE, SlashState.DUE, due_at=now + wait_s, note=str(error))
        return None
    if signed is None:
        _move(database, row.request, SlashState.DUE, SlashState.OVER)
        return None
    values = {
        "signature": str(signed.signature),
        "transaction": signed.raw,
        "last_valid_block_height": signed.last_valid_block_height,
    }
    return signed if _move(database, row.request, SlashState.DUE, SlashState.SIGNED, **values) else None


def _stored(row: SlashRow) -> Signed:
    if row.signature is None or row.transaction is None or row.last_valid_block_height is None:
        raise ValueError(f"the slash of {row.request} is signed and holds no transaction")
    return Signed(Signature.from_string(row.signature), row.transaction, row.last_valid_block_height)


def _move(database: Database, request: str, old: SlashState, new: SlashState, **values: Any) -> bool:
    statement = update(SlashRow).where(SlashRow.request == request, SlashRow.state == old.value)
    with database.writing() as session:
        result = cast(CursorResult[Any], session.execute(statement.values(state=new.value, **values)))
        return result.rowcount == 1
