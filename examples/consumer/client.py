"""Instructions of ``consumer.c``."""

import struct
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

SYSTEM_PROGRAM = Pubkey.default()


@dataclass(frozen=True)
class Escrow:
    """Lamports of a depositor for a beneficiary, under one statement: a key's digest and its inputs' digest."""

    program: Pubkey
    settlement: Pubkey
    depositor: Pubkey
    beneficiary: Pubkey
    key_digest: bytes
    inputs_digest: bytes
    lamports: int
    refund_from_s: int
    nonce: int = 0

    @property
    def address(self) -> Pubkey:
        seeds = [b"escrow", bytes(self.depositor), self.nonce.to_bytes(8, "little")]
        return Pubkey.find_program_address(seeds, self.program)[0]

    def open(self) -> Instruction:
        data = struct.pack("<B7xQQq", 0, self.nonce, self.lamports, self.refund_from_s)
        data += bytes(self.beneficiary) + bytes(self.settlement) + self.key_digest + self.inputs_digest
        metas = [_meta(self.depositor, signs=True), _meta(self.address), _meta(SYSTEM_PROGRAM, written=False)]
        return Instruction(self.program, data, metas)

    def release(self, receipt: Instruction) -> Instruction:
        """``receipt`` is what ``proofgrid.settlement.instructions.batches.verify_receipt`` builds."""
        metas = [_meta(self.address), _meta(self.beneficiary), _meta(self.depositor)]
        called = [_meta(receipt.program_id, written=False), *receipt.accounts]
        return Instruction(self.program, bytes([1]) + bytes(7) + receipt.data, [*metas, *called])

    def refund(self) -> Instruction:
        return Instruction(self.program, bytes([2]) + bytes(7), [_meta(self.address), _meta(self.depositor)])


def _meta(address: Pubkey, *, signs: bool = False, written: bool = True) -> AccountMeta:
    return AccountMeta(address, signs, written)
