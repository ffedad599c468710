"""Demands: posted for leaves that nobody shows, answered for one's own leaves, voided when nobody answered."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.accounts import BatchAccount, ConfigAccount, DemandAccount
from proofgrid.settlement.layout.batches import LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.watcher.chain import ChainView
from proofgrid.settlement.watcher.documents import BatchData
from proofgrid.settlement.watcher.judgement import show
from proofgrid.settlement.watcher.moves import Moves, Outcome
from proofgrid.settlement.watcher.progress import Progress, Watched
from proofgrid.settlement.watcher.sources import EvidenceSource, best_of
from proofgrid.settlement.watcher.voice import Voice

_UNCERTAIN = ("trouble", "demanded")
"""Outcomes after which a bond may be out; any other says that this attempt moved nothing."""


@dataclass
class Demands:
    """``moves`` None: nothing is sent, only said. ``budget`` is the most tokens in bonds that are out."""

    view: ChainView
    sources: Sequence[EvidenceSource]
    progress: Progress
    moves: Moves | None
    voice: Voice
    budget: int
    answer_for: frozenset[Pubkey]

    async def post(
        self, one: Watched, account: BatchAccount, unknown: Sequence[int], now_s: int, config: ConfigAccount
    ) -> None:
        """Demand one leaf of the batch that nobody shows, drawn at random, once half of the window is over.

        A bond is counted before it is posted, and again before another attempt whose forerunner may have landed.
        """
        bond, half = config.rules.demand_bond, (account.unix_time_s + account.challenge_until_s) // 2
        if not self.budget or not unknown or now_s < half or self.progress.is_posted(one.address):
            return
        leaf = self.progress.demand_of(one.address)
        if leaf is None:
            candidates = [leaf for leaf in unknown if account.state(leaf) == LEAF_UNPAID]
            leaf = secrets.choice(candidates) if candidates else unknown[0]
        if account.state(leaf) != LEAF_UNPAID or not self.voice.is_due((one.address, leaf)):
            return
        if self.progress.bonds_out() + bond > self.budget:
            detail = f"no data, and another bond of {bond} would exceed the budget of {self.budget} for demands"
            self.voice.of(one, "skipped", detail=detail)
            return
        if self.moves is None:
            self.voice.of(one, "would", detail=f"demand a leaf, bond {bond}")
            return
        self.progress.intend(one.address, leaf, bond)
        outcome = await self.moves.demand(one.address, leaf, config)
        if outcome.kind == "demanded":
            self.progress.posted(one.address)
        elif outcome.kind not in _UNCERTAIN:
            self.progress.withdraw(one.address, bond)
        self.voice.conclude(one, leaf, outcome)

    async def settle(self, now_s: int) -> None:
        """Answer what is demanded of ours, void what nobody answered in time, see what became of our own demands."""
        demands = list((await self.view.demands()).values())
        ours = self.progress.demands()
        addresses = list({Pubkey(one.batch) for one in demands} | {batch for batch, _ in ours})
        batches = dict(zip(addresses, await self.view.batches(addresses), strict=True))
        data: dict[Pubkey, tuple[BatchData | None, str]] = {}
        for demand in sorted(demands, key=lambda one: one.answer_until_s):
            address = Pubkey(demand.batch)
            self._recognise(demand)
            account = batches[address]
            if account is None or not self.voice.is_due((address, demand.leaf)):
                continue
            one = Watched.of(address, account)
            if one.committer in self.answer_for:
                if address not in data:
                    data[address] = await best_of(self.sources, one.root, one.n_leaves)
                await self._answer(one, demand, *data[address])
            elif now_s > demand.answer_until_s:
                await self._void(one, demand)
        for address, leaf in ours:
            account = batches[address]
            if account is not None and account.state(leaf) == LEAF_VOID:
                self.progress.returned(address)

    def _recognise(self, demand: DemandAccount) -> None:
        """A demand of ours whose sending was interrupted is known again by its payer."""
        if self.moves is not None and Pubkey(demand.demander) == self.moves.sender.payer.pubkey():
            address = Pubkey(demand.batch)
            if self.progress.demand_of(address) is None:
                self.progress.intend(address, demand.leaf, demand.bond)
            self.progress.posted(address)

    async def _answer(self, one: Watched, demand: DemandAccount, data: BatchData | None, trouble: str) -> None:
        try:
            if data is None:
                raise MalformedInput(trouble or "no source")
            leaf = show(data, demand.leaf)
        except MalformedInput as error:
            until = f"a demand cannot be answered, and costs the leaf's bond after {demand.answer_until_s}: {error}"
            self.voice.conclude(one, demand.leaf, Outcome("skipped", detail=until))
            return
        outcome = Outcome("would", detail="answer the demand")
        if self.moves is not None:
            outcome = await self.moves.answer(demand, one.committer, leaf, data.keys)
        self.voice.conclude(one, demand.leaf, outcome)

    async def _void(self, one: Watched, demand: DemandAccount) -> None:
        outcome = Outcome("would", detail="void: the demand was not answered")
        if self.moves is not None:
            outcome = await self.moves.void(demand, one.committer)
        self.voice.conclude(one, demand.leaf, outcome)
