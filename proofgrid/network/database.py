"""The database of record: tables and sessions. SQLite embedded (WAL); the URL may name PostgreSQL.

Rows change state only through :mod:`proofgrid.network.transitions`. Times are seconds since 1970, UTC.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Double,
    Engine,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from proofgrid.errors import MalformedInput, ProofgridError, QueueError
from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Verification
from proofgrid.models.statuses import LIVE_ATTEMPTS

BUSY_TIMEOUT_S = 30.0


_LIVE = text(f"state IN ({', '.join(repr(state.value) for state in sorted(LIVE_ATTEMPTS))})")


class Status(TypeDecorator[StrEnum]):
    """An enum stored as its value: rows stay readable, and a new member needs no migration."""

    impl = String(16)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """All tables; constraints bear the names that PostgreSQL would give them, so that migrations can name them."""

    type_annotation_map = {float: Double}  # noqa: RUF012  # SQLAlchemy's own default changed with 2.1
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "ix": "ix_%(column_0_label)s",
        }
    )


class CircuitRow(Base):
    __tablename__ = "circuits"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(96))
    zkey_digest: Mapped[str] = mapped_column(String(64))
    wasm_digest: Mapped[str | None] = mapped_column(String(64))
    curve: Mapped[str] = mapped_column(String(16))
    n_public: Mapped[int]
    verifying_key_digest: Mapped[str] = mapped_column(String(64))
    verifying_key: Mapped[dict[str, Any]] = mapped_column(JSON)
    domain_size: Mapped[int] = mapped_column(default=0, server_default="0")
    """0: registered before it was kept; registering again tells it."""
    created_at: Mapped[float]


class RequestRow(Base):
    """One request; ``sequence`` is the order of arrival."""

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("requester", "idempotency_key"),
        Index("requests_by_fulfilment", "fulfilment", "sequence"),
        Index("requests_by_settlement", "settlement", "verification"),
    )

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    requester: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str] = mapped_column(String(128))
    body_digest: Mapped[str] = mapped_column(String(64))
    circuit_id: Mapped[str] = mapped_column(ForeignKey("circuits.id"))
    sealed_digest: Mapped[str] = mapped_column(String(64), index=True)
    sealed_purged: Mapped[bool] = mapped_column(default=False)
    input_kind: Mapped[str] = mapped_column(String(16))
    expected_public_inputs: Mapped[list[str] | None] = mapped_column(JSON)
    max_price_lamports: Mapped[int] = mapped_column(BigInteger)
    price_lamports: Mapped[int | None] = mapped_column(BigInteger)
    deadline_at: Mapped[float]
    pay_until_at: Mapped[float | None]
    """The first deadline; None: as the second."""
    recipients: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Keys of the provers that can open the witness; None: the fleet alone."""
    sealed_keys: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    """The envelope's key, sealed to each recipient; None: the witness is sealed to the fleet's key itself."""
    allow: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    deny: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    fulfilment: Mapped[Fulfilment] = mapped_column(Status(Fulfilment), default=Fulfilment.REQUESTED)
    verification: Mapped[Verification] = mapped_column(Status(Verification), default=Verification.UNVERIFIED)
    settlement: Mapped[Settlement] = mapped_column(Status(Settlement), default=Settlement.UNSETTLED)
    cause: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[float]
    updated_at: Mapped[float]
    fulfilled_at: Mapped[float | None]
    committed_at: Mapped[float | None]

    circuit: Mapped[CircuitRow] = relationship()
    attempts: Mapped[list["AttemptRow"]] = relationship(back_populates="request", order_by="AttemptRow.number")


class AttemptRow(Base):
    """One worker's try; its ``token`` fences off every other."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("request_id", "number"),
        # However the code errs, a request never has two attempts that may give the proof.
        Index("one_live_attempt", "request_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("attempts_by_state", "state", "not_before"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"))
    number: Mapped[int]
    token: Mapped[str] = mapped_column(String(64))
    state: Mapped[AttemptState] = mapped_column(Status(AttemptState), default=AttemptState.QUEUED)
    prover: Mapped[str | None] = mapped_column(String(64))
    """The prover's key; None: the operator's own fleet."""
    price_lamports: Mapped[int | None] = mapped_column(BigInteger)
    """Fixed when it is assigned; None: before there was a market."""
    worker: Mapped[str | None] = mapped_column(String(96))
    progress: Mapped[float] = mapped_column(default=0.0)
    result_digest: Mapped[str | None] = mapped_column(String(64))
    cause: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[float]
    not_before: Mapped[float]
    sent_at: Mapped[float | None]
    claimed_at: Mapped[float | None]
    heartbeat_at: Mapped[float | None]
    submitted_at: Mapped[float | None]
    finished_at: Mapped[float | None]

    request: Mapped[RequestRow] = relationship(back_populates="attempts")


class WorkerRow(Base):
    """A worker's last sign of life."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(96), primary_key=True)
    backend: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[float]
    heartbeat_at: Mapped[float]


