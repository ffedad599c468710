"""The market: asks, the price index, why requests wait, usage; who may prove a request, and at what price."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    _columns()
    _prices()
    _per_request()


def _columns() -> None:
    op.add_column("circuits", sa.Column("domain_size", sa.Integer, nullable=False, server_default="0"))
    op.add_column("requests", sa.Column("pay_until_at", sa.Double))
    for name in ("recipients", "allow", "deny"):
        op.add_column("requests", sa.Column(name, sa.JSON))
    op.add_column("attempts", sa.Column("prover", sa.String(64)))
    op.add_column("attempts", sa.Column("price_lamports", sa.BigInteger))


def _prices() -> None:
    op.create_table(
        "asks",
        sa.Column("prover", sa.String(64), nullable=False),
        sa.Column("base_lamports", sa.BigInteger, nullable=False),
        sa.Column("per_unit_lamports", sa.BigInteger, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("hardware_kind", sa.String(8), nullable=False),
        sa.Column("hardware_name", sa.String(64), nullable=False),
        sa.Column("circuits", sa.JSON),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("prover", name="asks_pkey"),
    )
    op.create_table(
        "prices",
        sa.Column("size_class", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("paid_micro", sa.BigInteger, nullable=False),
        sa.Column("index_micro", sa.BigInteger, nullable=False),
        sa.Column("deals", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("size_class", name="prices_pkey"),
    )
    op.create_table(
        "price_points",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("size_class", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("index_micro", sa.BigInteger, nullable=False),
        sa.Column("deals", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("free", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="price_points_pkey"),
    )
    op.create_index("price_points_by_size", "price_points", ["size_class", "at"])


def _per_request() -> None:
    op.create_table(
        "skips",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("eligible", sa.Integer, nullable=False),
        sa.Column("offer_lamports", sa.BigInteger, nullable=False),
        sa.Column("would_take_at", sa.BigInteger),
        sa.Column("looked_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="skips_pkey"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="skips_request_id_fkey"),
    )
    op.create_table(
        "usage",
        sa.Column("attempt_id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("prover", sa.String(64), nullable=False),
        sa.Column("units", sa.Integer, nullable=False),
        sa.Column("ask_lamports", sa.BigInteger, nullable=False),
        sa.Column("second_lamports", sa.BigInteger),
        sa.Column("offer_lamports", sa.BigInteger, nullable=False),
        sa.Column("price_lamports", sa.BigInteger, nullable=False),
        sa.Column("assigned_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("closed_at", sa.Double),
        sa.Column("outcome", sa.String(16)),
        sa.PrimaryKeyConstraint("attempt_id", name="usage_pkey"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="usage_attempt_id_fkey"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="usage_request_id_fkey"),
    )
    op.create_index("usage_open", "usage", ["attempt_id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("usage_by_end", "usage", ["ended_at"])
    op.create_index("usage_by_request", "usage", ["request_id"])
    op.create_index("usage_by_prover", "usage", ["prover", "ended_at"])
