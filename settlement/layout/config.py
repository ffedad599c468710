"""The network's parameters and roles, its vault, its stop, its fees and what is burned."""

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

BASIS_POINTS = 10_000
MAX_FEE_BPS = 1_000
MIN_BURN_BPS, MAX_BURN_BPS = 2_000, 9_000  # of what is slashed: whoever slashes themselves loses at least this
MIN_QUORUM_BPS = 1_000
MAX_WINDOW_S = 365 * 24 * 3600

SEEDS = {"config": b"config", "vault": b"vault"}

PARAMETERS = Layout(
    "parameters",
    (
        Field("min_stake", "u64"),  # tokens that a prover needs to commit, to be assigned work, to propose
        Field("leaf_bond", "u64"),  # tokens that a committer locks for each leaf
        Field("job_bond", "u64"),  # tokens that a prover locks for a request, at least
        Field("demand_bond", "u64"),  # tokens that whoever demands a proof on chain posts
        Field("challenge_window_s", "u32"),
        Field("reveal_window_s", "u32"),
        Field("claim_window_s", "u32"),
        Field("exit_window_s", "u32"),
        Field("vote_window_s", "u32"),
        Field("execute_delay_s", "u32"),
        Field("fee_bps", "u16"),  # of each payment
        Field("burn_bps", "u16"),  # of each slashed amount; the rest is the harmed party's
        Field("job_bond_bps", "u16"),  # of a request's price, locked by its prover where it exceeds job_bond
        Field("quorum_bps", "u16"),  # of all stake, that must vote for a proposal
    ),
)
CONFIG_ACCOUNT = Layout(
    "config_account",
    (
        Field("mint", 32),
        Field("vault", 32),
        Field("guardian", 32),
        Field("treasury", 32),
        Field("parameters", PARAMETERS.size),
        Field("total_stake", "u64"),
        Field("fees", "u64"),  # tokens in the vault that are the treasury's
        Field("burned", "u64"),  # tokens in the vault that are nobody's
        Field("next_proposal", "u64"),
        Field("current_from", "u64"),  # lower proposals are from before the parameters changed last
        Field("paused", "u8"),
        Field("bump", "u8"),
        Field("reserved", 6),
    ),
    discriminator=b"pg.conf1",
)

ACCOUNTS = (CONFIG_ACCOUNT,)
RECORDS = (PARAMETERS,)

INITIALIZE = Instruction(
    Layout("initialize", (Field("reserved", 7), Field("guardian", 32), Field("parameters", PARAMETERS.size)), tag=6),
    (
        Use("authority", SIGNER | WRITABLE),
        Use("config", WRITABLE),
        Use("vault", WRITABLE),
        Use("mint"),
        Use("treasury"),
        Use("program_data"),
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
    ),
)
SET_PAUSED = Instruction(
    Layout("set_paused", (Field("paused", "u8"),), tag=10),
    (Use("guardian", SIGNER), Use("config", WRITABLE, CONFIG_ACCOUNT)),
)
COLLECT_FEES = Instruction(
    Layout("collect_fees", (), tag=11),
    (
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("vault", WRITABLE),
        Use("treasury", WRITABLE),
        TOKEN_PROGRAM,
    ),
)
BURN = Instruction(
    Layout("burn", (), tag=12),
    (Use("config", WRITABLE, CONFIG_ACCOUNT), Use("vault", WRITABLE), Use("mint", WRITABLE), TOKEN_PROGRAM),
)
INSTRUCTIONS = (INITIALIZE, SET_PAUSED, COLLECT_FEES, BURN)
