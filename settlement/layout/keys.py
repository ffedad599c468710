"""Verifying keys: their accounts and proofs under them."""

from proofgrid.settlement.forms import SIGNER, SYSTEM_PROGRAM, WRITABLE, Field, Instruction, Layout, Use
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT

# Sizes of the encodings (EIP-197: big-endian, G2 as x.c1, x.c0, y.c1, y.c0).
G1_SIZE, G2_SIZE, SCALAR_SIZE = 64, 128, 32
PROOF_SIZE = 2 * G1_SIZE + G2_SIZE  # A, B, C
KEY_FIXED_SIZE = G1_SIZE + 3 * G2_SIZE  # alpha1, beta2, gamma2, delta2; then ic, one G1 point more than public inputs
MAX_PUBLIC_INPUTS = 64
# A key's digest is SHA-256 of this head, n_public (u32 big-endian) and the encoding, as VerifyingKey.digest().
KEY_DIGEST_HEAD = b"proofgrid.verifying-key.v1".ljust(32, b"\0") + b"bn254".ljust(16, b"\0")

SEEDS = {"key": b"key"}

KEY_ACCOUNT = Layout(
    "key_account",
    (
        Field("digest", 32),
        Field("registered_s", "i64"),
        Field("n_public", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.key.2",
)  # followed by the key's encoding
ACCOUNTS = (KEY_ACCOUNT,)

FINALIZE_KEY = Instruction(
    Layout("finalize_key", (), tag=2),
    (
        Use("authority", SIGNER | WRITABLE),
        Use("upload", WRITABLE, UPLOAD_ACCOUNT),
        Use("key", WRITABLE),
        SYSTEM_PROGRAM,
    ),
)
VERIFY_GROTH16 = Instruction(
    Layout("verify_groth16", (Field("reserved", 7), Field("proof", PROOF_SIZE)), tag=4),  # then the public inputs
    (Use("key"),),
    tail=True,
    uploadable=True,
)
INSTRUCTIONS = (FINALIZE_KEY, VERIFY_GROTH16)
