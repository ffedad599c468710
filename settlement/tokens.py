"""SPL token instructions of our own tools: a mint, accounts of it, tokens. Source: spl-token's `TokenInstruction`."""

import struct
from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from proofgrid.settlement.addresses import TOKEN_PROGRAM

MINT_SIZE, TOKEN_ACCOUNT_SIZE = 82, 165
_MINT_TO, _INITIALIZE_ACCOUNT3, _INITIALIZE_MINT2 = 7, 18, 20


def create_mint(payer: Pubkey, mint: Pubkey, authority: Pubkey, *, decimals: int, rent: int) -> Sequence[Instruction]:
    """A new mint that nobody can freeze; ``payer`` and ``mint`` sign; ``rent`` in lamports for MINT_SIZE bytes."""
    data = struct.pack("<BB32sB", _INITIALIZE_MINT2, decimals, bytes(authority), 0)
    return _create(payer, mint, MINT_SIZE, rent), Instruction(TOKEN_PROGRAM, data, [AccountMeta(mint, False, True)])


def create_token_account(
    payer: Pubkey, address: Pubkey, mint: Pubkey, owner: Pubkey, *, rent: int
) -> Sequence[Instruction]:
    """A new token account at an address of its own; ``payer`` and ``address`` sign."""
    data = bytes([_INITIALIZE_ACCOUNT3]) + bytes(owner)
    metas = [AccountMeta(address, False, True), AccountMeta(mint, False, False)]
    return _create(payer, address, TOKEN_ACCOUNT_SIZE, rent), Instruction(TOKEN_PROGRAM, data, metas)


def mint_to(mint: Pubkey, destination: Pubkey, authority: Pubkey, amount: int) -> Instruction:
    """New tokens; the mint's ``authority`` signs."""
    metas = [AccountMeta(mint, False, True), AccountMeta(destination, False, True), AccountMeta(authority, True, False)]
    return Instruction(TOKEN_PROGRAM, struct.pack("<BQ", _MINT_TO, amount), metas)


def _create(payer: Pubkey, address: Pubkey, size: int, rent: int) -> Instruction:
    return create_account(
        CreateAccountParams(from_pubkey=payer, to_pubkey=address, lamports=rent, space=size, owner=TOKEN_PROGRAM)
    )
