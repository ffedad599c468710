"""Batches of leaves."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import batch_address, log_address
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.batches import COMMIT_BATCH


def commit_batch(
    program_id: Pubkey, committer: Pubkey, *, number: int, prev_root: bytes, root: bytes, leaf_count: int
) -> Instruction:
    """Commit a Merkle root (32 bytes) over ``leaf_count`` leaves as the committer's batch ``number``."""
    log, _ = log_address(program_id, committer)
    batch, bump = batch_address(program_id, committer, number)
    values: dict[str, Value] = {
        "batch_bump": bump,
        "leaf_count": leaf_count,
        "number": number,
        "prev_root": prev_root,
        "root": root,
    }
    accounts = {"committer": committer, "log": log, "batch": batch}
    return build(program_id, COMMIT_BATCH, accounts, values)
