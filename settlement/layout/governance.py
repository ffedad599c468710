"""Changes of parameters, roles and permissions by a vote of the stake."""

from proofgrid.settlement.forms import SIGNER, SYSTEM_PROGRAM, WRITABLE, Field, Instruction, Layout, Use
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT

SEEDS = {"proposal": b"proposal", "vote": b"vote", "permission": b"permission"}

CHANGE_PARAMETERS, CHANGE_ROLES, CHANGE_PERMISSION = 1, 2, 3
ROLES = Layout("roles", (Field("guardian", 32), Field("treasury", 32)))
PERMISSION = Layout("permission", (Field("digest", 32), Field("denied", "u8"), Field("reserved", 31)))
DENY_REQUESTS, DENY_BATCHES = 1, 2  # bits of `denied`: no new requests under this key; none of its leaves is paid

PROPOSAL_ACCOUNT = Layout(
    "proposal_account",
    (
        Field("proposer", 32),
        Field("number", "u64"),
        Field("votes_for", "u64"),
        Field("votes_against", "u64"),
        Field("vote_until_s", "i64"),
        Field("execute_from_s", "i64"),
        Field("execute_until_s", "i64"),
        Field("change", 64),  # PARAMETERS, ROLES or PERMISSION, as `kind` says
        Field("kind", "u8"),
        Field("executed", "u8"),
        Field("bump", "u8"),
        Field("reserved", 5),
    ),
    discriminator=b"pg.prop1",
)
VOTE_ACCOUNT = Layout(
    "vote_account",
    (
        Field("prover", 32),
        Field("proposal", "u64"),
        Field("weight", "u64"),
        Field("in_favour", "u8"),
        Field("bump", "u8"),
        Field("reserved", 6),
    ),
    discriminator=b"pg.vote1",
)
PERMISSION_ACCOUNT = Layout(
    "permission_account",
    (Field("digest", 32), Field("denied", "u8"), Field("bump", "u8"), Field("reserved", 6)),
    discriminator=b"pg.perm1",
)
ACCOUNTS = (PROPOSAL_ACCOUNT, VOTE_ACCOUNT, PERMISSION_ACCOUNT)
RECORDS = (ROLES, PERMISSION)

PROPOSE = Instruction(
    Layout("propose", (Field("kind", "u8"), Field("reserved", 6), Field("change", 64)), tag=7),
    (
        Use("owner", SIGNER | WRITABLE),
        Use("prover", 0, PROVER_ACCOUNT),
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("proposal", WRITABLE),
        SYSTEM_PROGRAM,
    ),
)
VOTE = Instruction(
    Layout("vote", (Field("in_favour", "u8"), Field("reserved", 6)), tag=8),
    (
        Use("owner", SIGNER | WRITABLE),
        Use("prover", 0, PROVER_ACCOUNT),
        Use("proposal", WRITABLE, PROPOSAL_ACCOUNT),
        Use("vote", WRITABLE),
        SYSTEM_PROGRAM,
    ),
)
EXECUTE = Instruction(
    Layout("execute", (), tag=9),
    (
        Use("payer", SIGNER | WRITABLE),
        Use("config", WRITABLE, CONFIG_ACCOUNT),
        Use("proposal", WRITABLE, PROPOSAL_ACCOUNT),
        Use("subject", WRITABLE),  # the permission's account, the new treasury, or the config again
        SYSTEM_PROGRAM,
    ),
)
INSTRUCTIONS = (PROPOSE, VOTE, EXECUTE)
