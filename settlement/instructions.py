"""Builders of the program's instructions, one function each, from the declarations in :mod:`.layout`."""

from collections.abc import Mapping, Sequence

from solders.instruction import AccountMeta
from solders.instruction import Instruction as SoldersInstruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement import layout
from proofgrid.settlement.addresses import SYSTEM_PROGRAM, batch_address, key_address, log_address, upload_address
from proofgrid.settlement.layout import SCALAR_SIZE, SIGNER, WRITABLE, Instruction, Value


def init_key(program_id: Pubkey, authority: Pubkey, digest: bytes, encoding_size: int) -> SoldersInstruction:
    """Open an upload for a verifying key of this digest and size (bytes); ``authority`` pays and signs."""
    upload, _ = upload_address(program_id, authority, digest)
    values: dict[str, Value] = {"encoding_size": encoding_size, "digest": digest}
    accounts = {"authority": authority, "upload": upload, "system_program": SYSTEM_PROGRAM}
    return _build(program_id, layout.INIT_KEY, accounts, values)


def write_key(program_id: Pubkey, authority: Pubkey, digest: bytes, offset: int, chunk: bytes) -> SoldersInstruction:
    """Write ``chunk`` at ``offset`` bytes of an open upload."""
    upload, _ = upload_address(program_id, authority, digest)
    accounts = {"authority": authority, "upload": upload}
    return _build(program_id, layout.WRITE_KEY, accounts, {"offset": offset}, chunk)


def finalize_key(program_id: Pubkey, authority: Pubkey, digest: bytes) -> SoldersInstruction:
    """Turn a complete upload into the immutable key account of its digest. About 70,000 compute units."""
    upload, _ = upload_address(program_id, authority, digest)
    key, _ = key_address(program_id, digest)
    accounts = {"authority": authority, "upload": upload, "key": key, "system_program": SYSTEM_PROGRAM}
    return _build(program_id, layout.FINALIZE_KEY, accounts, {})


def cancel_key(program_id: Pubkey, authority: Pubkey, digest: bytes) -> SoldersInstruction:
    """Close an upload and return its rent."""
    upload, _ = upload_address(program_id, authority, digest)
    return _build(program_id, layout.CANCEL_KEY, {"authority": authority, "upload": upload}, {})


def verify_groth16(program_id: Pubkey, digest: bytes, inputs: Sequence[int], proof: bytes) -> SoldersInstruction:
    """Verify a proof (256 bytes, ``Proof.encode()``) under the key of this digest.

    Raises MalformedInput for an input outside [0, r), which the program would refuse as well.
    """
    key, _ = key_address(program_id, digest)
    return _build(program_id, layout.VERIFY_GROTH16, {"key": key}, {"proof": proof}, encode_inputs(inputs))


def commit_batch(
    program_id: Pubkey, committer: Pubkey, *, number: int, prev_root: bytes, root: bytes, leaf_count: int
) -> SoldersInstruction:
    """Commit a Merkle root (32 bytes) over ``leaf_count`` leaves as the committer's batch ``number``."""
    log, _ = log_address(program_id, committer)
    batch, bump = batch_address(program_id, committer, number)
    values: dict[str, Value] = {
        "batch_bump": bump,
        "leaf_count": leaf_count,
        "number": number,
        "prev_root": prev_root,
        "root": root,
    }
    accounts = {"committer": committer, "log": log, "batch": batch, "system_program": SYSTEM_PROGRAM}
    return _build(program_id, layout.COMMIT_BATCH, accounts, values)


def encode_inputs(inputs: Sequence[int]) -> bytes:
    """Public inputs as the program reads them: 32 bytes each, big-endian."""
    for index, value in enumerate(inputs):
        if not 0 <= value < BN254.r:
            raise MalformedInput(f"public input {index} is not below the group order r: it would alias another input")
    return b"".join(value.to_bytes(SCALAR_SIZE, "big") for value in inputs)


def _build(
    program_id: Pubkey,
    instruction: Instruction,
    accounts: Mapping[str, Pubkey],
    values: Mapping[str, Value],
    tail: bytes = b"",
) -> SoldersInstruction:
    metas = [
        AccountMeta(accounts[name], is_signer=bool(flags & SIGNER), is_writable=bool(flags & WRITABLE))
        for name, flags in instruction.accounts
    ]
    return SoldersInstruction(program_id, instruction.arguments.encode(values) + tail, metas)
