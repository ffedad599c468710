"""Admission: sets of points, how provers stand, their challenges and reputation; slashes on their way to the chain."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    _admission()
    _reputation()


def _admission() -> None:
    op.create_table(
        "point_sets",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("secret_tag", sa.String(32), nullable=False),
        sa.Column("log_n", sa.Integer, nullable=False),
        sa.Column("n_issued", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("number", name="point_sets_pkey"),
        sa.UniqueConstraint("digest", name="point_sets_digest_key"),
    )
    op.create_table(
        "admissions",
        sa.Column("prover", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("slow", sa.Integer, nullable=False),
        sa.Column("suspensions", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("msm_per_s", sa.Double),
        sa.Column("ntt_per_s", sa.Double),
        sa.Column("proven_per_s", sa.Double),
        sa.Column("cause", sa.JSON),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("prover", name="admissions_pkey"),
    )
    op.create_index("admissions_by_due", "admissions", ["state", "due_at"])
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("prover", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("log_n", sa.Integer, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("artifact", sa.String(64)),
        sa.Column("set_number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("issued_at", sa.Double, nullable=False),
        sa.Column("answer_until", sa.Double, nullable=False),
        sa.Column("answer_digest", sa.String(64)),
        sa.Column("seconds", sa.Double),
        sa.Column("cause", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="challenges_pkey"),
    )
    op.create_index(
        "one_open_challenge", "challenges", ["prover"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("challenges_by_state", "challenges", ["state", "answer_until"])
    op.create_index("challenges_by_prover", "challenges", ["prover", "issued_at"])


def _reputation() -> None:
    op.create_table(
        "reputations",
        sa.Column("prover", sa.String(64), nullable=False),
        sa.Column("successes", sa.Double, nullable=False),
        sa.Column("faults", sa.Double, nullable=False),
        sa.Column("invalid", sa.Double, nullable=False),
        sa.Column("causes", sa.JSON, nullable=False),
        sa.Column("latencies", sa.JSON, nullable=False),
        sa.Column("up_s", sa.Double, nullable=False),
        sa.Column("watched_s", sa.Double, nullable=False),
        sa.Column("heard_at", sa.Double),
        sa.Column("decayed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("prover", name="reputations_pkey"),
    )
    op.create_table(
        "slashes",
        sa.Column("request", sa.String(44), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("prover", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("signature", sa.String(88)),
        sa.Column("transaction", sa.LargeBinary),
        sa.Column("last_valid_block_height", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("request", name="slashes_pkey"),
    )
    op.create_index("slashes_by_state", "slashes", ["state", "due_at"])
