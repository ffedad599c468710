"""Requests: an escrow for one proof, from its opening to its payment or its prover's loss."""

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
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT

OPEN, ASSIGNED, DEMANDED, FULFILLED, MISSED = 1, 2, 3, 4, 5  # fulfilled: by a proof on chain or by a leaf
# The digest of public inputs is SHA-256 of this head, their number (u32 big-endian) and the inputs, 32 bytes each.
INPUTS_DIGEST_HEAD = b"proofgrid.public-inputs.v1".ljust(32, b"\0")

SEEDS = {"request": b"request"}

REQUEST_ACCOUNT = Layout(
    "request_account",
    (
        Field("requester", 32),
        Field("refund_to", 32),  # the token account that what is not paid goes to
        Field("assigner", 32),  # the key that may assign a prover
        Field("prover", 32),  # zeros until one is assigned
        Field("callback_program", 32),  # zeros for none
        Field("key", 32),  # digests
        Field("inputs", 32),
        Field("nonce", "u64"),
        Field("cap", "u64"),  # tokens in escrow
        Field("price", "u64"),  # agreed on assignment, at most the cap
        Field("bond", "u64"),  # tokens of the prover's stake that are locked for this
        Field("demand_bond", "u64"),
        Field("refund", "u64"),  # tokens of the escrow that are the requester's again, not yet sent
        Field("assigned_s", "i64"),
        Field("pay_until_s", "i64"),  # paid in full until here
        Field("expire_s", "i64"),  # accepted until here
        Field("settle_until_s", "i64"),  # then the prover may be slashed
        Field("answer_until_s", "i64"),  # of a demand
        Field("callback_units", "u32"),  # that the callback needs, for whoever sends it
        Field("late_bps", "u16"),  # of the price, paid after pay_until_s
        Field("state", "u8"),
        Field("direct_only", "u8"),  # only fulfil_request pays, no leaf
        Field("callback_due", "u8"),
        Field("bump", "u8"),
        Field("permission_bump", "u8"),  # of its key's permission, so that a claim need not search
        Field("reserved", 5),
    ),
    discriminator=b"pg.requ1",
)
ACCOUNTS = (REQUEST_ACCOUNT,)

OPEN_REQUEST = Instruction(
    Layout(
        "open_request",
        (
            Field("direct_only", "u8"),
            Field("late_bps", "u16"),
            Field("callback_units", "u32"),
            Field("nonce", "u64"),
            Field("cap", "u64"),
            Field("pay_until_s", "i64"),
            Field("expire_s", "i64"),
            Field("inputs", 32),
            Field("assigner", 32),
            Field("callback_program", 32),
        ),
        tag=19,
    ),
    (
        Use("requester", SIGNER | WRITABLE),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("key", 0, KEY_ACCOUNT),
        Use("permission"),
        Use("request", WRITABLE),
        Use("source", WRITABLE),
        Use("vault", WRITABLE),
        Use("refund_to"),
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
    ),
)
CLOSE_REQUEST = Instruction(
    Layout("close_request", (), tag=20),
    (
        Use("requester", WRITABLE),  # its signature allows more
        Use("config", 0, CONFIG_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
        Use("vault", WRITABLE),
        Use("destination", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
ASSIGN_REQUEST = Instruction(
    Layout("assign_request", (Field("reserved", 7), Field("price", "u64")), tag=21),
    (
        Use("assigner", SIGNER),
        Use("signer", SIGNER),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
    ),
)
FULFIL_REQUEST = Instruction(
    Layout("fulfil_request", (Field("reserved", 7), Field("proof", PROOF_SIZE)), tag=22),  # then the public inputs
    (
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
        Use("key", 0, KEY_ACCOUNT),
        Use("vault", WRITABLE),
        Use("refund_to", WRITABLE),
        TOKEN_PROGRAM,
    ),
    tail=True,
    uploadable=True,
)
CALL_BACK = Instruction(
    Layout("call_back", (), tag=23),
    (Use("request", WRITABLE, REQUEST_ACCOUNT), Use("callback_program")),  # then what that program is given
)
SLASH_MISSED = Instruction(
    Layout("slash_missed", (), tag=24),
    (
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
        Use("vault", WRITABLE),
        Use("refund_to", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
DEMAND_REVEAL = Instruction(
    Layout("demand_reveal", (), tag=25),
    (
        Use("requester", SIGNER),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("request", WRITABLE, REQUEST_ACCOUNT),
        Use("source", WRITABLE),
        Use("vault", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
INSTRUCTIONS = (
    OPEN_REQUEST,
    CLOSE_REQUEST,
    ASSIGN_REQUEST,
    FULFIL_REQUEST,
    CALL_BACK,
    SLASH_MISSED,
    DEMAND_REVEAL,
)
