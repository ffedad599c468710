"""A transaction that has become part of the devnet's ledger."""

from dataclasses import dataclass

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
