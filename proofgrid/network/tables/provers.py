"""Provers of other operators, and the nonces of the calls that they signed."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from proofgrid.network.database import Base


class ProverRow(Base):
    """What a prover says of itself; what it may do is admission's and the market's to say."""

    __tablename__ = "provers"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    chain_address: Mapped[str | None] = mapped_column(String(44))
    """Its prover account on chain, base58."""
    capacity: Mapped[int]
    hardware_kind: Mapped[str] = mapped_column(String(8))
    hardware_name: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    registered_at: Mapped[float]
    seen_at: Mapped[float]
    left_at: Mapped[float | None]


class NonceRow(Base):
    """A signed call that was made; kept for as long as its signature is good."""

    __tablename__ = "seen_nonces"
    __table_args__ = (Index("seen_nonces_by_end", "until"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    until: Mapped[float]
