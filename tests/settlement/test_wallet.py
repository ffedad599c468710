"""Keys: from files that are private and never overwritten, from other sources; never in a message."""

import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair

from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.settlement.bootstrap import Founders
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.wallet import (
    create_keypair,
    load_keypair,
    load_or_create_keypair,
    load_party,
    load_signer,
    parse_address,
)


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


# Sources

KEY = Keypair.from_bytes(bytes(SECRET))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(SECRET))
    return path


def test_a_path_is_a_source(file: Path) -> None:
    assert load_signer(file) == load_signer(str(file)) == load_signer(f"file:{file}") == KEY


@pytest.mark.parametrize("text", [str(KEY), json.dumps(SECRET), f" {KEY}\n"])
def test_a_variable_is_read_once_and_gone(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PROOFGRID_TEST_SIGNER", text)
    assert load_signer("env:PROOFGRID_TEST_SIGNER") == KEY
    # no child process inherits it, and the same source still names the same key
    child = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert "PROOFGRID_TEST_SIGNER" not in child
    assert load_signer("env:PROOFGRID_TEST_SIGNER") == KEY
    # a variable set anew is another key
    other = Keypair()
    monkeypatch.setenv("PROOFGRID_TEST_SIGNER", str(other))
    assert load_signer("env:PROOFGRID_TEST_SIGNER") == other


@pytest.mark.parametrize("source", ["-", "stdin:"])
def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    assert load_signer(source) == KEY
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(MalformedInput, match="standard input"):
        load_signer(source)


def test_a_key_is_asked_for_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: str(KEY) if "not shown" in prompt else "")
    assert load_signer("prompt:") == KEY


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("usb://ledger", "hardware wallets are not supported"),
        ("prompt://?key=0/0", "solana-keygen recover"),
        ("env:PROOFGRID_NOT_SET", "is not set"),
        ("nowhere.json", "solana-keygen new"),
        ("", "is no regular file"),
    ],
)
def test_what_is_no_source_says_what_to_do(source: str, told: str) -> None:
    with pytest.raises((MalformedInput, NotFound), match=told):
        load_signer(source)


def test_a_pipe_is_no_key_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(MalformedInput, match="no regular file"):
        load_signer(tmp_path / "pipe")


def test_an_address_stands_for_a_signer_elsewhere(file: Path) -> None:
    assert load_party(str(KEY.pubkey())) == KEY.pubkey()
    assert load_party(str(file)) == KEY


LEAKS = (str(KEY), str(KEY)[:20], json.dumps(SECRET)[1:40], bytes(SECRET[:32]).hex())


@pytest.mark.parametrize("secret", [str(KEY), json.dumps(SECRET), f" {KEY} ", str(SECRET)])
@pytest.mark.parametrize("reader", [load_signer, load_party, parse_address])
def test_a_secret_in_the_place_of_its_source_is_not_repeated(reader: Callable[[str], object], secret: str) -> None:
    with pytest.raises(MalformedInput, match="seen by every process") as refused:
        reader(secret)
    shown = "".join(traceback.format_exception(refused.value))
    assert not any(leak in str(refused.value) for leak in LEAKS)
    assert not any(leak in shown for leak in LEAKS)


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-1], lambda text: text + "1", lambda text: text.replace("2", "0")]
)
def test_a_spoiled_secret_is_in_no_traceback(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str]) -> None:
    for text in (str(KEY), json.dumps(SECRET)):
        monkeypatch.setenv("PROOFGRID_TEST_SIGNER", spoil(text))
        with pytest.raises(MalformedInput, match="PROOFGRID_TEST_SIGNER") as refused:
            load_signer("env:PROOFGRID_TEST_SIGNER")
        shown = "".join(traceback.format_exception(refused.value))
        assert not any(leak in shown for leak in LEAKS)


def test_what_holds_a_key_does_not_show_it() -> None:
    for holder in (KEY, Founders(KEY, KEY, KEY, KEY), Sender(AsyncClient("http://127.0.0.1:1"), KEY)):
        assert not any(leak in repr(holder) for leak in LEAKS)
        assert str(SECRET[:4])[1:-1] not in repr(holder)
