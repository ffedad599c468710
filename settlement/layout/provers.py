"""Provers and the stake behind them: a pool of tokens in shares, held by the cold owner and by co-stakers."""

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

# A new pool's price is 1/1,000 of a token a share: what a first depositor could gain by inflating it is below dust.
VIRTUAL_SHARES, VIRTUAL_STAKE = 1_000, 1

ROOT_SIZE = 32

SEEDS = {"prover": b"prover", "position": b"position"}

PROVER_ACCOUNT = Layout(
    "prover_account",
    (
        Field("owner", 32),  # cold: stake and settings
        Field("signer", 32),  # hot: work
        Field("payout", 32),  # the token account that earnings go to
        Field("latest_root", ROOT_SIZE),  # of the batches it committed
        Field("next_number", "u64"),
        Field("stake", "u64"),  # tokens, all of them slashable
        Field("locked", "u64"),  # tokens of `stake` behind leaves and requests
        Field("shares", "u64"),
        Field("exiting_shares", "u64"),  # of `shares`: they back no new work and do not vote
        Field("earned", "u64"),  # tokens not yet collected
        Field("fulfilled", "u32"),
        Field("missed", "u32"),
        Field("false_leaves", "u32"),
        Field("pool_bps", "u16"),  # of each payment, added to the stake
        Field("bump", "u8"),
        Field("reserved", 1),
    ),
    discriminator=b"pg.prov1",
)
POSITION_ACCOUNT = Layout(
    "position_account",
    (
        Field("prover", 32),
        Field("staker", 32),
        Field("shares", "u64"),
        Field("exiting_shares", "u64"),  # apart from `shares`
        Field("exit_from_s", "i64"),
        Field("bump", "u8"),
        Field("reserved", 7),
    ),
    discriminator=b"pg.posn1",
)
ACCOUNTS = (PROVER_ACCOUNT, POSITION_ACCOUNT)

REGISTER_PROVER = Instruction(
    Layout("register_prover", (Field("reserved", 5), Field("pool_bps", "u16"), Field("signer", 32)), tag=13),
    (
        Use("owner", SIGNER | WRITABLE),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE),
        Use("payout"),
        SYSTEM_PROGRAM,
    ),
)
UPDATE_PROVER = Instruction(
    Layout("update_prover", (Field("reserved", 7), Field("signer", 32)), tag=14),
    (
        Use("owner", SIGNER),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("payout"),
    ),
)
DEPOSIT_STAKE = Instruction(
    Layout("deposit_stake", (Field("reserved", 7), Field("amount", "u64")), tag=15),
    (
        Use("staker", SIGNER | WRITABLE),
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("position", WRITABLE),
        Use("source", WRITABLE),
        Use("vault", WRITABLE),
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
    ),
)
REQUEST_EXIT = Instruction(
    Layout("request_exit", (Field("reserved", 7), Field("shares", "u64")), tag=16),
    (
        Use("staker", SIGNER),
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("position", WRITABLE, POSITION_ACCOUNT),
    ),
)
WITHDRAW_STAKE = Instruction(
    Layout("withdraw_stake", (), tag=17),
    (
        Use("staker", SIGNER | WRITABLE),
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("position", WRITABLE, POSITION_ACCOUNT),
        Use("vault", WRITABLE),
        Use("destination", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
COLLECT_EARNINGS = Instruction(
    Layout("collect_earnings", (), tag=18),
    (
        Use("config", 0, CONFIG_ACCOUNT),
        Use("prover", WRITABLE, PROVER_ACCOUNT),
        Use("vault", WRITABLE),
        Use("payout", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
INSTRUCTIONS = (REGISTER_PROVER, UPDATE_PROVER, DEPOSIT_STAKE, REQUEST_EXIT, WITHDRAW_STAKE, COLLECT_EARNINGS)
