"""Readers of the program's accounts: bytes that are not such an account raise MalformedInput."""

from dataclasses import dataclass
from typing import cast

from proofgrid.errors import MalformedInput
from proofgrid.settlement.forms import Layout, Value
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, DEMAND_ACCOUNT, MAX_LEAVES
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT
from proofgrid.settlement.layout.governance import PERMISSION_ACCOUNT, PROPOSAL_ACCOUNT, VOTE_ACCOUNT
from proofgrid.settlement.layout.keys import (
    G1_SIZE,
    KEY_ACCOUNT,
    KEY_FIXED_SIZE,
    MAX_PUBLIC_INPUTS,
)
from proofgrid.settlement.layout.provers import POSITION_ACCOUNT, PROVER_ACCOUNT, VIRTUAL_SHARES, VIRTUAL_STAKE
from proofgrid.settlement.layout.requests import REQUEST_ACCOUNT
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT
from proofgrid.settlement.parameters import Parameters


@dataclass(frozen=True)
class KeyAccount:
    """A verifying key; ``registered_s`` is the chain's time when it was, ``encoding`` is ``VerifyingKey.encode()``."""

    digest: bytes
    registered_s: int
    n_public: int
    bump: int
    encoding: bytes

    @classmethod
    def decode(cls, data: bytes) -> "KeyAccount":
        values, encoding = _split(KEY_ACCOUNT, data)
        n_public = cast(int, values["n_public"])
        if n_public > MAX_PUBLIC_INPUTS or len(encoding) != key_encoding_size(n_public):
            raise MalformedInput(f"a key account with {n_public} inputs does not hold {len(encoding)} bytes of key")
        return cls(**values, encoding=encoding)  # type: ignore[arg-type]


@dataclass(frozen=True)
class UploadAccount:
    """A verifying key that is not finished, or evidence; ``content`` is what has arrived, the rest zeros."""

    authority: bytes
    digest: bytes
    size: int
    bump: int
    content: bytes

    @classmethod
    def decode(cls, data: bytes) -> "UploadAccount":
        values, content = _split(UPLOAD_ACCOUNT, data)
        size = cast(int, values["size"])
        if len(content) != size:
            raise MalformedInput(f"an upload of {size} bytes does not hold {len(content)}")
        return cls(**values, content=content)  # type: ignore[arg-type]


@dataclass(frozen=True)
class BatchAccount:
    """One committed batch; ``slot`` and ``unix_time_s`` are the chain's when it was written.

    ``committer`` is a prover's account; ``states`` holds two bits for each leaf, as layout.batches names them.
    """

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
    open_demands: int
    bump: int
    states: bytes

    @classmethod
    def decode(cls, data: bytes) -> "BatchAccount":
        values, states = _split(BATCH_ACCOUNT, data)
        count = cast(int, values["leaf_count"])
        if not 0 < count <= MAX_LEAVES or len(states) != (count + 31) // 32 * 8:
            raise MalformedInput(f"a batch of {count} leaves does not hold {len(states)} bytes of their states")
        return cls(**values, states=states)  # type: ignore[arg-type]

    def state(self, leaf: int) -> int:
        """LEAF_UNPAID, LEAF_PAID, LEAF_VOID or LEAF_DEMANDED."""
        if not 0 <= leaf < self.leaf_count:
            raise MalformedInput(f"there is no leaf {leaf} in a batch of {self.leaf_count}")
        return self.states[leaf // 4] >> (leaf % 4 * 2) & 3


@dataclass(frozen=True)
class DemandAccount:
    """A demand that a leaf of a batch be shown on chain, and the bond behind it."""

    batch: bytes
    demander: bytes
    refund_to: bytes
    bond: int
    answer_until_s: int
    leaf: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "DemandAccount":
        return cls(**DEMAND_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class ConfigAccount:
    """The network: its mint, vault, roles and parameters, and the tokens that stand behind or beside its work."""

    mint: bytes
    vault: bytes
    guardian: bytes
    treasury: bytes
    parameters: bytes
    total_stake: int
    fees: int
    burned: int
    next_proposal: int
    paused: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "ConfigAccount":
        return cls(**CONFIG_ACCOUNT.decode(data))  # type: ignore[arg-type]

    @property
    def rules(self) -> Parameters:
        return Parameters.decode(self.parameters)


@dataclass(frozen=True)
class ProposalAccount:
    """A change put to the vote; ``change`` is a record of layout.governance, as ``kind`` says."""

    proposer: bytes
    number: int
    votes_for: int
    votes_against: int
    vote_until_s: int
    execute_from_s: int
    execute_until_s: int
    change: bytes
    kind: int
    executed: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "ProposalAccount":
        return cls(**PROPOSAL_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class VoteAccount:
    """One pool's vote on one proposal."""

    prover: bytes
    proposal: int
    weight: int
    in_favour: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "VoteAccount":
        return cls(**VOTE_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PermissionAccount:
    """What a verifying key may not be used for; without such an account it may be used for everything."""

    digest: bytes
    denied: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "PermissionAccount":
        return cls(**PERMISSION_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class ProverAccount:
    """A prover: its keys, its pool of stake, what it earned and how it did."""

    owner: bytes
    signer: bytes
    payout: bytes
    latest_root: bytes
    next_number: int
    stake: int
    locked: int
    shares: int
    exiting_shares: int
    earned: int
    fulfilled: int
    missed: int
    false_leaves: int
    pool_bps: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "ProverAccount":
        return cls(**PROVER_ACCOUNT.decode(data))  # type: ignore[arg-type]

    def worth(self, shares: int) -> int:
        """Tokens that these shares of the pool are worth, rounded down as the program does."""
        return shares * (self.stake + VIRTUAL_STAKE) // (self.shares + VIRTUAL_SHARES)


@dataclass(frozen=True)
class PositionAccount:
    """A staker's shares in a pool; the exiting ones may be withdrawn from ``exit_from_s`` on."""

    prover: bytes
    staker: bytes
    shares: int
    exiting_shares: int
    exit_from_s: int
    bump: int

    @classmethod
    def decode(cls, data: bytes) -> "PositionAccount":
        return cls(**POSITION_ACCOUNT.decode(data))  # type: ignore[arg-type]


@dataclass(frozen=True)
class RequestAccount:
    """An escrow for one proof; ``state`` is one of layout.requests' five, ``inputs`` a digest of public inputs."""

    requester: bytes
    refund_to: bytes
    assigner: bytes
    prover: bytes
    callback_program: bytes
    key: bytes
    inputs: bytes
    nonce: int
    cap: int
    price: int
    bond: int
    demand_bond: int
    refund: int
    assigned_s: int
    pay_until_s: int
    expire_s: int
    settle_until_s: int
    answer_until_s: int
    callback_units: int
    late_bps: int
    state: int
    direct_only: int
    callback_due: int
    bump: int
    permission_bump: int

    @classmethod
    def decode(cls, data: bytes) -> "RequestAccount":
        return cls(**REQUEST_ACCOUNT.decode(data))  # type: ignore[arg-type]


def key_encoding_size(n_public: int) -> int:
    """Bytes of a BN254 verifying key with this many public inputs."""
    return KEY_FIXED_SIZE + G1_SIZE * (n_public + 1)


def _split(record: Layout, data: bytes) -> tuple[dict[str, Value], bytes]:
    return record.decode(data[: record.size]), data[record.size :]
