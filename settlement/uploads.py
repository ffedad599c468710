"""Uploads as they are sent: what has arrived is not sent again."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import UploadAccount
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.instructions.uploads import cancel_upload, init_upload, write_upload
from proofgrid.settlement.rpc import fetch_owned
from proofgrid.settlement.sender import Sender

CHUNK_SIZE = 950
"""Bytes of an upload in one transaction."""


def chunks(program_id: Pubkey, authority: Pubkey, digest: bytes, content: bytes, arrived: bytes) -> list[Instruction]:
    """What is still to be written where ``arrived``, as long as ``content``, has; each fills a transaction."""
    missing = [
        at
        for at in range(0, len(content), CHUNK_SIZE)
        if content[at : at + CHUNK_SIZE] != arrived[at : at + CHUNK_SIZE]
    ]
    return [write_upload(program_id, authority, digest, at, content[at : at + CHUNK_SIZE]) for at in missing]


async def upload(sender: Sender, program_id: Pubkey, digest: bytes, content: bytes) -> None:
    """Bring ``content`` into the sender's upload of this name; goes on where an interrupted one stopped.

    Costs rent until the upload is closed (0.02 SOL for 2,500 bytes) and one transaction for each 950 bytes. Raises
    ProgramRefused, ChainUnavailable.
    """
    authority = sender.payer.pubkey()
    data = await fetch_owned(sender.client, upload_address(program_id, authority, digest)[0], program_id)
    there = None if data is None else UploadAccount.decode(data)
    if there is None or there.size != len(content):
        opening = [init_upload(program_id, authority, digest, len(content))]
        if there is not None:
            opening.insert(0, cancel_upload(program_id, authority, digest))
        await sender.send(opening)
    arrived = there.content if there is not None and there.size == len(content) else bytes(len(content))
    for chunk in chunks(program_id, authority, digest, content, arrived):
        await sender.send([chunk])
