"""The program's accounts as models: bytes that are not such an account raise MalformedInput.

Bytes are the chain's own. In JSON addresses are base58, other bytes hex, and amounts decimal strings: a JavaScript
number ends at 2^53.
"""

from typing import Annotated, ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

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


def _base58(address: bytes) -> str:
    from solders.pubkey import Pubkey  # here, for the SDK reads accounts without Solana's library

    return str(Pubkey(address))


Address = Annotated[bytes, Field(min_length=32, max_length=32), PlainSerializer(_base58, when_used="json")]
Digest = Annotated[bytes, Field(min_length=32, max_length=32), PlainSerializer(bytes.hex, when_used="json")]
Octets = Annotated[bytes, PlainSerializer(bytes.hex, when_used="json")]
Amount = Annotated[int, PlainSerializer(str, when_used="json")]
"""Units of the network's token, or shares."""


Rules = Annotated[bytes, PlainSerializer(lambda raw: Parameters.decode(raw).model_dump(mode="json"), when_used="json")]


class Account(BaseModel):
    """An account of the program; ``record`` is its layout."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    record: ClassVar[Layout]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The account with these bytes. Raises MalformedInput for another length or type, or reserved bytes set."""
        return cls.model_validate(cls.record.decode(data))


class KeyAccount(Account):
    """A verifying key; ``registered_s`` is the chain's time when it was, ``encoding`` is ``VerifyingKey.encode()``."""

    record = KEY_ACCOUNT
    digest: Digest
    registered_s: int
    n_public: int
    bump: int
    encoding: Octets

    @classmethod
    def decode(cls, data: bytes) -> Self:
        values, encoding = _split(KEY_ACCOUNT, data)
        n_public = cast(int, values["n_public"])
        if n_public > MAX_PUBLIC_INPUTS or len(encoding) != key_encoding_size(n_public):
            raise MalformedInput(f"a key account with {n_public} inputs does not hold {len(encoding)} bytes of key")
        return cls.model_validate({**values, "encoding": encoding})


class UploadAccount(Account):
    """A verifying key that is not finished, or evidence; ``content`` is what has arrived, the rest zeros."""

    record = UPLOAD_ACCOUNT
    authority: Address
    digest: Digest
    size: int
    bump: int
    content: Octets

    @classmethod
    def decode(cls, data: bytes) -> Self:
        values, content = _split(UPLOAD_ACCOUNT, data)
        size = cast(int, values["size"])
        if len(content) != size:
            raise MalformedInput(f"an upload of {size} bytes does not hold {len(content)}")
        return cls.model_validate({**values, "content": content})


class BatchAccount(Account):
    """One committed batch; ``slot`` and ``unix_time_s`` are the chain's when it was written.

    ``committer`` is a prover's account; ``states`` holds two bits for each leaf, as layout.batches names them.
    """

    record = BATCH_ACCOUNT
    committer: Address
    number: int
    prev_root: Digest
    root: Digest
    slot: int
    unix_time_s: int
    challenge_until_s: int
    leaf_bond: Amount
    locked: Amount
    leaf_count: int
    open_demands: int
    bump: int
    states: Octets

    @classmethod
    def decode(cls, data: bytes) -> Self:
        values, states = _split(BATCH_ACCOUNT, data)
        count = cast(int, values["leaf_count"])
        if not 0 < count <= MAX_LEAVES or len(states) != (count + 31) // 32 * 8:
            raise MalformedInput(f"a batch of {count} leaves does not hold {len(states)} bytes of their states")
        return cls.model_validate({**values, "states": states})

    def state(self, leaf: int) -> int:
        """LEAF_UNPAID, LEAF_PAID, LEAF_VOID or LEAF_DEMANDED."""
        if not 0 <= leaf < self.leaf_count:
            raise MalformedInput(f"there is no leaf {leaf} in a batch of {self.leaf_count}")
        return self.states[leaf // 4] >> (leaf % 4 * 2) & 3


class DemandAccount(Account):
    """A demand that a leaf of a batch be shown on chain, and the bond behind it."""

    record = DEMAND_ACCOUNT
    batch: Address
    demander: Address
    refund_to: Address
    bond: Amount
    answer_until_s: int
    leaf: int
    bump: int


class ConfigAccount(Account):
    """The network: its mint, vault, roles and parameters, and the tokens that stand behind or beside its work."""

    record = CONFIG_ACCOUNT
    mint: Address
    vault: Address
    guardian: Address
    treasury: Address
    parameters: Rules
    total_stake: Amount
    fees: Amount
    burned: Amount
    next_proposal: int
    current_from: int
    paused: int
    bump: int

    @property
    def rules(self) -> Parameters:
        return Parameters.decode(self.parameters)


class ProposalAccount(Account):
    """A change put to the vote; ``change`` is a record of layout.governance, as ``kind`` says."""

    record = PROPOSAL_ACCOUNT
    proposer: Address
    number: int
    votes_for: Amount
    votes_against: Amount
    vote_until_s: int
    execute_from_s: int
    execute_until_s: int
    change: Octets
    kind: int
    executed: int
    bump: int


class VoteAccount(Account):
    """One pool's vote on one proposal."""

    record = VOTE_ACCOUNT
    prover: Address
    proposal: int
    weight: Amount
    in_favour: int
    bump: int


class PermissionAccount(Account):
    """What a verifying key may not be used for; without such an account it may be used for everything."""

    record = PERMISSION_ACCOUNT
    digest: Digest
    denied: int
    bump: int


class ProverAccount(Account):
    """A prover: its keys, its pool of stake, what it earned and how it did."""

    record = PROVER_ACCOUNT
    owner: Address
    signer: Address
    payout: Address
    latest_root: Digest
    next_number: int
    stake: Amount
    locked: Amount
    shares: Amount
    exiting_shares: Amount
    earned: Amount
    fulfilled: int
    missed: int
    false_leaves: int
    pool_bps: int
    bump: int

    def worth(self, shares: int) -> int:
        """Tokens that these shares of the pool are worth, rounded down as the program does."""
        return shares * (self.stake + VIRTUAL_STAKE) // (self.shares + VIRTUAL_SHARES)

    def shares_worth(self, tokens: int) -> int:
        """The fewest shares that are worth this many tokens."""
        return -(-tokens * (self.shares + VIRTUAL_SHARES) // (self.stake + VIRTUAL_STAKE))


class PositionAccount(Account):
    """A staker's shares in a pool; the exiting ones may be withdrawn from ``exit_from_s`` on."""

    record = POSITION_ACCOUNT
    prover: Address
    staker: Address
    shares: Amount
    exiting_shares: Amount
    exit_from_s: int
    bump: int


class RequestAccount(Account):
    """An escrow for one proof; ``state`` is one of layout.requests' five, ``inputs`` a digest of public inputs."""

    record = REQUEST_ACCOUNT
    requester: Address
    refund_to: Address
    assigner: Address
    prover: Address
    callback_program: Address
    key: Digest
    inputs: Digest
    nonce: int
    cap: Amount
    price: Amount
    bond: Amount
    demand_bond: Amount
    refund: Amount
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


def key_encoding_size(n_public: int) -> int:
    """Bytes of a BN254 verifying key with this many public inputs."""
    return KEY_FIXED_SIZE + G1_SIZE * (n_public + 1)


def _split(record: Layout, data: bytes) -> tuple[dict[str, Value], bytes]:
    return record.decode(data[: record.size]), data[record.size :]
