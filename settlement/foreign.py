"""The instructions of other programs that our transactions hold, declared as our own are in :mod:`.layout`.

Sources: Agave's ``SystemInstruction`` (a u32 says which) and ``ComputeBudgetInstruction``; the associated token account
program's ``AssociatedTokenAccountInstruction`` (a u8).
"""

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import SYSTEM_PROGRAM
from proofgrid.settlement.forms import SIGNER, WRITABLE, Field, Instruction, Layout, Use

ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")

_NONCE, _AUTHORITY = Use("nonce", WRITABLE), Use("authority", SIGNER)
_BLOCKHASHES, _RENT = Use("recent_blockhashes"), Use("rent")
_REST_OF_U32 = Field("reserved", 3)

ADVANCE_NONCE = Instruction(Layout("advance_nonce", (_REST_OF_U32,), tag=4), (_NONCE, _BLOCKHASHES, _AUTHORITY))
_SYSTEM = (
    Instruction(
        Layout(
            "create_account", (_REST_OF_U32, Field("lamports", "u64"), Field("size", "u64"), Field("owner", 32)), tag=0
        ),
        (Use("payer", SIGNER | WRITABLE), Use("account", SIGNER | WRITABLE)),
    ),
    Instruction(
        Layout("transfer", (_REST_OF_U32, Field("lamports", "u64")), tag=2),
        (Use("from", SIGNER | WRITABLE), Use("to", WRITABLE)),
    ),
    ADVANCE_NONCE,
    Instruction(
        Layout("withdraw_nonce", (_REST_OF_U32, Field("lamports", "u64")), tag=5),
        (_NONCE, Use("to", WRITABLE), _BLOCKHASHES, _RENT, _AUTHORITY),
    ),
    Instruction(
        Layout("initialize_nonce", (_REST_OF_U32, Field("authority", 32)), tag=6), (_NONCE, _BLOCKHASHES, _RENT)
    ),
    Instruction(Layout("authorize_nonce", (_REST_OF_U32, Field("authority", 32)), tag=7), (_NONCE, _AUTHORITY)),
)
_BUDGET = (
    Instruction(Layout("compute_unit_limit", (Field("units", "u32"),), tag=2), ()),
    Instruction(Layout("compute_unit_price", (Field("micro_lamports", "u64"),), tag=3), ()),
)
_ASSOCIATED = (
    Instruction(
        Layout("create_token_account", (), tag=1),  # idempotent
        (
            Use("payer", SIGNER | WRITABLE),
            Use("token_account", WRITABLE),
            Use("owner"),
            Use("mint"),
            Use("system_program"),
            Use("token_program"),
        ),
    ),
)

KNOWN: dict[Pubkey, tuple[str, tuple[Instruction, ...]]] = {
    SYSTEM_PROGRAM: ("system program", _SYSTEM),
    COMPUTE_BUDGET: ("compute budget", _BUDGET),
    ASSOCIATED_TOKEN_PROGRAM: ("associated token program", _ASSOCIATED),
}
"""Each program's name and what of it is understood here."""
