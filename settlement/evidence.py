"""Instructions whose evidence (inputs and path) may be too long for a packet: then they read it from an upload.

A transaction holds about 22 public inputs, a key has up to 64. Nothing here is asked of the chain but :func:`show`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.instructions.uploads import cancel_upload, init_upload
from proofgrid.settlement.layout import INSTRUCTIONS
from proofgrid.settlement.layout.uploads import MAX_UPLOAD_SIZE
from proofgrid.settlement.sender import Sender, Sent
from proofgrid.settlement.transactions import fits
from proofgrid.settlement.uploads import chunks, upload

_UPLOADABLE = {one.arguments.tag: one for one in INSTRUCTIONS if one.uploadable}


@dataclass(frozen=True)
class Evidence:
    """One instruction as transactions; ``digest`` names the upload that holds its ``tail``, None where none is needed.

    ``prepare`` come first, a transaction each, the first before the others; then ``instructions`` in one transaction,
    which also closes the upload. If that one is refused, ``close`` gives the upload's rent back.
    """

    instructions: tuple[Instruction, ...]
    prepare: tuple[Instruction, ...] = ()
    close: Instruction | None = None
    digest: bytes | None = None
    tail: bytes = b""

    @property
    def transactions(self) -> list[list[Instruction]]:
        """All of it, in order."""
        return [*([one] for one in self.prepare), list(self.instructions)]


def split(program_id: Pubkey, authority: Pubkey, instruction: Instruction) -> Evidence:
    """The instruction itself where it fits a packet, else with its tail in an upload of ``authority``, who pays.

    ``instruction`` is what the builders of verify_groth16, fulfil_request, challenge_leaf and answer_leaf return. An
    upload is named by the SHA-256 of what it holds. Raises MalformedInput for another instruction that does not fit,
    and for more than an upload holds (10,160 bytes).
    """
    if fits([instruction], authority):
        return Evidence((instruction,))
    declared = _UPLOADABLE.get(instruction.data[0])
    if declared is None:
        raise MalformedInput(f"instruction {instruction.data[0]} does not fit a packet and reads no upload")
    head, tail = instruction.data[: declared.arguments.size], instruction.data[declared.arguments.size :]
    if len(tail) > MAX_UPLOAD_SIZE:
        raise MalformedInput(f"{declared.name} comes with {len(tail)} bytes, an upload holds {MAX_UPLOAD_SIZE}")
    digest = sha256(tail).digest()
    meta = AccountMeta(upload_address(program_id, authority, digest)[0], is_signer=False, is_writable=False)
    close = cancel_upload(program_id, authority, digest)
    return Evidence(
        instructions=(Instruction(program_id, head, [*instruction.accounts, meta]), close),
        prepare=(
            init_upload(program_id, authority, digest, len(tail)),
            *chunks(program_id, authority, digest, tail, bytes(len(tail))),
        ),
        close=close,
        digest=digest,
        tail=tail,
    )


async def show(
    sender: Sender, program_id: Pubkey, instruction: Instruction, *, signers: Sequence[Keypair] = ()
) -> Sent:
    """Send an instruction with all its evidence; returns its own transaction.

    Goes on with an upload that was interrupted, and closes it whatever the program says. Raises ProgramRefused,
    MalformedInput, ChainUnavailable.
    """
    evidence = split(program_id, sender.payer.pubkey(), instruction)
    if evidence.digest is not None:
        await upload(sender, program_id, evidence.digest, evidence.tail)
    try:
        return await sender.send(evidence.instructions, signers=signers)
    except ProgramRefused:
        if evidence.close is not None:
            await sender.send([evidence.close])
        raise
