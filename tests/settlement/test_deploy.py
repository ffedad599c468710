"""Deployment by ordinary transactions: once, again, upgraded, refused."""

import asyncio
import time
from pathlib import Path

import pytest
from solders.keypair import Keypair

from proofgrid.errors import ChainUnavailable, SettlementError
from proofgrid.settlement.accounts import key_encoding_size
from proofgrid.settlement.deploy import ROOM_FACTOR, deploy
from proofgrid.settlement.instructions import uploads
from proofgrid.settlement.program import build, linker, program_bytes
from proofgrid.settlement.submitter import Submitter
from tests.settlement.cluster import PAYER, PROGRAM, on_devnet, rpc, submitter
from tests.settlement.test_cpi import caller

ROOT = b"r" * 32


async def count(ready: Submitter) -> int:
    return int((await rpc(ready.client, "getTransactionCount"))["result"])


def test_deployed_program_runs() -> None:
    async def journey(ready: Submitter) -> None:
        # Given a cluster without the program
        program, progress = program_bytes(), list[tuple[int, int]]()
        started = time.monotonic()
        # When it is deployed
        address = await deploy(ready.sender, program, PROGRAM, on_progress=lambda *step: progress.append(step))
        # Then it runs at once, and it took little
        assert address == PROGRAM.pubkey()
        await ready.sender.send([uploads.init_upload(PROGRAM.pubkey(), PAYER.pubkey(), ROOT, key_encoding_size(0))])
        assert time.monotonic() - started < 3
        assert progress == sorted(progress)
        assert progress[-1] == (len(program), len(program))
        # And deploying again does nothing
        before = await count(ready)
        await deploy(ready.sender, program, PROGRAM)
        assert await count(ready) == before

    on_devnet(journey, programs={})


def test_upgrade_replaces_the_code() -> None:
    async def journey(ready: Submitter) -> None:
        await deploy(ready.sender, caller(), PROGRAM)
        larger = caller() + bytes(len(caller()) * (ROOM_FACTOR - 1) + 1)
        with pytest.raises(SettlementError, match="has room for"):
            await deploy(ready.sender, larger, PROGRAM)
        program = linker.link(build.compile_object(Path(__file__).parent / "programs" / "yes.c"))
        await deploy(ready.sender, program, PROGRAM)
        await ready.sender.send([yes()])

    on_devnet(journey, programs={})


def yes():
    from solders.instruction import Instruction

    return Instruction(PROGRAM.pubkey(), b"", [])


def test_address_of_something_else_is_refused() -> None:
    async def journey(ready: Submitter) -> None:
        taken = Keypair()
        await ready.client.request_airdrop(taken.pubkey(), 10**9)
        with pytest.raises(SettlementError, match="not a program's address"):
            await deploy(ready.sender, program_bytes(), taken)

    on_devnet(journey, programs={})


def test_absent_endpoint_is_unavailable() -> None:
    async def journey() -> None:
        async with submitter("http://127.0.0.1:9") as ready:
            with pytest.raises(ChainUnavailable):
                await deploy(ready.sender, program_bytes(), PROGRAM)

    asyncio.run(journey())


def test_failure_in_the_middle_keeps_its_type() -> None:
    """Writes run side by side; what fails in one of them is the error itself, not a group."""

    async def journey(ready: Submitter) -> None:
        def fail(_written: int, _total: int) -> None:
            raise ChainUnavailable("gone")

        with pytest.raises(ChainUnavailable, match="gone"):
            await deploy(ready.sender, program_bytes(), PROGRAM, on_progress=fail)

    on_devnet(journey, programs={})
