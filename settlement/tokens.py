"""SPL token instructions of our own tools: a mint, accounts of it, tokens. Source: spl-token's `TokenInstruction`."""

import struct
from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from proofgrid.settlement.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM

ASSOCIATED_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MINT_SIZE, TOKEN_ACCOUNT_SIZE = 82, 165
_MINT_TO, _INITIALIZE_ACCOUNT3, _INITIALIZE_MINT2 = 7, 18, 20
_CREATE_IDEMPOTENT = 1


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


def associated_address(owner: Pubkey, mint: Pubkey) -> Pubkey:
    """Where wallets look for the owner's tokens of this mint. Source: spl-associated-token-account."""
    return Pubkey.find_program_address([bytes(owner), bytes(TOKEN_PROGRAM), bytes(mint)], ASSOCIATED_PROGRAM)[0]


def create_associated_account(payer: Pubkey, owner: Pubkey, mint: Pubkey) -> Instruction:
    """The token account at :func:`associated_address`, if it is not there yet; ``payer`` signs and pays its rent."""
    metas = [
        AccountMeta(payer, True, True),
        AccountMeta(associated_address(owner, mint), False, True),
        AccountMeta(owner, False, False),
        AccountMeta(mint, False, False),
        AccountMeta(SYSTEM_PROGRAM, False, False),
        AccountMeta(TOKEN_PROGRAM, False, False),
    ]
    return Instruction(ASSOCIATED_PROGRAM, bytes([_CREATE_IDEMPOTENT]), metas)


def _create(payer: Pubkey, address: Pubkey, size: int, rent: int) -> Instruction:
    return create_account(
        CreateAccountParams(from_pubkey=payer, to_pubkey=address, lamports=rent, space=size, owner=TOKEN_PROGRAM)
    )
