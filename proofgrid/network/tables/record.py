"""What the store holds by whose wish, and uploads under way."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from proofgrid.network.database import Base


class ArtifactRow(Base):
    """An artifact that a requester sent; what the network itself writes (proofs) has no row and is never swept."""

    __tablename__ = "artifacts"
    __table_args__ = (Index("artifacts_by_use", "used_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[float]
    used_at: Mapped[float]


class ArtifactOwnerRow(Base):
    """Who sent it; each of them is charged its bytes."""

    __tablename__ = "artifact_owners"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("artifacts.digest"), primary_key=True, index=True)


class HoldingRow(Base):
    """Bytes of an account's artifacts; of all artifacts together, each once, under the owner ``""``."""

    __tablename__ = "holdings"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)


class UploadRow(Base):
    """An upload under way: its bytes are charged from its beginning; how many are here, its file says."""

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("owner", "digest"), Index("uploads_by_touch", "touched_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    touched_at: Mapped[float]
