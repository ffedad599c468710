"""The market's tables: asks, the price index and its history, why requests wait, and what proving was used for."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from proofgrid.models import AttemptState
from proofgrid.network.database import Base, Status

_OPEN = text("closed_at IS NULL")


class AskRow(Base):
    """A prover's standing ask; sealed: no door shows it to anybody but its prover."""

    __tablename__ = "asks"

    prover: Mapped[str] = mapped_column(String(64), primary_key=True)
    base_lamports: Mapped[int] = mapped_column(BigInteger)
    per_unit_lamports: Mapped[int] = mapped_column(BigInteger)
    capacity: Mapped[int]
    hardware_kind: Mapped[str] = mapped_column(String(8))
    hardware_name: Mapped[str] = mapped_column(String(64))
    circuits: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    expires_at: Mapped[float]
    sequence: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[float]


class PriceRow(Base):
    """Where the index of one size of circuit stands; millionths per unit."""

    __tablename__ = "prices"

    size_class: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paid_micro: Mapped[int] = mapped_column(BigInteger)
    index_micro: Mapped[int] = mapped_column(BigInteger)
    deals: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[float]


class PricePointRow(Base):
    """One step of an index."""

    __tablename__ = "price_points"
    __table_args__ = (Index("price_points_by_size", "size_class", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    size_class: Mapped[int]
    at: Mapped[float]
    index_micro: Mapped[int] = mapped_column(BigInteger)
    deals: Mapped[int]
    waiting: Mapped[int]
    free: Mapped[int]


class SkipRow(Base):
    """What the market last found when it looked for a request's prover: one row for each request, overwritten."""

    __tablename__ = "skips"

    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    """Provers for each cause."""
    eligible: Mapped[int]
    offer_lamports: Mapped[int] = mapped_column(BigInteger)
    would_take_at: Mapped[int | None] = mapped_column(BigInteger)
    """The lowest cap at which somebody would have taken it, rounded up."""
    looked_at: Mapped[float]


class UsageRow(Base):
    """One attempt's use of a prover: opened when it is assigned, closed when it has ended.

    ``prover`` is a key, the fleet's too. ``started_at`` to ``ended_at`` is the time of proving: from the claim to the
    proof, or to the failure; both are the same where nobody ever claimed.
    """

    __tablename__ = "usage"
    __table_args__ = (
        Index("usage_open", "attempt_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("usage_by_end", "ended_at"),
        Index("usage_by_request", "request_id"),
        Index("usage_by_prover", "prover", "ended_at"),
    )

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"))
    requester: Mapped[str] = mapped_column(String(64))
    prover: Mapped[str] = mapped_column(String(64))
    units: Mapped[int]
    ask_lamports: Mapped[int] = mapped_column(BigInteger)
    second_lamports: Mapped[int | None] = mapped_column(BigInteger)
    offer_lamports: Mapped[int] = mapped_column(BigInteger)
    price_lamports: Mapped[int] = mapped_column(BigInteger)
    assigned_at: Mapped[float]
    started_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    closed_at: Mapped[float | None]
    """When this record was; the price index counts each once."""
    outcome: Mapped[AttemptState | None] = mapped_column(Status(AttemptState))

    @property
    def seconds(self) -> float:
        """Seconds of proving; 0 while it is open."""
        return 0.0 if self.ended_at is None or self.started_at is None else max(0.0, self.ended_at - self.started_at)
