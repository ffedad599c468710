"""A transaction that has become part of the devnet's ledger, and what it may write."""

from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from proofgrid.settlement.devnet.values import Json


@dataclass(frozen=True)
class Details:
    """What only this run knows of a transaction; lamports before and after, in the accounts' order."""

    transaction: VersionedTransaction
    meta: TransactionMetadata
    balances: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Landed:
    """A transaction that is part of the ledger, true or failed; ``error`` is in its JSON form."""

    signature: str
    slot: int
    unix_time_s: int
    error: Json
    addresses: tuple[str, ...]
    details: Details | None = None
    unseen_until: int = 0
    """Its status is not told before this slot."""


def written_by(transaction: VersionedTransaction) -> list[Pubkey]:
    """The accounts that the transaction may write: the writable signers and the writable others."""
    header, keys = transaction.message.header, transaction.message.account_keys
    signers = header.num_required_signatures
    signed = keys[: signers - header.num_readonly_signed_accounts]
    return [*signed, *keys[signers : len(keys) - header.num_readonly_unsigned_accounts]]
