"""A devnet on which a prover commits batches, and watchers with a folder of data."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement import tokens
from proofgrid.settlement.accounts import BatchAccount, ProverAccount
from proofgrid.settlement.addresses import batch_address
from proofgrid.settlement.devnet import Devnet, Plan
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.rpc import ask, fetch_owned
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.watcher.chain import ChainView
from proofgrid.settlement.watcher.documents import BatchData, LeafData, Statement, encode
from proofgrid.settlement.watcher.events import Event
from proofgrid.settlement.watcher.moves import Moves
from proofgrid.settlement.watcher.progress import Progress
from proofgrid.settlement.watcher.sources import EvidenceSource, FolderSource
from proofgrid.settlement.watcher.watch import Watcher
from tests.settlement.batches import Entry
from tests.settlement.cluster import FOUNDERS, PAYER, PROGRAM, PROVER, founded, rpc
from tests.settlement.instances import Instance, instance, words
from tests.settlement.network import PARAMETERS

TRUE = instance(1)
FALSE = TRUE.with_points(c=TRUE.a)
ONE, OTHER = (Keypair.from_seed(bytes([seed]) * 32) for seed in (51, 52))
"""Watchers' payers."""
BOND, REWARD = PARAMETERS.leaf_bond, PARAMETERS.leaf_bond // 2
WINDOW_S = PARAMETERS.challenge_window_s
MINT = FOUNDERS.mint.pubkey()
Result = TypeVar("Result")


def entries(count: int, *false: int, lie: Instance = FALSE) -> list[Entry]:
    """So many leaves, those of these numbers with a false proof; each for a request of its own."""
    return [Entry(lie if index in false else TRUE, index.to_bytes(32, "big"), b"p" * 32) for index in range(count)]


def data_of(leaves: Sequence[Entry]) -> BatchData:
    """Everything about these leaves, and their keys."""
    found = [LeafData.of(one.leaf(), statement_of(one.given)) for one in leaves]
    return BatchData(found, {one.given.digest: one.given.encoding for one in leaves})


def statement_of(given: Instance) -> Statement:
    return Statement(tuple(words(value) for value in given.inputs), given.proof)


