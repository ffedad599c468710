"""Admission's tables: sets of points, how provers stand, their challenges, their reputation, and slashes to send."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from proofgrid.models.challenges import Admission, ChallengeKind, ChallengeState
from proofgrid.network.database import Base, Status

_OPEN = text(f"state = '{ChallengeState.OPEN.value}'")


class PointSetRow(Base):
    """A numbered set of points; its secret logs follow from the number and the network's secret file."""

    __tablename__ = "point_sets"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    secret_tag: Mapped[str] = mapped_column(String(32))
    """Of the secret that it was made with; another secret cannot judge what is computed over it."""
    log_n: Mapped[int]
    n_issued: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float]


class AdmissionRow(Base):
    """One prover: may it work, and when is it asked to show that it can."""

    __tablename__ = "admissions"
    __table_args__ = (Index("admissions_by_due", "state", "due_at"),)

    prover: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[Admission] = mapped_column(Status(Admission), default=Admission.CANDIDATE)
    passed: Mapped[int] = mapped_column(default=0)
    """Challenges passed since it last failed one."""
    slow: Mapped[int] = mapped_column(default=0)
    """Challenges missed or late since it last passed one."""
    suspensions: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[float]
    msm_per_s: Mapped[float | None]
    """Points, over all steps; smoothed."""
    ntt_per_s: Mapped[float | None]
    """Elements, over all steps; smoothed."""
    proven_per_s: Mapped[float | None]
    """Units of accepted requests; smoothed."""
    cause: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[float]
    updated_at: Mapped[float]


class ChallengeRow(Base):
    """One challenge; a prover has at most one open."""

    __tablename__ = "challenges"
    __table_args__ = (
        Index("one_open_challenge", "prover", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("challenges_by_state", "state", "answer_until"),
        Index("challenges_by_prover", "prover", "issued_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    prover: Mapped[str] = mapped_column(String(64))
    kind: Mapped[ChallengeKind] = mapped_column(Status(ChallengeKind))
    seed: Mapped[str] = mapped_column(String(64))
    log_n: Mapped[int]
    steps: Mapped[int]
    artifact: Mapped[str | None] = mapped_column(String(64))
    set_number: Mapped[int]
    state: Mapped[ChallengeState] = mapped_column(Status(ChallengeState), default=ChallengeState.OPEN)
    issued_at: Mapped[float]
    answer_until: Mapped[float]
    answer_digest: Mapped[str | None] = mapped_column(String(64))
    seconds: Mapped[float | None]
    cause: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ReputationRow(Base):
    """What is remembered of a prover's work; every count halves each half-life, brought up to date when it is read."""

    __tablename__ = "reputations"

    prover: Mapped[str] = mapped_column(String(64), primary_key=True)
    successes: Mapped[float] = mapped_column(default=0.0)
    faults: Mapped[float] = mapped_column(default=0.0)
    invalid: Mapped[float] = mapped_column(default=0.0)
    causes: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    latencies: Mapped[list[float]] = mapped_column(JSON, default=list)
    up_s: Mapped[float] = mapped_column(default=0.0)
    watched_s: Mapped[float] = mapped_column(default=0.0)
    heard_at: Mapped[float | None]
    decayed_at: Mapped[float]


class SlashRow(Base):
    """A missed deadline on its way to the chain: one row, one transaction that lands."""

    __tablename__ = "slashes"
    __table_args__ = (Index("slashes_by_state", "state", "due_at"),)

    request: Mapped[str] = mapped_column(String(44), primary_key=True)
    """The request's account on chain."""
    request_id: Mapped[str] = mapped_column(String(64))
    prover: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[float]
    signature: Mapped[str | None] = mapped_column(String(88))
    transaction: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_valid_block_height: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[float]
