"""A devnet over HTTP with a funded payer, and ways to make its endpoint misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.submitter import Submitter

PAYER = Keypair.from_seed(bytes([7]) * 32)
PROGRAM = Keypair.from_seed(bytes([8]) * 32)
CONFIRMED = {"commitment": "confirmed"}

Result = TypeVar("Result")


def on_devnet(
    journey: Callable[[Submitter], Awaitable[Result]],
    *,
    programs: Mapping[Pubkey, bytes] | None = None,
    state_file: Path | None = None,
    slot_s: float = 0.4,
) -> Result:
    """Run a journey with a submitter whose committer has money; the program is there unless ``programs`` says else."""
    programs = {PROGRAM.pubkey(): program_bytes()} if programs is None else programs

    async def run(url: str) -> Result:
        async with submitter(url) as ready:
            await ready.client.request_airdrop(PAYER.pubkey(), 10**11)
            return await journey(ready)

    with Devnet.start(programs=programs, state_file=state_file, slot_s=slot_s) as devnet:
        return asyncio.run(run(devnet.url))


@asynccontextmanager
async def submitter(url: str) -> AsyncIterator[Submitter]:
    async with Submitter.open(url, PROGRAM.pubkey(), PAYER, timeout_s=5) as opened:
        opened.sender.poll_s = opened.sender.rebroadcast_s = 0.02
        yield opened


async def rpc(client: AsyncClient, method: str, *params: Any) -> Any:
    """One raw JSON-RPC call; the whole answer."""
    url = str(client._provider.endpoint_uri)
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return answer.json()
