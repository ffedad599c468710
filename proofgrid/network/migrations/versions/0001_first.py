"""The first tables: circuits, requests, attempts, workers, epochs, batches, leaves, loops."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LIVE = sa.text("state IN ('queued', 'running', 'sent', 'submitted')")


def upgrade() -> None:
    _requests()
    _attempts()
    _batches()
    _signs_of_life()


def _requests() -> None:
    op.create_table(
        "circuits",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(96), nullable=False),
        sa.Column("zkey_digest", sa.String(64), nullable=False),
        sa.Column("wasm_digest", sa.String(64)),
        sa.Column("curve", sa.String(16), nullable=False),
        sa.Column("n_public", sa.Integer, nullable=False),
        sa.Column("verifying_key_digest", sa.String(64), nullable=False),
        sa.Column("verifying_key", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="circuits_pkey"),
    )
    op.create_table(
        "requests",
        sa.Column("sequence", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(128), nullable=False),
        sa.Column("body_digest", sa.String(64), nullable=False),
        sa.Column("circuit_id", sa.String(64), nullable=False),
        sa.Column("sealed_digest", sa.String(64), nullable=False),
        sa.Column("sealed_purged", sa.Boolean, nullable=False),
        sa.Column("input_kind", sa.String(16), nullable=False),
        sa.Column("expected_public_inputs", sa.JSON),
        sa.Column("max_price_lamports", sa.BigInteger, nullable=False),
        sa.Column("price_lamports", sa.BigInteger),
        sa.Column("deadline_at", sa.Double, nullable=False),
        sa.Column("fulfilment", sa.String(16), nullable=False),
        sa.Column("verification", sa.String(16), nullable=False),
        sa.Column("settlement", sa.String(16), nullable=False),
        sa.Column("cause", sa.JSON),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("fulfilled_at", sa.Double),
        sa.Column("committed_at", sa.Double),
        sa.PrimaryKeyConstraint("sequence", name="requests_pkey"),
        sa.UniqueConstraint("id", name="requests_id_key"),
        sa.UniqueConstraint("requester", "idempotency_key", name="requests_requester_idempotency_key_key"),
        sa.ForeignKeyConstraint(["circuit_id"], ["circuits.id"], name="requests_circuit_id_fkey"),
    )
    op.create_index("ix_requests_sealed_digest", "requests", ["sealed_digest"])
    op.create_index("requests_by_fulfilment", "requests", ["fulfilment", "sequence"])
    op.create_index("requests_by_settlement", "requests", ["settlement", "verification"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("worker", sa.String(96)),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("result_digest", sa.String(64)),
        sa.Column("cause", sa.JSON),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("claimed_at", sa.Double),
        sa.Column("heartbeat_at", sa.Double),
        sa.Column("submitted_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="attempts_pkey"),
        sa.UniqueConstraint("request_id", "number", name="attempts_request_id_number_key"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="attempts_request_id_fkey"),
    )
    op.create_index(
        "one_live_attempt", "attempts", ["request_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
    )
    op.create_index("attempts_by_state", "attempts", ["state", "not_before"])


def _batches() -> None:
    op.create_table(
        "epochs",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("chain_id", sa.String(64), nullable=False),
        sa.Column("program_id", sa.String(44), nullable=False),
        sa.Column("committer", sa.String(44), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("number", name="epochs_pkey"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("n_leaves", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("signature", sa.String(88)),
        sa.Column("address", sa.String(44)),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("committed_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="batches_pkey"),
        sa.UniqueConstraint("epoch", "number", name="batches_epoch_number_key"),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="batches_epoch_fkey"),
    )
    op.create_table(
        "leaves",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("batch_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.Text),
        sa.PrimaryKeyConstraint("request_id", name="leaves_pkey"),
        sa.UniqueConstraint("batch_id", "position", name="leaves_batch_id_position_key"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="leaves_request_id_fkey"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="leaves_batch_id_fkey"),
    )


def _signs_of_life() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.String(96), nullable=False),
        sa.Column("backend", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", name="workers_pkey"),
    )
    op.create_table(
        "loops",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("ticked_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("name", name="loops_pkey"),
    )