class EpochRow(Base):
    """One chain's log of batches; a devnet that starts anew starts a new epoch."""

    __tablename__ = "epochs"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    chain_id: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[str] = mapped_column(String(44))
    committer: Mapped[str] = mapped_column(String(44))
    started_at: Mapped[float]


class BatchRow(Base):
    """A Merkle root, and the transaction and the account that hold it once it is committed."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("epoch", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    epoch: Mapped[int] = mapped_column(ForeignKey("epochs.number"))
    number: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(String(64))
    n_leaves: Mapped[int]
    state: Mapped[BatchState] = mapped_column(Status(BatchState), default=BatchState.BUILT)
    signature: Mapped[str | None] = mapped_column(String(88))
    address: Mapped[str | None] = mapped_column(String(44))
    created_at: Mapped[float]
    committed_at: Mapped[float | None]

    leaves: Mapped[list["LeafRow"]] = relationship(back_populates="batch", order_by="LeafRow.position")


class LeafRow(Base):
    """A request's one leaf; the primary key makes a second impossible."""

    __tablename__ = "leaves"
    __table_args__ = (UniqueConstraint("batch_id", "position"),)

    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    position: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    receipt: Mapped[str | None] = mapped_column(Text)

    batch: Mapped[BatchRow] = relationship(back_populates="leaves")


class LoopRow(Base):
    """When a loop of the coordinator last did its work."""

    __tablename__ = "loops"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticked_at: Mapped[float]
    error: Mapped[str | None] = mapped_column(Text)


class Database:
    """Sessions over one engine. ``writing`` commits at the end of its block, or rolls back on an exception.

    An SQLite file is made or upgraded here; PostgreSQL must be at the newest revision (``proofgrid database upgrade``),
    else :class:`~proofgrid.errors.Conflict`.

    ``durable`` False gives up SQLite's sync to disk at each commit: a power cut may then undo the last ones.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        from proofgrid.network import schema  # which imports every table, and they this module

        self._engine = open_engine(url, durable=durable)
        self.is_local = self._engine.dialect.name == "sqlite"
        """Whether reading is reading a file of this machine, which no writer holds up."""
        # SQLite has one writer: threads of this process take turns, for it would let them sleep and ask again.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_local else nullcontext()
        try:
            (schema.open_local if self.is_local else schema.require_current)(self._engine)
        except OperationalError as error:
            self._engine.dispose()
            raise QueueError(f"the database cannot be opened: {error.orig}") from error
        except ProofgridError:
            self._engine.dispose()
            raise
        # A transaction that means to write takes SQLite's lock at once: one that upgrades later can deadlock.
        self._writing_engine = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self._turn, Session(self._writing_engine, expire_on_commit=False) as session, session.begin():
            session.connection()  # begin now, not with the first statement: what the block sees of files holds, too
            yield session

    def close(self) -> None:
        self._engine.dispose()


def open_engine(url: str, *, durable: bool = True) -> Engine:
    """The engine behind a URL, SQLite's with its pragmas; raises :class:`MalformedInput`. Opens no connection."""
    # Errors reach the log and /v1/health: they must not hold a statement's values, fencing tokens among them.
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    if url.startswith("sqlite"):
        options |= {"pool_pre_ping": False, "connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}}
    try:
        engine = create_engine(url, **options)
    except (ArgumentError, ImportError) as error:
        raise MalformedInput(
            f"the database's URL cannot be used: {error}; expected one like sqlite:////path/file or "
            "postgresql+psycopg://user@host/name, whose driver is installed"
        ) from error
    if engine.dialect.name != "sqlite":
        return engine
    if engine.url.database not in (None, "", ":memory:"):
        Path(str(engine.url.database)).touch(mode=0o600)  # SQLite's other files take its mode

    pragmas = ("journal_mode=WAL", f"synchronous={'FULL' if durable else 'OFF'}", "foreign_keys=ON")

    @event.listens_for(engine, "connect")
    def _open(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy, not sqlite3, says when a transaction begins
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine
