"""From a declared instruction and named values to one of solders'."""

from collections.abc import Mapping

from solders.instruction import AccountMeta
from solders.instruction import Instruction as SoldersInstruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import PROGRAMS
from proofgrid.settlement.forms import SIGNER, WRITABLE, Instruction, Value


def build(
    program_id: Pubkey,
    instruction: Instruction,
    accounts: Mapping[str, Pubkey],
    values: Mapping[str, Value],
    tail: bytes = b"",
) -> SoldersInstruction:
    """The instruction with its accounts in the declared order; the system and the token program need not be named."""
    given = {**PROGRAMS, **accounts}
    metas = [
        AccountMeta(given[use.name], is_signer=bool(use.flags & SIGNER), is_writable=bool(use.flags & WRITABLE))
        for use in instruction.accounts
    ]
    return SoldersInstruction(program_id, instruction.arguments.encode(values) + tail, metas)
