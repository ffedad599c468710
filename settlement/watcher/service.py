"""A watcher put together from its settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.config import WatcherConfig
from proofgrid.settlement.endpoints import connect, split_urls
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.watcher.chain import ChainView
from proofgrid.settlement.watcher.events import OnEvent
from proofgrid.settlement.watcher.moves import Moves
from proofgrid.settlement.watcher.progress import Progress
from proofgrid.settlement.watcher.sources import source_of
from proofgrid.settlement.watcher.watch import Watcher

_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Assignment:
    """What to watch, with what. ``payer`` None: nothing is sent. ``data`` are folders and URLs, asked in order.

    ``rpc`` is an endpoint's URL, or several separated by commas: the first that works is asked.
    """

    rpc: str
    program: Pubkey
    data: Sequence[str]
    memory: Path
    payer: Keypair | None
    purse: Pubkey | None
    provers: Sequence[Pubkey]
    answer_for: Sequence[Pubkey]
    settings: WatcherConfig


@asynccontextmanager
async def watching(assignment: Assignment, say: OnEvent) -> AsyncIterator[Watcher]:
    """The watcher, connected. Raises MalformedInput, ChainUnavailable; SettlementError without a network there."""
    settings = assignment.settings
    async with AsyncExitStack() as stack:
        client = connect(split_urls(assignment.rpc), timeout_s=_TIMEOUT_S)
        await stack.enter_async_context(client)
        view = ChainView(client, assignment.program, assignment.provers)
        sources = []
        for where in assignment.data:
            sources.append(source_of(where))
            stack.push_async_callback(sources[-1].close)
        await view.config()
        progress = Progress(assignment.memory, await view.name())
        stack.callback(progress.close)
        moves = None
        if assignment.payer is not None:
            moves = Moves(
                Sender(client, assignment.payer),
                assignment.program,
                progress,
                purse=assignment.purse,
                min_reward=settings.min_reward,
                min_balance=settings.min_balance_lamports,
                key_budget=settings.key_budget_lamports,
            )
        yield Watcher(
            view,
            sources,
            progress,
            moves,
            say,
            demand_budget=settings.demand_budget,
            answer_for=frozenset(assignment.answer_for),
        )
