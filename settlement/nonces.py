"""Durable nonces: transactions that wait for signatures for days, and still land at most once.

A nonce account of the System program stores a hash. A transaction that carries it in place of a recent blockhash, and
advances it in its first instruction, does not expire; landing moves the hash on, whether the rest succeeds or not.
Source: Agave, ``docs/src/implemented-proposals/durable-tx-nonces.md``; the account is ``solana-nonce``'s ``Versions``.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from solana.rpc.async_api import AsyncClient
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    AuthorizeNonceAccountParams,
    WithdrawNonceAccountParams,
    advance_nonce_account,
    authorize_nonce_account,
    create_nonce_account,
    withdraw_nonce_account,
)

from proofgrid.errors import MalformedInput, NotFound
from proofgrid.settlement.addresses import SYSTEM_PROGRAM
from proofgrid.settlement.rpc import fetch_account

NONCE_SIZE = 80
_RECORD = struct.Struct("<II32s32sQ")
_CURRENT, _INITIALISED = 1, 1


@dataclass(frozen=True)
class Nonce:
    """A nonce account: ``stored`` stands for the blockhash of the next transaction, which ``authority`` signs."""

    address: Pubkey
    authority: Pubkey
    stored: Hash
    lamports: int

    @classmethod
    def decode(cls, address: Pubkey, data: bytes, lamports: int) -> "Nonce":
        """Raises MalformedInput for other bytes than those of an initialised nonce account of today's version."""
        if len(data) != NONCE_SIZE:
            raise MalformedInput(f"{address} is no nonce account: it has {len(data)} bytes, not {NONCE_SIZE}")
        version, state, authority, stored, _ = _RECORD.unpack(data)
        if (version, state) != (_CURRENT, _INITIALISED):
            raise MalformedInput(
                f"the nonce account {address} is not initialised, or of an old version: make a new one"
            )
        return cls(address, Pubkey(authority), Hash(stored), lamports)


async def read_nonce(client: AsyncClient, address: Pubkey) -> Nonce:
    """The nonce account at confirmed. Raises NotFound, MalformedInput, ChainUnavailable."""
    account = await fetch_account(client, address)
    if account is None:
        raise NotFound(f"there is no nonce account at {address}: make one with `proofgrid nonce create`")
    if account.owner != SYSTEM_PROGRAM:
        raise MalformedInput(f"{address} is no nonce account: it belongs to {account.owner}")
    return Nonce.decode(address, bytes(account.data), account.lamports)


def create(payer: Pubkey, address: Pubkey, authority: Pubkey, *, rent: int) -> Sequence[Instruction]:
    """A new nonce account; ``payer`` and ``address`` sign, and never again: ``authority`` rules it from then on.

    ``rent`` in lamports for NONCE_SIZE bytes.
    """
    return create_nonce_account(payer, address, authority, rent)


def advance(nonce: Nonce) -> Instruction:
    """The first instruction of every transaction that spends the nonce; its authority signs."""
    return advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.address, authorized_pubkey=nonce.authority)
    )


def withdraw(nonce: Nonce, to: Pubkey, lamports: int) -> Instruction:
    """Take lamports out; all of them close the account. Its authority signs."""
    return withdraw_nonce_account(
        WithdrawNonceAccountParams(
            nonce_pubkey=nonce.address, authorized_pubkey=nonce.authority, to_pubkey=to, lamports=lamports
        )
    )


def authorize(nonce: Nonce, authority: Pubkey) -> Instruction:
    """Put another key in charge; the present authority signs."""
    return authorize_nonce_account(
        AuthorizeNonceAccountParams(
            nonce_pubkey=nonce.address, authorized_pubkey=nonce.authority, new_authority=authority
        )
    )
