"""Verifying keys: upload, registration, and proofs under them."""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.addresses import key_address, upload_address
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout import keys
from proofgrid.settlement.layout.keys import SCALAR_SIZE


def init_key(program_id: Pubkey, authority: Pubkey, digest: bytes, encoding_size: int) -> Instruction:
    """Open an upload for a verifying key of this digest and size (bytes); ``authority`` pays and signs."""
    upload, _ = upload_address(program_id, authority, digest)
    values: dict[str, Value] = {"encoding_size": encoding_size, "digest": digest}
    accounts = {"authority": authority, "upload": upload}
    return build(program_id, keys.INIT_KEY, accounts, values)


def write_key(program_id: Pubkey, authority: Pubkey, digest: bytes, offset: int, chunk: bytes) -> Instruction:
    """Write ``chunk`` at ``offset`` bytes of an open upload."""
    upload, _ = upload_address(program_id, authority, digest)
    accounts = {"authority": authority, "upload": upload}
    return build(program_id, keys.WRITE_KEY, accounts, {"offset": offset}, chunk)


def finalize_key(program_id: Pubkey, authority: Pubkey, digest: bytes) -> Instruction:
    """Turn a complete upload into the immutable key account of its digest. About 70,000 compute units."""
    upload, _ = upload_address(program_id, authority, digest)
    key, _ = key_address(program_id, digest)
    accounts = {"authority": authority, "upload": upload, "key": key}
    return build(program_id, keys.FINALIZE_KEY, accounts, {})


def cancel_key(program_id: Pubkey, authority: Pubkey, digest: bytes) -> Instruction:
    """Close an upload and return its rent."""
    upload, _ = upload_address(program_id, authority, digest)
    return build(program_id, keys.CANCEL_KEY, {"authority": authority, "upload": upload}, {})


def verify_groth16(program_id: Pubkey, digest: bytes, inputs: Sequence[int], proof: bytes) -> Instruction:
    """Verify a proof (256 bytes, ``Proof.encode()``) under the key of this digest.

    Raises MalformedInput for an input outside [0, r), which the program would refuse as well.
    """
    key, _ = key_address(program_id, digest)
    return build(program_id, keys.VERIFY_GROTH16, {"key": key}, {"proof": proof}, encode_inputs(inputs))


def encode_inputs(inputs: Sequence[int]) -> bytes:
    """Public inputs as the program reads them: 32 bytes each, big-endian."""
    for index, value in enumerate(inputs):
        if not 0 <= value < BN254.r:
            raise MalformedInput(f"public input {index} is not below the group order r: it would alias another input")
    return b"".join(value.to_bytes(SCALAR_SIZE, "big") for value in inputs)
