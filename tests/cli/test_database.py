"""``proofgrid database``: how the schema stands, upgraded, checked."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from proofgrid.cli.main import main
from proofgrid.network import schema
from proofgrid.network.database import Database, open_engine


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A network's database."""
    url = f"sqlite:///{tmp_path / 'proofgrid.sqlite'}"
    Database(url).close()
    return url


def _run(capsys: pytest.CaptureFixture[str], state: Path, command: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["database", command, "--state", str(state), "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def _execute(url: str, statement: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_current_database_is_called_so(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = schema.revisions()[-1]
    facts = {"database": url, "state": "current", "revision": newest, "pending": []}
    assert _run(capsys, tmp_path, "status") == (0, facts)
    assert _run(capsys, tmp_path, "upgrade") == (0, facts | {"ran": []})
    assert _run(capsys, tmp_path, "check") == (0, facts | {"differences": []})


def test_a_difference_is_exit_code_1(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _execute(url, "DROP INDEX requests_by_settlement")
    code, facts = _run(capsys, tmp_path, "check")
    assert code == 1
    assert "requests_by_settlement" in facts["differences"][0]


def test_an_empty_one_is_upgraded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "proofgrid.sqlite").touch()
    assert _run(capsys, tmp_path, "status")[1]["state"] == "empty"
    assert _run(capsys, tmp_path, "upgrade")[1]["ran"] == list(schema.revisions())


def test_asking_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, facts = _run(capsys, tmp_path, "status")
    assert (code, facts["error"]["code"]) == (4, "not_found")
    assert not list(tmp_path.iterdir())
