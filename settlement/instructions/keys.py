"""Verifying keys: registration, and proofs under them."""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.addresses import key_address, upload_address
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout import keys
from proofgrid.settlement.layout.keys import SCALAR_SIZE


def finalize_key(program_id: Pubkey, authority: Pubkey, digest: bytes) -> Instruction:
    """Turn a complete upload into the immutable key account of its digest. About 70,000 compute units."""
    upload, _ = upload_address(program_id, authority, digest)
    key, _ = key_address(program_id, digest)
    accounts = {"authority": authority, "upload": upload, "key": key}
    return build(program_id, keys.FINALIZE_KEY, accounts, {})


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
