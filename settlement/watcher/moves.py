"""What the watcher sends. Everything is simulated first, so that a move the program would refuse costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from solana.rpc.commitment import Confirmed
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable, MalformedInput, ProgramRefused, SettlementError
from proofgrid.kernels.curves import CURVES
from proofgrid.settlement import tokens
from proofgrid.settlement.accounts import ConfigAccount, DemandAccount
from proofgrid.settlement.addresses import key_address
from proofgrid.settlement.evidence import show
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.instructions.batches import ShownLeaf
from proofgrid.settlement.layout.config import BASIS_POINTS
from proofgrid.settlement.layout.keys import KEY_ACCOUNT
from proofgrid.settlement.registry import upload_key
from proofgrid.settlement.rpc import ask, fetch_account, fetch_owned
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.watcher.events import Kind
from proofgrid.settlement.watcher.progress import Progress, Watched
from proofgrid.verifier.keys import VerifyingKey

Act = Callable[[], Awaitable["Outcome"]]
_TOO_LATE = {"ChallengeWindowOver": "the challenge window is over"}
_SETTLED = frozenset({"LeafSettled", "WrongDemandAccount"})


@dataclass(frozen=True)
class Outcome:
    """How a move ended; ``kind`` is an event's, and False in ``is_over`` means that it is tried again."""

    kind: Kind
    signature: str | None = None
    detail: str | None = None
    reward: int | None = None

    @property
    def is_over(self) -> bool:
        return self.kind not in ("trouble", "skipped", "refused", "would")


@dataclass
class Moves:
    """Challenges, demands, answers and voids of one payer; ``purse`` is its token account, None: the associated one.

    Nothing is sent while the payer has fewer lamports than ``min_balance``, nor for less than ``min_reward`` tokens.
    ``key_budget`` is the most lamports of rent for keys that nobody registered: else whoever commits false leaves under
    ever new keys would empty the payer at a leaf's bond a piece.

    Methods raise nothing of the chain's: an Outcome says what came of it.
    """

    sender: Sender
    program_id: Pubkey
    progress: Progress
    purse: Pubkey | None = None
    min_reward: int = 0
    min_balance: int = 0
    key_budget: int = 0
    _registered: set[bytes] = field(default_factory=set, init=False)
    _own_purse: Pubkey | None = field(default=None, init=False)
    _preparing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def challenge(
        self, one: Watched, leaf: ShownLeaf, keys: Mapping[bytes, bytes], config: ConfigAccount, leaf_bond: int
    ) -> Outcome:
        """Show that a leaf of the batch is false. Registers its key first where nobody has, which costs rent."""
        reward = leaf_bond - leaf_bond * config.rules.burn_bps // BASIS_POINTS
        if reward < self.min_reward:
            return Outcome("skipped", detail=f"the reward of {reward} is below the {self.min_reward} asked for")

        async def act() -> Outcome:
            async with self._preparing:
                registered = await self._require_key(leaf.key_digest, keys)
                purse = await self._require_purse(config)
            challenge = batches.challenge_leaf(self.program_id, one.address, one.committer, leaf, purse)
            sent = await show(self.sender, self.program_id, challenge)
            return Outcome("challenged", str(sent.signature), registered, reward)

        return await self._outcome(act)

    async def demand(self, batch: Pubkey, leaf: int, config: ConfigAccount) -> Outcome:
        """Post a bond and demand that the leaf be shown on chain."""

        async def act() -> Outcome:
            async with self._preparing:
                purse = await self._require_purse(config)
            payer = self.sender.payer.pubkey()
            sent = await self.sender.send([batches.demand_leaf(self.program_id, payer, batch, leaf, purse)])
            return Outcome("demanded", str(sent.signature), f"bond {config.rules.demand_bond}")

        return await self._outcome(act)

    async def answer(
        self, demand: DemandAccount, committer: Pubkey, leaf: ShownLeaf, keys: Mapping[bytes, bytes]
    ) -> Outcome:
        """Show a demanded leaf; its bond goes to the committer."""

        async def act() -> Outcome:
            async with self._preparing:
                registered = await self._require_key(leaf.key_digest, keys)
            batch, demander = Pubkey(demand.batch), Pubkey(demand.demander)
            answer = batches.answer_leaf(self.program_id, batch, committer, leaf, demander)
            sent = await show(self.sender, self.program_id, answer)
            said = f"bond {demand.bond} to the committer" + (f"; {registered}" if registered else "")
            return Outcome("answered", str(sent.signature), said)

        return await self._outcome(act)

    async def void(self, demand: DemandAccount, committer: Pubkey) -> Outcome:
        """Void a leaf whose demand was not answered in time."""

        async def act() -> Outcome:
            void = batches.void_leaf(
                self.program_id,
                Pubkey(demand.batch),
                committer,
                demand.leaf,
                demander=Pubkey(demand.demander),
                refund_to=Pubkey(demand.refund_to),
            )
            return Outcome("voided", str((await self.sender.send([void])).signature))

        return await self._outcome(act)

    async def _outcome(self, act: Act) -> Outcome:
        try:
            balance = (await ask(self.sender.client.get_balance(self.sender.payer.pubkey(), Confirmed))).value
            if balance < self.min_balance:
                return Outcome(
                    "skipped",
                    detail=f"{self.sender.payer.pubkey()} has {balance} lamports, below the guard of "
                    f"{self.min_balance}: send it some",
                )
            return await act()
        except ProgramRefused as refused:
            if refused.name in _SETTLED:
                return Outcome("settled", detail="somebody else was faster")
            if refused.name in _TOO_LATE:
                return Outcome("too_late", detail=_TOO_LATE[refused.name])
            self._registered.clear()  # what was made may be gone: the chain rolls back
            self._own_purse = None
            return Outcome("refused", detail=str(refused))
        except ChainUnavailable as error:
            return Outcome("trouble", detail=str(error))
        except (MalformedInput, SettlementError) as error:
            return Outcome("skipped", detail=str(error))

    async def _require_key(self, digest: bytes, keys: Mapping[bytes, bytes]) -> str | None:
        """What was done for it, if anything."""
        if digest in self._registered:
            return None
        done = None
        address, _ = key_address(self.program_id, digest)
        if await fetch_owned(self.sender.client, address, self.program_id) is None:
            if digest not in keys:
                raise MalformedInput(f"nobody has registered key {digest.hex()}, and the batch's data does not hold it")
            await self._afford(digest, len(keys[digest]))
            await upload_key(self.sender, self.program_id, VerifyingKey.decode(CURVES["bn254"], keys[digest]))
            done = f"registered key {digest.hex()}"
        self._registered.add(digest)
        return done

    async def _afford(self, digest: bytes, encoding_size: int) -> None:
        size = KEY_ACCOUNT.size + encoding_size
        rent = (await ask(self.sender.client.get_minimum_balance_for_rent_exemption(size, Confirmed))).value
        if not self.progress.register(digest, rent, self.key_budget):
            raise SettlementError(
                f"its key {digest.hex()} is not registered, and its rent of {rent} lamports would exceed the budget of "
                f"{self.key_budget} for keys (the chain pays and proves nothing by such a leaf, whether void or not)"
            )

    async def _require_purse(self, config: ConfigAccount) -> Pubkey:
        known = self.purse or self._own_purse
        if known is not None:
            return known
        payer, mint = self.sender.payer.pubkey(), Pubkey(config.mint)
        purse = tokens.associated_address(payer, mint)
        if await fetch_account(self.sender.client, purse) is None:
            await self.sender.send([tokens.create_associated_account(payer, payer, mint)])
        self._own_purse = purse
        return purse
