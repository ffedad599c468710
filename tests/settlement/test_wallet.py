"""Key files: the Solana CLI's form, private, never overwritten, never in a message."""

import json
from pathlib import Path

import pytest
from solders.keypair import Keypair

from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.settlement.wallet import create_keypair, load_keypair, load_or_create_keypair


def test_created_key_is_private_and_loads(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "committer.json"
    created = create_keypair(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keypair(path) == load_or_create_keypair(path) == created
    assert json.loads(path.read_text()) == list(bytes(created))


def test_absent_key_is_made_or_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="solana-keygen"):
        load_keypair(tmp_path / "none.json")
    made = load_or_create_keypair(tmp_path / "none.json")
    assert load_keypair(tmp_path / "none.json") == made


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    created = create_keypair(path)
    with pytest.raises(Conflict):
        create_keypair(path)
    assert load_keypair(path) == created


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    create_keypair(path)
    path.chmod(0o640)
    with pytest.raises(MalformedInput, match="chmod 600"):
        load_keypair(path)


SECRET = list(bytes(Keypair.from_seed(bytes([42]) * 32)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "null",
        "[1, 2, 3]",
        json.dumps(SECRET[:63]),
        json.dumps([256, *SECRET[1:]]),
        json.dumps([0, *SECRET[1:]]),
        json.dumps(SECRET[:32] + [1] * 32),
        "[" * 5000,
    ],
)
def test_file_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(MalformedInput) as refused:
        load_keypair(path)
    assert not any(str(number) in str(refused.value).replace("64", "") for number in SECRET[:8] if number > 99)
    assert refused.value.__cause__ is None
