"""Uploads: what does not fit a packet, written in chunks: a verifying key, or the evidence of an instruction."""

from proofgrid.settlement.forms import SIGNER, SYSTEM_PROGRAM, WRITABLE, Field, Instruction, Layout, Use

SEEDS = {"upload": b"upload"}

UPLOAD_ACCOUNT = Layout(
    "upload_account",
    (
        Field("authority", 32),  # alone may write and close it
        Field("digest", 32),  # its name: a key's digest, or whatever the authority chose
        Field("size", "u32"),
        Field("bump", "u8"),
        Field("reserved", 3),
    ),
    discriminator=b"pg.upld1",
)  # followed by what has arrived, the rest zeros
MAX_UPLOAD_SIZE = 10_240 - UPLOAD_ACCOUNT.size  # an instruction makes no account of more than 10,240 bytes
ACCOUNTS = (UPLOAD_ACCOUNT,)

INIT_UPLOAD = Instruction(
    Layout("init_upload", (Field("reserved", 3), Field("size", "u32"), Field("digest", 32)), tag=0),
    (Use("authority", SIGNER | WRITABLE), Use("upload", WRITABLE), SYSTEM_PROGRAM),
)
WRITE_UPLOAD = Instruction(
    Layout("write_upload", (Field("reserved", 3), Field("offset", "u32")), tag=1),  # then the chunk
    (Use("authority", SIGNER), Use("upload", WRITABLE, UPLOAD_ACCOUNT)),
    tail=True,
)
CANCEL_UPLOAD = Instruction(
    Layout("cancel_upload", (), tag=3),
    (Use("authority", SIGNER | WRITABLE), Use("upload", WRITABLE, UPLOAD_ACCOUNT)),
)
INSTRUCTIONS = (INIT_UPLOAD, WRITE_UPLOAD, CANCEL_UPLOAD)
