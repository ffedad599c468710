"""A devnet over HTTP on which a network was founded, and a prover's submitter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import prover_address
from proofgrid.settlement.bootstrap import Founders, found
from proofgrid.settlement.deploy import deploy
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.submitter import Submitter
from tests.settlement.network import PARAMETERS

PAYER = Keypair.from_seed(bytes([7]) * 32)
PROGRAM = Keypair.from_seed(bytes([8]) * 32)
FOUNDERS = Founders(*(Keypair.from_seed(bytes([seed]) * 32) for seed in (9, 10, 11, 12)))
PROVER = prover_address(PROGRAM.pubkey(), FOUNDERS.owner.pubkey())[0]
STAKE = 10**9
CONFIRMED = {"commitment": "confirmed"}

Result = TypeVar("Result")


def on_devnet(
    journey: Callable[[Submitter], Awaitable[Result]],
    *,
    programs: Mapping[Pubkey, bytes] | None = None,
    state_file: Path | None = None,
    slot_s: float = 0.4,
) -> Result:
    """Run a journey with a submitter whose payer has money.

    The network is founded and the payer is a prover's hot key, unless ``programs`` says what there is instead.
    """

    async def run(url: str) -> Result:
        async with submitter(url) as ready:
            await ready.client.request_airdrop(PAYER.pubkey(), 10**11)
            return await journey(ready)

    with TemporaryDirectory() as folder:
        state_file = state_file or Path(folder) / "devnet.jsonl"
        if programs is None and not state_file.exists():
            state_file.write_bytes(founded())
        with Devnet.start(programs=programs, state_file=state_file, slot_s=slot_s) as devnet:
            return asyncio.run(run(devnet.url))


@cache
def founded() -> bytes:
    """The state file of a devnet on which the program is deployed and the payer is the hot key of a staked prover."""

    async def begin(url: str) -> None:
        async with AsyncClient(url, commitment=Confirmed, timeout=5) as client:
            for person in (PAYER, FOUNDERS.owner):
                await client.request_airdrop(person.pubkey(), 10**10)
            sender = Sender(client, PAYER, poll_s=0.01)
            await deploy(sender, program_bytes(), PROGRAM)
            await found(sender, PROGRAM.pubkey(), FOUNDERS, PAYER.pubkey(), parameters=PARAMETERS, stake=STAKE)

    with TemporaryDirectory() as folder:
        state_file = Path(folder) / "devnet.jsonl"
        with Devnet.start(state_file=state_file, slot_s=0.02) as devnet:
            asyncio.run(begin(devnet.url))
        return state_file.read_bytes()


@asynccontextmanager
async def submitter(url: str) -> AsyncIterator[Submitter]:
    async with Submitter.open(url, PROGRAM.pubkey(), PROVER, PAYER, timeout_s=5) as opened:
        opened.sender.poll_s = opened.sender.rebroadcast_s = 0.02
        yield opened


async def rpc(client: AsyncClient, method: str, *params: Any) -> Any:
    """One raw JSON-RPC call; the whole answer."""
    url = str(client._provider.endpoint_uri)
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return answer.json()
