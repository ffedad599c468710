"""Durable nonces: a transaction whose blockhash is the one that a nonce account stores, and which advances it first.

LiteSVM runs the System program's nonce instructions, but derives the next nonce from the transaction's own blockhash
(a validator: from the block's), and undoes the advance of a transaction that fails (a validator keeps it, or such a
transaction could be landed for its fee again and again). The second is put right here.
Source: agave, ``runtime/src/bank/check_transactions.rs`` and ``nonce_info.rs``.
"""

import hashlib

from solders.account import Account
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.transaction import VersionedTransaction

_ADVANCE = (4).to_bytes(4, "little")
_SIZE = 80
_AUTHORITY = slice(8, 40)
_STORED = slice(40, 72)
_INITIALISED = 1


def nonce_of(transaction: VersionedTransaction) -> Pubkey | None:
    """The nonce account that the transaction advances in its first instruction, if it is signed by its authority."""
    message = transaction.message
    if not message.instructions:
        return None
    first, keys = message.instructions[0], message.account_keys
    if keys[first.program_id_index] != SYSTEM_PROGRAM or bytes(first.data) != _ADVANCE or len(first.accounts) < 3:
        return None
    return keys[first.accounts[0]]


def is_spendable(transaction: VersionedTransaction, nonce: Account | None) -> bool:
    """Whether this nonce account makes the transaction valid without a recent blockhash."""
    if nonce is None or nonce.owner != SYSTEM_PROGRAM or len(nonce.data) != _SIZE:
        return False
    data, message = bytes(nonce.data), transaction.message
    if int.from_bytes(data[4:8], "little") != _INITIALISED:
        return False
    signers = message.account_keys[: message.header.num_required_signatures]
    is_authorised = Pubkey.from_bytes(data[_AUTHORITY]) in signers
    return is_authorised and data[_STORED] == bytes(message.recent_blockhash)


def advanced(transaction: VersionedTransaction, nonce: Account) -> Account:
    """The nonce account after the transaction, whether or not the rest of it succeeded."""
    data = bytearray(nonce.data)
    data[_STORED] = hashlib.sha256(b"DURABLE_NONCE" + bytes(transaction.message.recent_blockhash)).digest()
    return Account(nonce.lamports, bytes(data), nonce.owner, nonce.executable, nonce.rent_epoch)
