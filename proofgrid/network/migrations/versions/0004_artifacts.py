"""Artifacts with their owners and last use, and uploads under way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="artifacts_pkey"),
    )
    op.create_index("artifacts_by_use", "artifacts", ["used_at"])
    op.create_table(
        "artifact_owners",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name="artifact_owners_pkey"),
        sa.ForeignKeyConstraint(["digest"], ["artifacts.digest"], name="artifact_owners_digest_fkey"),
    )
    op.create_index("ix_artifact_owners_digest", "artifact_owners", ["digest"])
    op.create_table(
        "holdings",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="holdings_pkey"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("touched_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="uploads_pkey"),
        sa.UniqueConstraint("owner", "digest", name="uploads_owner_digest_key"),
    )
    op.create_index("uploads_by_touch", "uploads", ["touched_at"])
