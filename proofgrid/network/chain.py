"""What settling needs of a chain, as one protocol; ``network/solana.py`` is the one that speaks to Solana."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class LogHead:
    """Where the committer's log of batches stands on chain."""

    next_number: int
    latest_root: bytes


@dataclass(frozen=True)
class SignedBatch:
    """A signed ``commit_batch``; its signature is known before it is sent."""

    signature: str
    transaction: bytes
    last_valid_block_height: int
    address: str


class Outcome(StrEnum):
    """What became of a signature."""

    PENDING = "pending"
    LANDED = "landed"
    EXPIRED = "expired"  # not landed, and it can no longer land


class Chain(Protocol):
    """One program's log under one committer on one chain. Methods raise :class:`~proofgrid.errors.SettlementError`."""

    @property
    def chain_id(self) -> str:
        """The genesis hash: a devnet that starts anew has another."""

    @property
    def program_id(self) -> str: ...

    @property
    def committer(self) -> str: ...

    def head(self) -> LogHead:
        """The log's next number and latest root (zeros before the first batch)."""

    def sign_batch(self, number: int, prev_root: bytes, root: bytes, n_leaves: int) -> SignedBatch:
        """Build and sign the commitment with a recent blockhash; sends nothing."""

    def broadcast(self, transaction: bytes) -> None:
        """Send the same bytes (again); a duplicate does no harm."""

    def outcome(self, signature: str, last_valid_block_height: int) -> Outcome:
        """Raises :class:`~proofgrid.errors.ProgramRefused` for a transaction that landed and failed."""

    def committed_root(self, number: int) -> bytes | None:
        """The root of that batch on chain, None if there is none."""
