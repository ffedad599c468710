"""Envelopes' sealed keys, provers of other operators, and the nonces of signed calls."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("requests", sa.Column("sealed_keys", sa.JSON, nullable=True))
    op.create_table(
        "provers",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("chain_address", sa.String(44), nullable=True),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("hardware_kind", sa.String(8), nullable=False),
        sa.Column("hardware_name", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("registered_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("left_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("key", name="provers_pkey"),
    )
    op.create_table(
        "seen_nonces",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", "nonce", name="seen_nonces_pkey"),
    )
    op.create_index("seen_nonces_by_end", "seen_nonces", ["until"])
