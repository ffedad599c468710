"""``proofgrid database``: the schema of the database of record; how it stands, brought up to date, checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofgrid.cli.output import Output
from proofgrid.cli.services import DEFAULT_STATE, AsJson, StateFolder, node_packages
from proofgrid.errors import NotFound, QueueError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from proofgrid.network.schema import Standing

commands = typer.Typer(no_args_is_help=True, help="The network's database: how its schema stands, upgraded, checked.")

DatabaseUrl = Annotated[
    str | None,
    typer.Option(envvar="PROOFGRID_DATABASE_URL", help="Instead of the state folder's SQLite, like `proofgrid up`."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(commands, name="database")
    commands.command()(status)
    commands.command()(upgrade)
    commands.command()(check)


@node_packages()
def status(state: StateFolder = DEFAULT_STATE, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Which revision the database is at, and which would be run; changes nothing."""
    from proofgrid.network import schema

    with _opened(state, database_url) as engine, engine.connect() as connection:
        found = schema.standing(connection)
        facts = _facts(engine, found)
    Output(as_json).result(facts, _sentence(facts))


@node_packages()
def upgrade(state: StateFolder = DEFAULT_STATE, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Bring the database to this program's revision, in one transaction; stop the networks on it and back it up first.

    An SQLite file is upgraded by `proofgrid up` on its own; PostgreSQL only by this command.
    """
    from proofgrid.network import schema

    out = Output(as_json)
    with _opened(state, database_url) as engine:
        before = schema.upgrade(engine)
        with engine.connect() as connection:
            facts = _facts(engine, schema.standing(connection)) | {"ran": list(before.pending)}
    ran = ", ".join(before.pending) or "nothing: it was current"
    out.result(facts, f"ran {ran}\n{_sentence(facts)}")


@node_packages()
def check(state: StateFolder = DEFAULT_STATE, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Compare the database with what this program expects, table by table; exit code 1 if they differ."""
    from proofgrid.network import schema

    with _opened(state, database_url) as engine, engine.connect() as connection:
        found = schema.standing(connection)
        differences = schema.differences(connection)
        facts = _facts(engine, found) | {"differences": differences}
    told = "\n".join(f"  {one}" for one in differences) or "  no differences"
    Output(as_json).result(facts, f"{_sentence(facts)}\n{told}")
    if differences or found.state is not schema.State.CURRENT:
        raise typer.Exit(1)


@contextmanager
def _opened(state: Path, database_url: str | None) -> Iterator["Engine"]:
    """The database's engine; raises :class:`NotFound` for an SQLite file that is not there, and makes none."""
    from sqlalchemy.exc import OperationalError

    from proofgrid.config import NetworkConfig
    from proofgrid.network.database import open_engine

    url = NetworkConfig(state_folder=state.expanduser().resolve(), database_url=database_url).resolved_database_url
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    if path is not None and not path.is_file():
        raise NotFound(f"{path}: there is no database; `proofgrid up` makes it, or name another --state folder")
    engine = open_engine(url)
    try:
        yield engine
    except OperationalError as error:
        raise QueueError(f"the database cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()


def _facts(engine: "Engine", found: "Standing") -> dict[str, Any]:
    return {
        "database": engine.url.render_as_string(hide_password=True),
        "state": found.state.value,
        "revision": found.revision,
        "pending": list(found.pending),
    }


def _sentence(facts: dict[str, Any]) -> str:
    pending = f"; pending: {', '.join(facts['pending'])}" if facts["pending"] else ""
    return f"{facts['database']}: {facts['state']}, revision {facts['revision'] or 'none'}{pending}"
