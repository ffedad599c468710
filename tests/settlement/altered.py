"""An honest instruction with one thing wrong."""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey


def with_account(honest: Instruction, index: int, key: Pubkey) -> Instruction:
    """Another account in this place, under the same flags."""
    was = honest.accounts[index]
    return with_meta(honest, index, AccountMeta(key, was.is_signer, was.is_writable))


def with_meta(honest: Instruction, index: int, meta: AccountMeta) -> Instruction:
    return Instruction(honest.program_id, honest.data, [*honest.accounts[:index], meta, *honest.accounts[index + 1 :]])


def unsigned(honest: Instruction, index: int) -> Instruction:
    """Without that account's signature."""
    was = honest.accounts[index]
    return with_meta(honest, index, AccountMeta(was.pubkey, False, was.is_writable))


def read_only(honest: Instruction, index: int) -> Instruction:
    was = honest.accounts[index]
    return with_meta(honest, index, AccountMeta(was.pubkey, was.is_signer, False))


def with_data(honest: Instruction, data: bytes) -> Instruction:
    return Instruction(honest.program_id, data, honest.accounts)


def with_byte(honest: Instruction, offset: int, value: int) -> Instruction:
    return with_data(honest, honest.data[:offset] + bytes([value]) + honest.data[offset + 1 :])
