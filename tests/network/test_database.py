"""The database's file and its errors keep to themselves what lies in them."""

import secrets
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from proofgrid.errors import MalformedInput
from proofgrid.network.database import Database
from tests.network.world import World


def test_an_error_names_no_fencing_token(world: World) -> None:
    token = secrets.token_hex(32)
    with pytest.raises(DBAPIError) as caught, world.database.writing() as session:
        session.execute(text("UPDATE nowhere SET x = 1 WHERE token = :token"), {"token": token})
    assert token not in str(caught.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_its_owner_reads_the_file(world: World) -> None:
    files = list(world.folder.glob("proofgrid.sqlite*"))
    assert files
    assert [path.stat().st_mode & 0o077 for path in files] == [0] * len(files)


@pytest.mark.parametrize("url", ["foo", "nosuchdialect://x/y", "postgresql+nosuchdriver://u:hidden@h/x"])
def test_an_url_that_names_no_database_is_said(url: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInput) as caught:
        Database(url)
    assert "hidden" not in str(caught.value)
