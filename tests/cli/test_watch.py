"""``proofgrid settlement watch`` as an operator starts it."""

import asyncio
import json
import math
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair

from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.watcher.documents import encode
from tests.cli.test_files import run
from tests.cli.test_services import MAIN
from tests.settlement.cluster import PAYER, PROGRAM, PROVER, founded
from tests.settlement.watched import ONE, World, data_of, entries

PROGRAM_ID = str(PROGRAM.pubkey())


@contextmanager
def devnet(folder: Path) -> Iterator[str]:
    """A devnet with a batch of four leaves of which number 2 is false, its data, and the watcher's key with money."""
    (folder / "data").mkdir()
    state = folder / "devnet.jsonl"
    state.write_bytes(founded())
    data = data_of(entries(4, 2))
    (folder / "data" / f"{data.tree.root.hex()}.jsonl").write_bytes(b"".join(encode(data)))
    key = folder / "key.json"
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(list(bytes(ONE)), file)

    async def begin(url: str) -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(AsyncClient(url, commitment=Confirmed))
            for person in (PAYER, ONE):
                await client.request_airdrop(person.pubkey(), 10**9)
            await World(url, folder, client, stack).commit_root(data.tree.root, 4)

    with Devnet.start(state_file=state, slot_s=math.inf) as running:
        asyncio.run(begin(running.url))
        yield running.url


def words(folder: Path, url: str, *more: str) -> list[str]:
    places = ["--data", str(folder / "data"), "--state", str(folder / "state")]
    return ["settlement", "watch", "--rpc", url, "--program", PROGRAM_ID, *places, *more]


def test_once_challenges_and_says_so(tmp_path: Path) -> None:
    with devnet(tmp_path) as url:
        dry = run(*words(tmp_path, url, "--once", "--json", "--dry-run"))
        assert [json.loads(line)["event"] for line in dry.stdout.splitlines()] == ["checked", "would"], dry.stderr
        done = run(*words(tmp_path, url, "--once", "--json", "--key", str(tmp_path / "key.json")))
        assert done.returncode == 0, done.stderr
        checked, challenged = (json.loads(line) for line in done.stdout.splitlines())
        assert (checked["event"], checked["leaves"], checked["false"], checked["unknown"]) == ("checked", 4, 1, 0)
        assert (challenged["event"], challenged["leaf"], challenged["committer"]) == ("challenged", 2, str(PROVER))
        assert len(challenged["signature"]) > 80
        again = run(*words(tmp_path, url, "--once", "--key", str(tmp_path / "key.json")))
        assert again.returncode == 0
        assert "challenged" not in again.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with devnet(tmp_path) as url:
        command = [*MAIN, *words(tmp_path, url, "--dry-run", "--poll", "0.1")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("checked  batch 0 of "), line
            process.send_signal(number)
            _, said = process.communicate(timeout=20)
        assert (process.returncode, said) == (0, "stopped\n")


def test_a_key_is_made_and_named_where_there_is_none(tmp_path: Path) -> None:
    with devnet(tmp_path) as url:
        done = run(*words(tmp_path, url, "--once"))
        file = tmp_path / "state" / "watcher" / "key.json"
        made = Keypair.from_bytes(bytes(json.loads(file.read_text())))
        assert file.stat().st_mode & 0o077 == 0
        assert str(made.pubkey()) in done.stderr
        assert "send it some" in done.stdout


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with Devnet.start(slot_s=math.inf) as running:
        empty = run("settlement", "watch", "--rpc", running.url, "--program", PROGRAM_ID, "--state", tmp_path, "--once")
        assert (empty.returncode, "has no network" in empty.stderr) == (3, True), empty.stderr
    away = run("settlement", "watch", "--rpc", "http://127.0.0.1:9", "--program", PROGRAM_ID, "--state", tmp_path)
    assert (away.returncode, "answer" in away.stderr) == (3, True)
    wrong = run(
        "settlement", "watch", "--rpc", "http://127.0.0.1:9", "--program", "nobody", "--state", tmp_path, "--json"
    )
    assert (wrong.returncode, json.loads(wrong.stdout)["error"]["code"]) == (2, "malformed_input")
    lost = run(*words(tmp_path, "http://127.0.0.1:9", "--dry-run"))
    assert (lost.returncode, "is no folder" in lost.stderr) == (2, True)
