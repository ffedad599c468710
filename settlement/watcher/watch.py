"""Round after round: what is new on the chain is checked, and challenged where it is false.

Every round looks at the chain's own state, so that nothing is lost by a kill, done twice by two watchers, or left
undone after a fork: a batch is done with only when it is final that its false leaves are void, or that it has none.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace

from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey

from proofgrid.errors import ProofgridError
from proofgrid.kernels.backend import Backend
from proofgrid.settlement.accounts import BatchAccount, ConfigAccount, ProverAccount
from proofgrid.settlement.layout.batches import LEAF_DEMANDED, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.rpc import MAX_ACCOUNTS_PER_CALL
from proofgrid.settlement.watcher.chain import ChainView
from proofgrid.settlement.watcher.demands import Demands
from proofgrid.settlement.watcher.events import Event, OnEvent
from proofgrid.settlement.watcher.judgement import Judgement, judge, missing_keys
from proofgrid.settlement.watcher.moves import Moves, Outcome
from proofgrid.settlement.watcher.progress import CLEAN, FALSE, NEW, Progress, Watched
from proofgrid.settlement.watcher.sources import EvidenceSource, best_of
from proofgrid.settlement.watcher.voice import RETRY_S, Voice

CHECKED_AT_ONCE, SENT_AT_ONCE = 4, 8


@dataclass(frozen=True)
class _Found:
    """What checking a batch gave, kept while it has something to challenge; ``keys`` are those of the false leaves."""

    root: bytes
    judgement: Judgement
    keys: dict[bytes, bytes]


@dataclass
class Watcher:
    """One watcher of one program. ``moves`` None: nothing is sent, only said.

    ``demand_budget`` is the most tokens in bonds for demands that are out; ``answer_for`` are the provers whose
    demanded leaves are shown.
    """

    view: ChainView
    sources: Sequence[EvidenceSource]
    progress: Progress
    moves: Moves | None
    say: OnEvent
    demand_budget: int = 0
    answer_for: frozenset[Pubkey] = frozenset()
    backend: Backend | None = None
    retry_s: tuple[float, float] = RETRY_S
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    voice: Voice = field(init=False)
    demands: Demands = field(init=False)
    _found: dict[Pubkey, _Found] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.voice = Voice(self.say, self.retry_s)
        self.demands = Demands(
            self.view, self.sources, self.progress, self.moves, self.voice, self.demand_budget, self.answer_for
        )

    async def run(self, poll_s: float) -> None:
        """Rounds until ``stopping`` is set, which is heeded between two moves."""
        while not self.stopping.is_set():
            await self.round()
            try:
                await asyncio.wait_for(self.stopping.wait(), poll_s)
            except TimeoutError:
                continue

    async def round(self) -> bool:
        """Look once at everything; False where the chain did not answer all of it, which is said, not raised."""
        try:
            now_s, config = await self.view.now_s(), await self.view.config()
        except ProofgridError as error:
            self.voice.trouble("the chain", error)
            return False
        self.voice.well("the chain")
        discovered = await self._attempt("new batches", self._discover(now_s))
        settled = await self._attempt("demands", self.demands.settle(now_s))
        checked = await self._attempt("batches under watch", self._check(now_s, config))
        return discovered and settled and checked

    async def _attempt(self, name: str, part: Awaitable[None]) -> bool:
        try:
            await part
        except ProofgridError as error:
            self.voice.trouble(name, error)
            return False
        self.voice.well(name)
        return True

    async def _discover(self, now_s: int) -> None:
        for committer, account in (await self.view.committers()).items():
            await self._follow(committer, account, now_s)

    async def _follow(self, committer: Pubkey, account: ProverAccount, now_s: int) -> None:
        """Remember every batch of the committer that was not looked at, in order."""
        start = self.progress.next_number(committer)
        if start > account.next_number:
            start = account.next_number
            self._rewind(committer, start)
        while start < account.next_number and not self.stopping.is_set():
            numbers = range(start, min(start + MAX_ACCOUNTS_PER_CALL, account.next_number))
            found = await self.view.committed(committer, numbers)
            shown = found[: found.index(None)] if None in found else found
            seen = [Watched.of(*one) for one in shown if one is not None]
            in_time = [one for one in seen if now_s <= one.until_s]
            start += len(seen)
            self.progress.add(committer, start, in_time)
            if len(in_time) < len(seen):
                late = f"{len(seen) - len(in_time)} batches before number {start} were never checked in their windows"
                self.say(Event(event="too_late", committer=str(committer), detail=late))
            if len(seen) < len(numbers):
                return  # the endpoint is behind: the next round goes on

    def _rewind(self, committer: Pubkey, number: int) -> None:
        self.progress.rewind(committer, number)
        self.say(Event(event="rolled_back", committer=str(committer), number=number))

    async def _check(self, now_s: int, config: ConfigAccount) -> None:
        """Look at every batch under watch, those first whose window ends first."""
        watched = self.progress.open()
        accounts = await self.view.batches([one.address for one in watched])
        judged = [one.address for one in watched if one.state != NEW]
        final = dict(zip(judged, await self.view.batches(judged, Finalized), strict=True))
        turns = asyncio.Semaphore(CHECKED_AT_ONCE)

        async def look(one: Watched, account: BatchAccount) -> None:
            async with turns:
                if self.stopping.is_set():
                    return
                try:
                    await self._look(one, account, final.get(one.address), now_s, config)
                except ProofgridError as error:
                    self.voice.of(one, "trouble", detail=str(error))

        there = [(one, account) for one, account in zip(watched, accounts, strict=True) if account is not None]
        await asyncio.gather(*(look(one, account) for one, account in there))
        gone = [one for one, account in zip(watched, accounts, strict=True) if account is None]
        for one in sorted(gone, key=lambda one: one.number, reverse=True):
            self._rewind(one.committer, one.number)

    async def _look(
        self, before: Watched, account: BatchAccount, final: BatchAccount | None, now_s: int, config: ConfigAccount
    ) -> None:
        one = before.now(account)
        if one != before:
            self.progress.put(one)
        if final is not None and final.root != account.root:
            final = None
        found = self._found.get(one.address)
        if found is not None and found.root != one.root:
            found = None
        is_over = now_s > account.challenge_until_s
        if one.state == CLEAN:
            if final is not None or is_over:
                self._done(one)
            return
        if is_over:
            self._close_late(one, account, found)
            return
        if (found is None or found.judgement.unknown) and self.voice.is_due((one.address, None)):
            found = await self._judge(one) or found
        if found is None:
            await self.demands.post(one, account, range(one.n_leaves), now_s, config)
            return
        await self._challenge(one, account, found, config)
        if found.judgement.unknown:
            await self.demands.post(one, account, list(found.judgement.unknown), now_s, config)
        elif not found.judgement.false:
            self._found.pop(one.address, None)
            self.progress.put(replace(one, state=CLEAN))
        elif one.state == NEW:
            self.progress.put(replace(one, state=FALSE))
        elif final is not None and all(final.state(leaf) == LEAF_VOID for leaf in found.judgement.false):
            self._done(one)

    async def _judge(self, one: Watched) -> _Found | None:
        """Check the batch against the best data there is; None without any."""
        data, trouble = await best_of(self.sources, one.root, one.n_leaves)
        if data is None:
            self.voice.of(one, "no_data", detail=trouble or "no source")
            self.voice.again((one.address, None))
            return None
        keys = {**await self.view.keys(missing_keys(data)), **data.keys}
        judgement = await asyncio.to_thread(judge, data, keys, backend=self.backend)
        used = {leaf.shown.key_digest for leaf in judgement.false.values()}
        found = _Found(one.root, judgement, {digest: key for digest, key in keys.items() if digest in used})
        self._found[one.address] = found
        counts = {"leaves": one.n_leaves, "false": len(judgement.false), "unknown": len(judgement.unknown)}
        why = {leaf.reason.words for leaf in judgement.false.values()} | set(judgement.unknown.values())
        self.voice.of(one, "checked", **counts, detail="; ".join(sorted(why)) or None)
        if judgement.unknown:
            self.voice.again((one.address, None))
        return found

    async def _challenge(self, one: Watched, account: BatchAccount, found: _Found, config: ConfigAccount) -> None:
        turns = asyncio.Semaphore(SENT_AT_ONCE)

        async def challenge(leaf: int) -> None:
            async with turns:
                if self.stopping.is_set() or not self.voice.is_due((one.address, leaf)):
                    return
                false = found.judgement.false[leaf]
                outcome = Outcome("would", detail=f"challenge: {false.reason.words}")
                if self.moves is not None:
                    outcome = await self.moves.challenge(one, false.shown, found.keys, config, account.leaf_bond)
                self.voice.conclude(one, leaf, outcome)

        await asyncio.gather(*(challenge(leaf) for leaf in found.judgement.false if account.state(leaf) == LEAF_UNPAID))
        for leaf in found.judgement.false:
            if account.state(leaf) == LEAF_DEMANDED:
                self.voice.of(one, "settled", leaf=leaf, detail="under a demand that nobody can answer")

    def _close_late(self, one: Watched, account: BatchAccount, found: _Found | None) -> None:
        """The window is over: say what was left undone, and let go."""
        false = [leaf for leaf in (found.judgement.false if found else ()) if account.state(leaf) == LEAF_UNPAID]
        if false:
            self.voice.of(one, "too_late", false=len(false), leaves=one.n_leaves, detail="false leaves stand")
        elif found is None or found.judgement.unknown:
            unknown = one.n_leaves if found is None else len(found.judgement.unknown)
            self.voice.of(one, "too_late", unknown=unknown, leaves=one.n_leaves, detail="never checked in full")
        self._done(one)

    def _done(self, one: Watched) -> None:
        self.progress.done(one.address)
        self._found.pop(one.address, None)
        self.voice.forget(one.address)
