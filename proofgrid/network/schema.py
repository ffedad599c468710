"""The database's schema and its revisions: made, upgraded, refused.

An empty SQLite file gets today's tables at once and is marked with the newest revision; tests hold that equal to
running every revision. An older one is upgraded in one transaction. PostgreSQL changes only when its operator asks.
Alembic is imported only when there is something to upgrade.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, inspect, text

from proofgrid.errors import Conflict, MalformedInput
from proofgrid.network import tables  # noqa: F401  # makes the metadata whole
from proofgrid.network.database import Base

FIRST = "0001"
"""What a database from before revisions is."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x70726F6F66  # "proof": PostgreSQL's advisory lock that upgrades take
_REVISION = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)


class State(StrEnum):
    """How a database stands to this program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    UNMARKED = "unmarked"
    """From before revisions."""
    NEWER = "newer"


@dataclass(frozen=True)
class Standing:
    """``pending`` are the revisions that an upgrade would run, the next one first."""

    state: State
    revision: str | None
    pending: tuple[str, ...]


def revisions() -> tuple[str, ...]:
    """Every revision, the first one first. Raises ``ValueError`` (a defect of ours) unless they are one line."""
    after: dict[str | None, str] = {}
    for file in _MIGRATIONS.glob("versions/[!_]*.py"):
        found = {name: value or None for name, value in _REVISION.findall(file.read_text())}
        if found.keys() != {"revision", "down_revision"} or found["revision"] is None:
            raise ValueError(f"{file.name} does not say its revision and the one before")
        if found["down_revision"] in after:
            raise ValueError(f"two revisions follow {found['down_revision']}: {file.name} is one of them")
        after[found["down_revision"]] = found["revision"]
    line: list[str] = []
    while (following := after.pop(line[-1] if line else None, None)) is not None:
        line.append(following)
    if after or not line:
        raise ValueError(f"these revisions follow none: {sorted(after.values())}")
    return tuple(line)


def standing(connection: Connection) -> Standing:
    """How this database stands; changes nothing."""
    line = revisions()
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if revision is not None and revision not in line:
            return Standing(State.NEWER, revision, ())
        if revision is not None:
            pending = line[line.index(revision) + 1 :]
            return Standing(State.OLDER if pending else State.CURRENT, revision, pending)
        names.discard("alembic_version")
    if not names:
        return Standing(State.EMPTY, None, line)
    return Standing(State.UNMARKED, None, line[line.index(FIRST) + 1 :])


def open_local(engine: Engine) -> None:
    """Bring an SQLite file to the newest revision; raises :class:`Conflict` for one of a newer program.

    Cost: one query if there is nothing to do, about 10 ms for an empty file, 100 ms to load alembic for an old one.
    """
    with engine.connect() as connection:
        found = standing(connection)
    if found.state is not State.CURRENT:
        upgrade(engine)


def require_current(engine: Engine) -> None:
    """Raise :class:`Conflict` unless a database that others share is at the newest revision."""
    with engine.connect() as connection:
        found = standing(connection)
    _refuse_newer(found)
    if found.state is not State.CURRENT:
        raise Conflict(
            f"the database is {found.state}: it lacks {len(found.pending) or 'some'} revisions; a shared one is never "
            "changed unasked: stop the networks on it, back it up and run `proofgrid database upgrade`"
        )


def upgrade(engine: Engine) -> Standing:
    """Run what is pending, all of it or nothing; how the database stood before. Safe to run twice at once.

    Raises :class:`Conflict` for a newer database, :class:`MalformedInput` for tables that are not this program's.
    """
    local = engine.dialect.name == "sqlite"
    with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").connect() as connection:
        if local:  # else a table that is built anew takes the rows with it that point to it
            _driver(connection).execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not local:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                return _upgrade(connection)
        finally:
            if local:
                _driver(connection).execute("PRAGMA foreign_keys=ON")


def differences(connection: Connection) -> list[str]:
    """Everything in which this database differs from the models, and rows that point nowhere, in words."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = [_in_words(difference) for difference in compare_metadata(context, Base.metadata)]
    if connection.dialect.name == "sqlite":
        found += [f"integrity: {row[0]}" for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
        lost = connection.execute(text("PRAGMA foreign_key_check"))
        found += [f"row {row[1]} of {row[0]} points to no row of {row[2]}" for row in lost]
    return found


def _upgrade(connection: Connection) -> Standing:
    before = standing(connection)
    _refuse_newer(before)
    if before.state is State.EMPTY:
        Base.metadata.create_all(connection)
        _mark(connection, before.pending[-1])
    elif before.state is State.UNMARKED:
        _require_first(connection)
        _mark(connection, FIRST)
    if before.pending and before.state is not State.EMPTY:
        _run(connection, before.pending[-1])
        if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise Conflict("the upgrade would leave rows that point nowhere; nothing was changed; please report this")
    return before


def _run(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, revision)


def _mark(connection: Connection, revision: str) -> None:
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS alembic_version "
            "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:revision)"), {"revision": revision})


def _refuse_newer(found: Standing) -> None:
    if found.state is State.NEWER:
        raise Conflict(
            f"the database is at revision {found.revision}, which this program does not know: a newer one has used "
            "it; update proofgrid, or name another database or state folder"
        )


def _require_first(connection: Connection) -> None:
    """Does a database without a mark hold the first revision's tables, and nothing else?"""
    memory = create_engine("sqlite://")
    with memory.begin() as scratch:
        _run(scratch, FIRST)
        expected = _columns(scratch)
    memory.dispose()
    expected.pop("alembic_version")
    found = _columns(connection)
    found.pop("alembic_version", None)
    if found != expected:
        wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        raise MalformedInput(
            f"the database has tables without a revision's mark, and they are not the first revision's: "
            f"{', '.join(wrong)}; name an empty database, or another state folder"
        )


def _columns(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {name: {c["name"] for c in inspector.get_columns(name)} for name in inspector.get_table_names()}


def _driver(connection: Connection) -> Any:
    """The driver's own connection: a pragma through SQLAlchemy's would stand in a transaction, and be ignored."""
    return connection.connection.driver_connection


def _in_words(difference: Any) -> str:
    if isinstance(difference, list):
        return "; ".join(_in_words(one) for one in difference)
    kind, *parts = difference
    return f"{kind.replace('_', ' ')}: {' '.join(str(part) for part in parts if part is not None)}"
