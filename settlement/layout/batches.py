"""Batches: Merkle roots, each bound to its committer's root before it."""

from proofgrid.settlement.forms import SIGNER, SYSTEM_PROGRAM, WRITABLE, Field, Instruction, Layout, Use

ROOT_SIZE = 32
ZERO_ROOT = bytes(ROOT_SIZE)

SEEDS = {"log": b"log", "batch": b"batch"}

LOG_ACCOUNT = Layout(
    "log_account",
    (
        Field("committer", 32),
        Field("next_number", "u64"),
        Field("latest_root", ROOT_SIZE),
        Field("bump", "u8"),
        Field("reserved", 7),
    ),
    discriminator=b"pg.log.1",
)
BATCH_ACCOUNT = Layout(
    "batch_account",
    (
        Field("committer", 32),
        Field("number", "u64"),
        Field("prev_root", ROOT_SIZE),
        Field("root", ROOT_SIZE),
        Field("slot", "u64"),
        Field("unix_time_s", "i64"),
        Field("leaf_count", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.batch",
)
ACCOUNTS = (LOG_ACCOUNT, BATCH_ACCOUNT)

COMMIT_BATCH = Instruction(
    Layout(
        "commit_batch",
        (
            Field("batch_bump", "u8"),
            Field("reserved", 2),
            Field("leaf_count", "u32"),
            Field("number", "u64"),
            Field("prev_root", ROOT_SIZE),
            Field("root", ROOT_SIZE),
        ),
        tag=5,
    ),
    (Use("committer", SIGNER | WRITABLE), Use("log", WRITABLE), Use("batch", WRITABLE), SYSTEM_PROGRAM),
)
INSTRUCTIONS = (COMMIT_BATCH,)
