"""What `proofgrid settlement status` says, from an outbox and a chain in every condition."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from proofgrid.errors import NotFound
from proofgrid.settlement.balance import Level
from proofgrid.settlement.outbox import Log, Outbox, State
from proofgrid.settlement.overview import STUCK_AFTER_S, Overview, overview
from proofgrid.settlement.submitter import Submitter
from tests.cli.test_files import run
from tests.settlement.cluster import PAYER, PROGRAM, PROVER, STAKE, on_devnet, submitter
from tests.settlement.network import PARAMETERS

DEAD = "http://127.0.0.1:9/secret?key=secret"


def with_outbox(tmp_path: Path, journey: Callable[[Submitter, str], Awaitable[None]]) -> None:
    async def wrapped(plain: Submitter) -> None:
        url = str(plain.client._provider.endpoint_uri)
        async with submitter(url, outbox=tmp_path / "outbox.sqlite") as ready:
            await journey(ready, url)

    on_devnet(wrapped)


async def seen(tmp_path: Path, *urls: str) -> Overview:
    return await overview(tmp_path / "outbox.sqlite", urls)


def age(outbox: Outbox, seconds: float) -> None:
    outbox._database.execute("UPDATE batches SET created_at = ?", (time.time() - seconds,))


def test_what_is_under_way_is_shown_with_the_chain_behind_it(tmp_path: Path) -> None:
    async def journey(ready: Submitter, url: str) -> None:
        committed = await ready.commit_batch(bytes([1]) * 32, 5)
        found = await seen(tmp_path)
        assert (found.verdict, found.stuck, found.warnings) == ("under way", [], [])
        (batch,) = found.batches
        assert (batch.number, batch.state, batch.leaf_count, batch.attempts) == (0, State.CONFIRMED, 5, 1)
        assert (batch.signature, batch.root) == (committed.signature, "01" * 32)
        (endpoint,) = found.endpoints
        assert endpoint.name == url
        assert endpoint.slot
        assert found.stake is not None
        assert (found.stake.stake, found.stake.locked) == (STAKE, 5 * PARAMETERS.leaf_bond)
        assert found.stake.leaves_left == STAKE // PARAMETERS.leaf_bond - 5
        assert found.stake.next_number == 1
        assert found.balance is not None
        assert found.balance.level is Level.ENOUGH
        assert (found.signer, found.prover) == (str(PAYER.pubkey()), str(PROVER))

    with_outbox(tmp_path, journey)


def test_a_batch_that_waits_too_long_is_stuck_and_says_why(tmp_path: Path) -> None:
    async def journey(ready: Submitter, url: str) -> None:
        ready.outbox.note(ready.outbox.put(0, bytes([1]) * 32, 5), "the stake is too small")
        assert (await seen(tmp_path)).stuck == []
        age(ready.outbox, STUCK_AFTER_S + 60)
        found = await seen(tmp_path)
        assert found.verdict == "stuck"
        assert found.stuck == ["batch 0 is pending since 240 s: the stake is too small"]

    with_outbox(tmp_path, journey)


def test_a_signed_one_shows_for_how_long_it_can_land(tmp_path: Path) -> None:
    async def journey(ready: Submitter, url: str) -> None:
        height = (await ready.client.get_block_height()).value
        entry = ready.outbox.put(0, bytes([1]) * 32, 5)
        ready.outbox.move(entry, State.SIGNED, signature="s", raw=b"r", last_valid_block_height=height + 100)
        left = (await seen(tmp_path)).batches[0].heights_left
        assert left is not None
        assert 50 < left <= 100

    with_outbox(tmp_path, journey)


def test_dead_endpoints_are_named_without_their_keys(tmp_path: Path) -> None:
    async def journey(ready: Submitter, url: str) -> None:
        await ready.commit_batch(bytes([1]) * 32, 5)
        found = await seen(tmp_path, DEAD, url)
        assert found.stuck == []
        assert [one.slot is None for one in found.endpoints] == [True, False]
        assert len(found.warnings) == 1
        assert "secret" not in found.model_dump_json()
        alone = await seen(tmp_path, DEAD)
        assert alone.stuck == ["no RPC endpoint answers"]
        assert (alone.balance, alone.stake) == (None, None)
        assert len(alone.batches) == 1

    with_outbox(tmp_path, journey)


def test_an_empty_purse_and_an_unknown_prover_are_told(tmp_path: Path) -> None:
    async def journey(ready: Submitter, url: str) -> None:
        stranger = str(Keypair().pubkey())
        other = Outbox(tmp_path / "outbox.sqlite", Log("devnet", str(PROGRAM.pubkey()), stranger, stranger, (url,)))
        other.put(0, bytes([1]) * 32, 5)
        found = await seen(tmp_path)
        assert found.balance is not None
        assert found.balance.level is Level.TOO_LOW
        assert len(found.stuck) == 2
        assert "not registered" in found.stuck[0]
        assert "cannot pay" in found.stuck[1]
        other.close()

    with_outbox(tmp_path, journey)


def test_no_outbox_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="proofgrid up"):
        asyncio.run(seen(tmp_path))


def test_the_command_prints_a_verdict_and_a_table(tmp_path: Path) -> None:
    def command(*words: str) -> Any:
        return run("settlement", "status", "--state", tmp_path, *words)

    assert command().returncode == 4

    async def journey(ready: Submitter, url: str) -> None:
        committed = await ready.commit_batch(bytes([1]) * 32, 5)
        found = await asyncio.to_thread(command)
        assert found.returncode == 0, found.stderr
        lines = found.stdout.splitlines()
        assert lines[0].startswith("under way")
        assert any(committed.signature[:8] in line and "confirmed" in line for line in lines)
        age(ready.outbox, 1000)
        ready.outbox.put(1, bytes([2]) * 32, 5)
        age(ready.outbox, 1000)
        stuck = await asyncio.to_thread(command, "--json")
        assert stuck.returncode == 1
        assert json.loads(stuck.stdout)["verdict"] == "stuck"
        assert [batch["number"] for batch in json.loads(stuck.stdout)["batches"]] == [0, 1]

    with_outbox(tmp_path, journey)
