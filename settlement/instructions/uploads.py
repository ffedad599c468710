"""Uploads: what does not fit a packet, in chunks."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.uploads import CANCEL_UPLOAD, INIT_UPLOAD, WRITE_UPLOAD


def init_upload(program_id: Pubkey, authority: Pubkey, digest: bytes, size: int) -> Instruction:
    """Open an upload of ``size`` bytes under a name of 32 bytes; ``authority`` pays and signs."""
    upload, _ = upload_address(program_id, authority, digest)
    values: dict[str, Value] = {"size": size, "digest": digest}
    return build(program_id, INIT_UPLOAD, {"authority": authority, "upload": upload}, values)


def write_upload(program_id: Pubkey, authority: Pubkey, digest: bytes, offset: int, chunk: bytes) -> Instruction:
    """Write ``chunk`` at ``offset`` bytes of an open upload."""
    upload, _ = upload_address(program_id, authority, digest)
    return build(program_id, WRITE_UPLOAD, {"authority": authority, "upload": upload}, {"offset": offset}, chunk)


def cancel_upload(program_id: Pubkey, authority: Pubkey, digest: bytes) -> Instruction:
    """Close an upload and return its rent."""
    upload, _ = upload_address(program_id, authority, digest)
    return build(program_id, CANCEL_UPLOAD, {"authority": authority, "upload": upload}, {})
