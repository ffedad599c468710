"""What requesters keep in the store: charged to them, capped, and swept away when nothing names it any more."""

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from proofgrid.config import Limits, NetworkConfig
from proofgrid.errors import TooLarge
from proofgrid.network.database import AttemptRow, CircuitRow, Database, RequestRow
from proofgrid.network.locks import artifact_lock, lock
from proofgrid.network.tables.record import ArtifactOwnerRow, ArtifactRow, HoldingRow, UploadRow
from proofgrid.prover.artifacts import ArtifactStore

EVERYONE = ""
TOUCH_EVERY_S = 600.0
_SWEPT_AT_ONCE = 64


def charge(session: Session, digest: str, size: int, owner: str, now: float) -> None:
    """Write down that ``owner`` keeps this artifact; again is the same."""
    lock(session, artifact_lock(digest))
    row = session.get(ArtifactRow, digest)
    is_new = row is None
    if row is None:
        row = ArtifactRow(digest=digest, size=size, created_at=now, used_at=now)
        session.add(row)
    row.used_at = now
    session.flush()
    if session.get(ArtifactOwnerRow, (owner, digest)) is None:
        session.add(ArtifactOwnerRow(owner=owner, digest=digest))
        _add(session, owner, row.size)
    if is_new:
        _add(session, EVERYONE, row.size)


def require_room(session: Session, owner: str, size: int, limits: Limits) -> None:
    """Raise :class:`TooLarge` if ``size`` more bytes pass the account's quota or the store's.

    Who decides by it, and is not alone, holds ``quota_locks`` first.
    """
    account, everyone = used(session, owner), used(session, EVERYONE)
    if account + size > limits.max_account_bytes:
        raise TooLarge(
            f"your artifacts take {account} bytes of the {limits.max_account_bytes} that an account may keep; this one "
            f"has {size}: what no open request and no circuit names is swept away in time"
        )
    if everyone + size > limits.max_store_bytes:
        raise TooLarge(f"the network's store is full ({limits.max_store_bytes} bytes); ask its operator, or try later")


def quota_locks(owner: str) -> tuple[str, str]:
    """The names to lock before room is taken."""
    return "quota of the store", f"quota of {owner}"


def used(session: Session, owner: str) -> int:
    """Bytes charged to an account, or to ``EVERYONE``; uploads under way among them. Cost: two look-ups."""
    row = session.get(HoldingRow, owner, populate_existing=True)
    coming = select(func.coalesce(func.sum(UploadRow.size), 0))
    if owner != EVERYONE:
        coming = coming.where(UploadRow.owner == owner)
    return (0 if row is None else row.size) + int(session.scalar(coming) or 0)


def _add(session: Session, owner: str, size: int) -> None:
    statement = text("INSERT INTO holdings (owner, size) VALUES (:owner, 0) ON CONFLICT DO NOTHING")
    session.execute(statement, {"owner": owner})
    row = update(HoldingRow).where(HoldingRow.owner == owner).values(size=HoldingRow.size + size)
    session.execute(row, execution_options={"synchronize_session": False})


def touch(database: Database, digest: str, now: float) -> None:
    """Somebody asked for it and will name it: it stays a while longer. Cost: a read; a write now and then."""
    with database.reading() as session:
        row = session.get(ArtifactRow, digest)
    if row is not None and row.used_at < now - TOUCH_EVERY_S:
        with database.writing() as session:
            lock(session, artifact_lock(digest))
            found = session.get(ArtifactRow, digest)
            if found is not None:
                found.used_at = now


def forget(session: Session, store: ArtifactStore, digest: str) -> None:
    """Delete an artifact, whose lock the caller holds, and what it is charged."""
    size = session.scalar(select(ArtifactRow.size).where(ArtifactRow.digest == digest))
    if size is not None:
        owners = session.scalars(select(ArtifactOwnerRow.owner).where(ArtifactOwnerRow.digest == digest)).all()
        for owner in [*sorted(owners), EVERYONE]:
            _add(session, owner, -size)
    session.execute(delete(ArtifactOwnerRow).where(ArtifactOwnerRow.digest == digest))
    session.execute(delete(ArtifactRow).where(ArtifactRow.digest == digest))
    store.delete(digest)


def sweep(database: Database, store: ArtifactStore, config: NetworkConfig, now: float) -> int:
    """Delete artifacts that nothing names and nobody used for a while; their number, of at most 64 looked at."""
    unused = ArtifactRow.used_at < now - config.timing.artifact_retention_s
    with database.reading() as session:
        old = session.scalars(select(ArtifactRow.digest).where(unused).limit(_SWEPT_AT_ONCE)).all()
    swept = 0
    for digest in old:
        with database.writing() as session:
            lock(session, artifact_lock(digest))
            row = session.scalar(select(ArtifactRow).where(ArtifactRow.digest == digest, unused))
            if row is None:
                continue
            if is_named(session, digest):
                row.used_at = now  # looked at again when it could have become old anew
            else:
                forget(session, store, digest)
                swept += 1
    return swept


def is_named(session: Session, digest: str) -> bool:
    """Does a circuit, a proof, or a request whose witness is not purged name it?"""
    circuit = select(CircuitRow.id).where(or_(CircuitRow.zkey_digest == digest, CircuitRow.wasm_digest == digest))
    request = select(RequestRow.id).where(RequestRow.sealed_digest == digest, RequestRow.sealed_purged.is_(False))
    proof = select(AttemptRow.id).where(AttemptRow.result_digest == digest)
    return any(session.execute(rows.limit(1)).first() is not None for rows in (circuit, request, proof))
