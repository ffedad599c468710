"""Batches: Merkle roots over leaves, each bound to its committer's root before it, with stake behind every leaf."""

from proofgrid.settlement.forms import (
    SIGNER,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    WRITABLE,
    Field,
    Instruction,
    Layout,
    Use,
)
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT
from proofgrid.settlement.layout.keys import KEY_ACCOUNT, PROOF_SIZE
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT, ROOT_SIZE
from proofgrid.settlement.layout.requests import REQUEST_ACCOUNT

ZERO_ROOT = bytes(ROOT_SIZE)
MAX_LEAVES = 16_384
# A leaf's hash is SHA-256 of a zero byte, this head and the leaf's fields; a proof's digest has a head of its own.
LEAF_HEAD = b"proofgrid.leaf.v1".ljust(32, b"\0")
PROOF_DIGEST_HEAD = b"proofgrid.proof.v1".ljust(32, b"\0") + b"bn254".ljust(16, b"\0")

LEAF_UNPAID, LEAF_PAID, LEAF_VOID, LEAF_DEMANDED = 0, 1, 2, 3  # two bits for each leaf of a batch, the lowest first

SEEDS = {"batch": b"batch", "demand": b"demand"}

BATCH_ACCOUNT = Layout(
    "batch_account",
    (
        Field("committer", 32),  # a prover's account
        Field("number", "u64"),
        Field("prev_root", ROOT_SIZE),
        Field("root", ROOT_SIZE),
        Field("slot", "u64"),
        Field("unix_time_s", "i64"),
        Field("challenge_until_s", "i64"),
        Field("leaf_bond", "u64"),  # tokens behind each leaf
        Field("locked", "u64"),  # tokens of the committer's stake that are locked for this batch
        Field("leaf_count", "u32"),
        Field("open_demands", "u32"),
        Field("bump", "u8"),
        Field("reserved", 7),
    ),
    discriminator=b"pg.batc2",
)  # followed by the leaves' states, four to a byte
DEMAND_ACCOUNT = Layout(
    "demand_account",
    (
        Field("batch", 32),
        Field("demander", 32),
        Field("refund_to", 32),
        Field("bond", "u64"),
        Field("answer_until_s", "i64"),
        Field("leaf", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.dmnd1",
)
ACCOUNTS = (BATCH_ACCOUNT, DEMAND_ACCOUNT)

# What verify_receipt says of a leaf that holds: the return data.
VERDICT = Layout(
    "verdict",
    (
        Field("committer", 32),  # a prover's account
        Field("key", 32),  # digests
        Field("inputs", 32),
        Field("proof", 32),
        Field("request", 32),
        Field("prover", 32),
        Field("price", "u64"),
        Field("committed_s", "i64"),  # the chain's time of the batch
    ),
)
RECORDS = (VERDICT,)

# What a challenge and an answer show of a leaf; its key is the account's, its other digests are computed.
_SHOWN = (
    Field("n_inputs", "u8"),
    Field("reserved", 2),
    Field("leaf", "u32"),
    Field("price", "u64"),
    Field("request", 32),
    Field("prover", 32),
    Field("proof", PROOF_SIZE),
)

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
    (
        Use("signer", SIGNER | WRITABLE),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("batch", WRITABLE),
        SYSTEM_PROGRAM,
    ),
)
CHALLENGE_LEAF = Instruction(
    Layout("challenge_leaf", _SHOWN, tag=26),  # then the inputs and the path, 32 bytes each
    (
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("committer", WRITABLE, PROVER_ACCOUNT),
        Use("batch", WRITABLE, BATCH_ACCOUNT),
        Use("key", 0, KEY_ACCOUNT),
        Use("vault", WRITABLE),
        Use("reward", WRITABLE),
        TOKEN_PROGRAM,
    ),
    tail=True,
    uploadable=True,
)
DEMAND_LEAF = Instruction(
    Layout("demand_leaf", (Field("reserved", 3), Field("leaf", "u32")), tag=27),
    (
        Use("demander", SIGNER | WRITABLE),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("batch", WRITABLE, BATCH_ACCOUNT),
        Use("demand", WRITABLE),
        Use("source", WRITABLE),
        Use("vault", WRITABLE),
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
    ),
)
ANSWER_LEAF = Instruction(
    Layout("answer_leaf", _SHOWN, tag=28),  # then the inputs and the path
    (
        Use("demander", WRITABLE),
        Use("committer", WRITABLE, PROVER_ACCOUNT),
        Use("batch", WRITABLE, BATCH_ACCOUNT),
        Use("demand", WRITABLE, DEMAND_ACCOUNT),
        Use("key", 0, KEY_ACCOUNT),
    ),
    tail=True,
    uploadable=True,
)
VOID_LEAF = Instruction(
    Layout("void_leaf", (), tag=29),
    (
        Use("demander", WRITABLE),
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("committer", WRITABLE, PROVER_ACCOUNT),
        Use("batch", WRITABLE, BATCH_ACCOUNT),
        Use("demand", WRITABLE, DEMAND_ACCOUNT),
        Use("vault", WRITABLE),
        Use("refund_to", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
CLAIM_LEAF = Instruction(
    Layout(
        "claim_leaf", (Field("reserved", 3), Field("leaf", "u32"), Field("proof_digest", 32)), tag=30
    ),  # then the path
    (
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
        Use("permission"),
        Use("batch", WRITABLE, BATCH_ACCOUNT),
        Use("vault", WRITABLE),
        Use("refund_to", WRITABLE),
        TOKEN_PROGRAM,
    ),
    tail=True,
)
RELEASE_BATCH = Instruction(
    Layout("release_batch", (), tag=31),
    (Use("committer", WRITABLE, PROVER_ACCOUNT), Use("batch", WRITABLE, BATCH_ACCOUNT)),
)
VERIFY_RECEIPT = Instruction(
    Layout(
        "verify_receipt",
        (
            Field("reserved", 3),
            Field("leaf", "u32"),
            Field("price", "u64"),
            Field("request", 32),
            Field("inputs", 32),
            Field("proof_digest", 32),
            Field("prover", 32),
        ),
        tag=32,
    ),  # then the path
    (Use("batch", 0, BATCH_ACCOUNT), Use("key", 0, KEY_ACCOUNT)),
    tail=True,
)
INSTRUCTIONS = (
    COMMIT_BATCH,
    CHALLENGE_LEAF,
    DEMAND_LEAF,
    ANSWER_LEAF,
    VOID_LEAF,
    CLAIM_LEAF,
    RELEASE_BATCH,
    VERIFY_RECEIPT,
)
