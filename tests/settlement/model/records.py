"""What the program's accounts hold, as the model sees it: one dataclass for each record of ``settlement.layout``."""

from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import ClassVar

from proofgrid.settlement.forms import Layout
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, DEMAND_ACCOUNT, LEAF_UNPAID
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT, PARAMETERS
from proofgrid.settlement.layout.governance import PERMISSION_ACCOUNT, PROPOSAL_ACCOUNT, VOTE_ACCOUNT
from proofgrid.settlement.layout.keys import KEY_ACCOUNT
from proofgrid.settlement.layout.provers import POSITION_ACCOUNT, PROVER_ACCOUNT
from proofgrid.settlement.layout.requests import REQUEST_ACCOUNT

NOBODY = bytes(32)


@dataclass
class Record:
    """An account of the program; the fields have the layout's names."""

    layout: ClassVar[Layout]

    def encode(self) -> bytes:
        return self.layout.encode(vars(self))


@lru_cache(maxsize=256)
def rules_of(parameters: bytes) -> SimpleNamespace:
    return SimpleNamespace(**PARAMETERS.decode(parameters))


@dataclass
class Network(Record):
    layout = CONFIG_ACCOUNT
    mint: bytes
    vault: bytes
    guardian: bytes
    treasury: bytes
    parameters: bytes
    bump: int
    total_stake: int = 0
    fees: int = 0
    burned: int = 0
    next_proposal: int = 0
    current_from: int = 0
    paused: int = 0

    @property
    def rules(self) -> SimpleNamespace:
        return rules_of(self.parameters)


@dataclass
class Key(Record):
    """A verifying key; no instruction changes it, so its bytes are kept as they are."""

    layout = KEY_ACCOUNT
    digest: bytes
    registered_s: int
    n_public: int
    data: bytes

    def encode(self) -> bytes:
        return self.data


@dataclass
class Prover(Record):
    layout = PROVER_ACCOUNT
    owner: bytes
    signer: bytes
    payout: bytes
    pool_bps: int
    bump: int
    latest_root: bytes = NOBODY
    next_number: int = 0
    stake: int = 0
    locked: int = 0
    shares: int = 0
    exiting_shares: int = 0
    earned: int = 0
    fulfilled: int = 0
    missed: int = 0
    false_leaves: int = 0

    def worth(self, shares: int) -> int:
        """Tokens; a thousand shares and one token that nobody has are in every pool."""
        return shares * (self.stake + 1) // (self.shares + 1000)

    def shares_for(self, tokens: int) -> int:
        return tokens * (self.shares + 1000) // (self.stake + 1)

    @property
    def active(self) -> int:
        """Tokens that vote and back work."""
        return self.worth(self.shares - self.exiting_shares)

    @property
    def free(self) -> int:
        """Tokens that may back new work; below zero when exits have left less than is locked."""
        return self.active - self.locked


@dataclass
class Position(Record):
    layout = POSITION_ACCOUNT
    prover: bytes
    staker: bytes
    bump: int
    shares: int = 0
    exiting_shares: int = 0
    exit_from_s: int = 0


@dataclass
class Proposal(Record):
    layout = PROPOSAL_ACCOUNT
    proposer: bytes
    number: int
    vote_until_s: int
    execute_from_s: int
    execute_until_s: int
    change: bytes
    kind: int
    bump: int
    votes_for: int = 0
    votes_against: int = 0
    executed: int = 0


@dataclass
class Vote(Record):
    layout = VOTE_ACCOUNT
    prover: bytes
    proposal: int
    weight: int
    in_favour: int
    bump: int


@dataclass
class Permission(Record):
    layout = PERMISSION_ACCOUNT
    digest: bytes
    denied: int
    bump: int


@dataclass
class Request(Record):
    layout = REQUEST_ACCOUNT
    requester: bytes
    refund_to: bytes
    assigner: bytes
    callback_program: bytes
    key: bytes
    inputs: bytes
    nonce: int
    cap: int
    pay_until_s: int
    expire_s: int
    callback_units: int
    late_bps: int
    state: int
    direct_only: int
    bump: int
    permission_bump: int
    prover: bytes = NOBODY
    price: int = 0
    bond: int = 0
    demand_bond: int = 0
    refund: int = 0
    assigned_s: int = 0
    settle_until_s: int = 0
    answer_until_s: int = 0
    callback_due: int = 0


@dataclass
class Batch(Record):
    layout = BATCH_ACCOUNT
    committer: bytes
    number: int
    prev_root: bytes
    root: bytes
    slot: int
    unix_time_s: int
    challenge_until_s: int
    leaf_bond: int
    locked: int
    leaf_count: int
    bump: int
    open_demands: int = 0
    leaves: list[int] = field(default_factory=list)  # each one's state

    def __post_init__(self) -> None:
        self.leaves = self.leaves or [LEAF_UNPAID] * self.leaf_count

    def encode(self) -> bytes:
        """The record, then two bits for each leaf, in whole words of 64 bits."""
        packed = sum(state << 2 * place for place, state in enumerate(self.leaves))
        return self.layout.encode(vars(self)) + packed.to_bytes(-(-self.leaf_count // 32) * 8, "little")


@dataclass
class Demand(Record):
    layout = DEMAND_ACCOUNT
    batch: bytes
    demander: bytes
    refund_to: bytes
    bond: int
    answer_until_s: int
    leaf: int
    bump: int


TYPES: dict[str, type[Record]] = {
    kind.layout.name: kind
    for kind in (Network, Key, Prover, Position, Proposal, Vote, Permission, Request, Batch, Demand)
}
"""The model's records by the layouts' names."""


@dataclass
class Tokens:
    """A token account."""

    mint: bytes
    owner: bytes
    amount: int
    frozen: bool = False
