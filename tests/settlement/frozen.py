"""A devnet on which only warps pass time, and a client at ``confirmed`` with a payer who has a SOL since long ago."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.models import TxOpts
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.transactions import sign
from tests.settlement.cluster import PAYER

FUNDS = 10**9
NO_PREFLIGHT = TxOpts(skip_preflight=True, max_retries=0)

Result = TypeVar("Result")


class RpcFailed(Exception):
    """An error answer: its code and the whole of it."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code, self.error = error["code"], error


@dataclass
class Frozen:
    devnet: Devnet
    client: AsyncClient
    http: httpx.AsyncClient

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one call without solana-py; raises RpcFailed."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = (await self.http.post(self.devnet.url, json=body)).json()
        if "error" in answer:
            raise RpcFailed(answer["error"])
        return answer["result"]

    async def warp(self, slots: int) -> int:
        return int(await self.call("devnet_warp", {"slots": slots}))

    async def faults(self, **plan: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.call("devnet_faults", plan)
        return found

    async def struck(self) -> dict[str, int]:
        """How often each kind of fault happened, without those that did not."""
        found = await self.call("devnet_faults")
        return {kind: count for kind, count in found["struck"].items() if count}

    async def signed(self, *batch: Instruction, blockhash: Hash | None = None, **options: Any) -> VersionedTransaction:
        if blockhash is None:
            blockhash = (await self.client.get_latest_blockhash()).value.blockhash
        return sign(batch, [PAYER], blockhash, **options)

    async def send(self, transaction: VersionedTransaction) -> Signature:
        return (await self.client.send_transaction(transaction, NO_PREFLIGHT)).value

    async def pay(self, to: Pubkey, lamports: int = 10**7) -> Signature:
        return await self.send(await self.signed(payment(to, lamports)))

    async def balance(self, address: Pubkey, commitment: Any = None) -> int:
        return (await self.client.get_balance(address, commitment)).value

    async def status(self, signature: Signature, *, history: bool = False) -> Any:
        return (await self.client.get_signature_statuses([signature], search_transaction_history=history)).value[0]


def payment(to: Pubkey, lamports: int = 10**7) -> Instruction:
    return transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=to, lamports=lamports))


def stranger() -> Pubkey:
    return Keypair().pubkey()


def on_frozen(journey: Callable[[Frozen], Awaitable[Result]], **options: Any) -> Result:
    """Run a journey; ``options`` are those of ``Devnet.start``. What is before it is final."""

    async def run(devnet: Devnet) -> Result:
        async with (
            AsyncClient(devnet.url, commitment=Confirmed, timeout=5) as client,
            httpx.AsyncClient(timeout=5) as http,
        ):
            frozen = Frozen(devnet, client, http)
            await frozen.call("requestAirdrop", str(PAYER.pubkey()), FUNDS)
            await frozen.warp(200)
            return await journey(frozen)

    with Devnet.start(**{"slot_s": math.inf, **options}) as devnet:
        return asyncio.run(run(devnet))
