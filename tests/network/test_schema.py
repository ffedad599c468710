"""Revisions: one line of them, equal to the models on both databases, run once and refused when too new."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from proofgrid.errors import Conflict, MalformedInput
from proofgrid.network import schema
from proofgrid.network.database import Base, Database, LoopRow, open_engine
from tests.network.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes empty databases."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'{os.urandom(4).hex()}.sqlite'}"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.new


@pytest.fixture
def engine(new_url: Callable[[], str]) -> Iterator[Engine]:
    """An empty database."""
    engine = open_engine(new_url(), durable=False)
    yield engine
    engine.dispose()


def _mark(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def _standing(engine: Engine) -> schema.Standing:
    with engine.connect() as connection:
        return schema.standing(connection)


def _everything(connection: Connection) -> dict[str, Any]:
    """Each table's columns, constraints and indexes with their names and conditions, whatever their order."""
    inspector = inspect(connection)
    if connection.dialect.name == "sqlite":
        conditions = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        conditions = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        )
    found: dict[str, Any] = {"": sorted(tuple(row) for row in connection.execute(text(conditions)))}
    for table in inspector.get_table_names():
        columns = [
            (c["name"], str(c["type"]), c["nullable"], str(c["default"]).split("'")[0])
            for c in inspector.get_columns(table)
        ]
        found[table] = [
            sorted(columns),
            _sorted(inspector.get_pk_constraint(table)),
            [_sorted(one) for one in sorted(inspector.get_unique_constraints(table), key=str)],
            [_sorted(one) for one in sorted(inspector.get_foreign_keys(table), key=str)],
            [_sorted(one) for one in sorted(inspector.get_check_constraints(table), key=str)],
        ]
    return found


def _sorted(facts: Any) -> list[tuple[str, str]]:
    return sorted((key, str(value)) for key, value in facts.items())


def test_the_revisions_are_one_line_and_the_first_is_first() -> None:
    assert schema.revisions()[0] == schema.FIRST


def test_alembic_sees_the_same_line() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [schema.revisions()[-1]]
    assert [one.revision for one in script.walk_revisions()] == list(reversed(schema.revisions()))


def test_two_revisions_after_one_are_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versions").mkdir()
    for name, before in (("a", "None"), ("b", '"a"'), ("c", '"a"')):
        (tmp_path / "versions" / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = {before}\n')
    monkeypatch.setattr(schema, "_MIGRATIONS", tmp_path)
    with pytest.raises(ValueError, match="two revisions follow a"):
        schema.revisions()


def test_running_every_revision_gives_what_the_models_make(new_url: Callable[[], str]) -> None:
    migrated, made = open_engine(new_url(), durable=False), open_engine(new_url(), durable=False)
    with migrated.begin() as connection:
        schema._run(connection, "head")
    schema.upgrade(made)
    with migrated.connect() as one, made.connect() as other:
        assert schema.differences(one) == schema.differences(other) == []
        assert _everything(one) == _everything(other)
        assert schema.standing(one) == schema.standing(other)
    migrated.dispose()
    made.dispose()


def test_a_difference_is_found(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE loops ADD COLUMN stray INTEGER"))
    with engine.connect() as connection:
        assert any("stray" in one for one in schema.differences(connection))


def test_upgrading_twice_runs_nothing_the_second_time(engine: Engine) -> None:
    assert schema.upgrade(engine).state is schema.State.EMPTY
    assert schema.upgrade(engine) == schema.Standing(schema.State.CURRENT, schema.revisions()[-1], ())


def test_two_upgrades_at_once_make_one_database(engine: Engine) -> None:
    states: list[schema.State] = []
    threads = [threading.Thread(target=lambda: states.append(schema.upgrade(engine).state)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [*[schema.State.CURRENT] * 3, schema.State.EMPTY]


def test_a_database_from_before_revisions_is_recognised_and_keeps_its_rows(engine: Engine) -> None:
    with engine.begin() as connection:
        schema._run(connection, schema.FIRST)
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("INSERT INTO loops (name, ticked_at) VALUES ('dispatch', 7)"))
    assert _standing(engine).state is schema.State.UNMARKED
    schema.upgrade(engine)
    assert _standing(engine).state is schema.State.CURRENT
    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert connection.execute(text("SELECT name, ticked_at FROM loops")).all() == [("dispatch", 7.0)]


def test_tables_of_something_else_are_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    with pytest.raises(MalformedInput, match="customers"):
        schema.upgrade(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["customers"]


def test_a_newer_database_is_refused_with_what_to_do(engine: Engine) -> None:
    schema.upgrade(engine)
    _mark(engine, "9999")
    for door in (schema.upgrade, schema.open_local, schema.require_current):
        with pytest.raises(Conflict, match=r"9999.*update proofgrid"):
            door(engine)


def test_a_shared_database_is_never_changed_unasked(postgresql: Cluster) -> None:
    url = postgresql.new()
    with pytest.raises(Conflict, match="proofgrid database upgrade"):
        Database(url)
    engine = open_engine(url)
    assert _standing(engine).state is schema.State.EMPTY
    schema.upgrade(engine)
    engine.dispose()
    Database(url).close()


def test_an_upgrade_that_fails_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as connection:
        schema._run(connection, schema.FIRST)
        connection.execute(text("DROP TABLE alembic_version"))
    monkeypatch.setattr(schema, "revisions", lambda: (schema.FIRST, "nowhere"))
    with pytest.raises(Exception, match="nowhere"):
        schema.upgrade(engine)
    monkeypatch.undo()
    assert _standing(engine).state is schema.State.UNMARKED


def test_an_old_file_opens_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema._run(connection, schema.FIRST)
        connection.execute(text("INSERT INTO loops (name, ticked_at) VALUES ('dispatch', 7)"))
    engine.dispose()
    database = Database(f"sqlite:///{path}")
    with database.reading() as session:
        assert session.get_one(LoopRow, "dispatch").ticked_at == 7.0
    database.close()
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.revisions()[-1],)]
    file.close()


def test_opening_leaves_foreign_keys_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with database.reading() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    database.close()


def test_every_room_declares_its_tables_in_the_metadata() -> None:
    folder = Path(schema.__file__).parent / "tables"
    modules = {path.stem for path in folder.glob("[!_]*.py")}
    homes = {mapper.class_.__module__.rpartition(".")[2] for mapper in Base.registry.mappers}
    assert modules <= homes
