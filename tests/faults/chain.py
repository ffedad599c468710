"""The chain under the network: a devnet in a process of its own, a founded network, and what it holds in the end."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import prover_address
from proofgrid.settlement.batchlog import read_batch, read_log
from proofgrid.settlement.bootstrap import Founders, found
from proofgrid.settlement.deploy import deploy
from proofgrid.settlement.parameters import Parameters
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.sender import Sender

SLOT_S = 0.05
COMMITTER = Keypair.from_seed(bytes([21]) * 32)
PROGRAM = Keypair.from_seed(bytes([22]) * 32)
FOUNDERS = Founders(*(Keypair.from_seed(bytes([seed]) * 32) for seed in (23, 24, 25, 26)))
PROVER = prover_address(PROGRAM.pubkey(), FOUNDERS.owner.pubkey())[0]
STAKE = 10**13
"""Bonds for ten million leaves: their windows outlast the run."""
TROUBLE: dict[str, Any] = {
    "drop": 0.05,
    "late": 0.05,
    "late_slots": 8,
    "unseen": 0.05,
    "fork": 0.01,
    "fork_slots": 8,
    "fork_blockhashes": True,
    "error": 0.05,
    "behind": 0.05,
    "reset": 0.05,
    "timeout": 0.01,
    "timeout_s": 0.5,
    "limit": 0.05,
    "retry_after_s": 0,
}
"""What the RPC does while it is troubled; see settlement.devnet.faults."""


@dataclass(frozen=True)
class Log:
    """The committer's batches on chain."""

    roots: Counter[str]
    n_leaves: int


def establish(url: str) -> None:
    """Deploy the program and found a network with one staked prover; some seconds."""

    async def run() -> None:
        async with AsyncClient(url, commitment=Confirmed, timeout=10) as client:
            for person in (COMMITTER, FOUNDERS.owner):
                await client.request_airdrop(person.pubkey(), 10**11)
            await asyncio.sleep(10 * SLOT_S)
            sender = Sender(client, COMMITTER, poll_s=0.02)
            await deploy(sender, program_bytes(), PROGRAM)
            await found(sender, PROGRAM.pubkey(), FOUNDERS, COMMITTER.pubkey(), parameters=Parameters(), stake=STAKE)

    asyncio.run(run())


def read(url: str) -> Log:
    """Every batch that the chain holds. No fault may be under way."""

    async def run() -> Log:
        async with AsyncClient(url, commitment=Confirmed, timeout=10) as client:
            account = await read_log(client, PROGRAM.pubkey(), Pubkey.from_string(str(PROVER)))
            roots, leaves = Counter[str](), 0
            for number in range(account.next_number):
                batch = await read_batch(client, PROGRAM.pubkey(), PROVER, number)
                if batch is not None:
                    roots[batch[1].root.hex()] += 1
                    leaves += batch[1].leaf_count
            return Log(roots, leaves)

    return asyncio.run(run())


def control(url: str, method: str, *params: Any) -> Any:
    """One call of the devnet's own methods, which no fault meets."""
    with httpx.Client(timeout=10, trust_env=False) as http:
        answer = http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return answer.json()["result"]