@dataclass
class World:
    """The chain stands still but for ``warp``; what lands is confirmed at once and final after 32 slots."""

    url: str
    folder: Path
    client: AsyncClient
    stack: AsyncExitStack
    events: list[Event] = field(default_factory=list)

    @property
    def sender(self) -> Sender:
        """The committer's."""
        return Sender(self.client, PAYER, poll_s=0.01, rebroadcast_s=0.02)

    async def commit(self, leaves: Sequence[Entry], *, is_published: bool = True) -> BatchData:
        """The next batch; its data goes into the folder."""
        data = data_of(leaves)
        if is_published:
            self.publish(data)
        await self.commit_root(data.tree.root, len(leaves))
        return data

    async def commit_root(self, root: bytes, leaf_count: int) -> None:
        log = await self.prover()
        commit = batches.commit_batch(
            PROGRAM.pubkey(),
            PROVER,
            PAYER.pubkey(),
            number=log.next_number,
            prev_root=log.latest_root,
            root=root,
            leaf_count=leaf_count,
        )
        await self.sender.send([commit])

    def publish(self, data: BatchData) -> Path:
        path = self.folder / f"{data.tree.root.hex()}.jsonl"
        path.write_bytes(b"".join(encode(data)))
        return path

    async def watcher(
        self,
        payer: Keypair = ONE,
        *,
        state: str = "state.sqlite",
        sources: Sequence[EvidenceSource] | None = None,
        provers: Sequence[Pubkey] = (),
        lamports: int = 10**9,
        client: AsyncClient | None = None,
        is_dry: bool = False,
        min_reward: int = 0,
        key_budget: int = 10**9,
        **options: Any,
    ) -> Watcher:
        """A watcher of its own; what it says goes to ``events``."""
        if client is None:
            client = await self.stack.enter_async_context(AsyncClient(self.url, commitment=Confirmed, timeout=5))
        if lamports:
            await self.client.request_airdrop(payer.pubkey(), lamports)
        sender = Sender(client, payer, poll_s=0.01, rebroadcast_s=0.02, patience_s=5)
        view = ChainView(client, PROGRAM.pubkey(), provers)
        progress = Progress(self.folder / state, "test")
        self.stack.callback(progress.close)
        return Watcher(
            view,
            [FolderSource(self.folder)] if sources is None else sources,
            progress,
            None if is_dry else Moves(sender, PROGRAM.pubkey(), progress, min_reward=min_reward, key_budget=key_budget),
            self.events.append,
            retry_s=(0, 0),
            **options,
        )

    async def batch(self, number: int = 0) -> BatchAccount:
        at, _ = batch_address(PROGRAM.pubkey(), PROVER, number)
        data = await fetch_owned(self.client, at, PROGRAM.pubkey())
        assert data is not None
        return BatchAccount.decode(data)

    async def states(self, number: int = 0) -> list[int]:
        batch = await self.batch(number)
        return [batch.state(leaf) for leaf in range(batch.leaf_count)]

    async def prover(self) -> ProverAccount:
        data = await fetch_owned(self.client, PROVER, PROGRAM.pubkey())
        assert data is not None
        return ProverAccount.decode(data)

    async def purse(self, payer: Keypair = ONE) -> int:
        """Tokens in the payer's associated account; 0 where there is none."""
        account = (await self.client.get_account_info(tokens.associated_address(payer.pubkey(), MINT))).value
        return 0 if account is None else int.from_bytes(account.data[64:72], "little")

    async def give(self, payer: Keypair, amount: int) -> None:
        """Tokens for the payer's associated account."""
        made = tokens.create_associated_account(PAYER.pubkey(), payer.pubkey(), MINT)
        at = tokens.associated_address(payer.pubkey(), MINT)
        await self.sender.send([made, tokens.mint_to(MINT, at, PAYER.pubkey(), amount)])

    async def lamports(self, payer: Keypair = ONE) -> int:
        return (await ask(self.client.get_balance(payer.pubkey(), Confirmed))).value

    async def warp(self, *, seconds: int = 0, slots: int = 0) -> None:
        if seconds:
            await rpc(self.client, "devnet_warp", {"seconds": seconds})
        if slots:
            await rpc(self.client, "devnet_warp", {"slots": slots})

    async def warp_to(self, second: int) -> None:
        """The chain's clock shows this second, or one of the next few: it is the wall's clock, moved."""
        await self.warp(slots=1)
        await self.warp(seconds=second - await ChainView(self.client, PROGRAM.pubkey()).now_s())

    async def faults(self, **plan: Any) -> None:
        await rpc(self.client, "devnet_faults", plan)

    async def fork(self, slots: int) -> Any:
        return await rpc(self.client, "devnet_fork", slots, {"keepBlockhashes": True})

    def heard(self, *kinds: str) -> list[Event]:
        """What was said of these kinds, of all without any."""
        return [event for event in self.events if not kinds or event.event in kinds]

    @property
    def kinds(self) -> list[str]:
        return [event.event for event in self.events]


def on_world(
    journey: Callable[[World], Awaitable[Result]], folder: Path, *, faults: Plan | None = None, slot_s: float = math.inf
) -> Result:
    """Run a journey on a network that was founded before; ``folder`` holds the data and the watchers' memories."""

    async def run(url: str) -> Result:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(AsyncClient(url, commitment=Confirmed, timeout=5))
            await client.request_airdrop(PAYER.pubkey(), 10**11)
            return await journey(World(url, folder, client, stack))

    state = folder / "devnet.jsonl"
    state.write_bytes(founded())
    with Devnet.start(state_file=state, slot_s=slot_s, faults=faults) as devnet:
        return asyncio.run(run(devnet.url))


def facts(event: Event) -> dict[str, Any]:
    return json.loads(event.model_dump_json(exclude_none=True))
