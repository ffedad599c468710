"""Verifying keys on chain: registered once under their digest, then verified against by anyone."""

from collections.abc import Sequence

from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.accounts import KeyAccount
from proofgrid.settlement.addresses import key_address
from proofgrid.settlement.evidence import show
from proofgrid.settlement.instructions import keys
from proofgrid.settlement.instructions.uploads import cancel_upload
from proofgrid.settlement.layout.keys import MAX_PUBLIC_INPUTS
from proofgrid.settlement.refusals import Refusal
from proofgrid.settlement.rpc import fetch_account, fetch_owned
from proofgrid.settlement.sender import Sender, Sent
from proofgrid.settlement.uploads import upload
from proofgrid.verifier.keys import Proof, VerifyingKey


async def upload_key(sender: Sender, program_id: Pubkey, verifying_key: VerifyingKey) -> Pubkey:
    """Register the key, if it is not yet, and return its account's address.

    Idempotent, and goes on where an interrupted upload of the same payer stopped. Costs rent (about 0.008 SOL with
    one public input) and 3 transactions or more. Raises MalformedInput for a key of another curve or with more than
    64 public inputs, ProgramRefused, ChainUnavailable.
    """
    _require_bn254(verifying_key)
    if verifying_key.n_public > MAX_PUBLIC_INPUTS:
        raise MalformedInput(f"the program takes keys with up to {MAX_PUBLIC_INPUTS} public inputs")
    digest, encoding = verifying_key.digest(), verifying_key.encode()
    key, _ = key_address(program_id, digest)
    if await fetch_owned(sender.client, key, program_id) is not None:
        return key
    await upload(sender, program_id, digest, encoding)
    authority = sender.payer.pubkey()
    try:
        await sender.send([keys.finalize_key(program_id, authority, digest)])
    except ProgramRefused as refused:
        if refused.name != Refusal.KeyAlreadyRegistered.name:
            raise
        await sender.send([cancel_upload(program_id, authority, digest)])  # someone else was faster
    return key


async def read_key(sender: Sender, program_id: Pubkey, digest: bytes) -> KeyAccount | None:
    """The registered key of this digest, or None."""
    data = await fetch_owned(sender.client, key_address(program_id, digest)[0], program_id)
    return None if data is None else KeyAccount.decode(data)


async def verify_on_chain(
    sender: Sender, program_id: Pubkey, verifying_key: VerifyingKey, inputs: Sequence[int], proof: Proof
) -> Sent:
    """Return once the chain has verified the proof in a confirmed transaction.

    Raises ProgramRefused named InvalidProof, MalformedProof, WrongInputCount, or KeyNotFound when nobody has
    registered the key; MalformedInput for an input outside [0, r). More than 22 inputs go through an upload.
    """
    _require_bn254(verifying_key)
    digest = verifying_key.digest()
    if await fetch_account(sender.client, key_address(program_id, digest)[0]) is None:
        raise ProgramRefused("KeyNotFound", f"no key {digest.hex()} is registered: upload it with upload_key")
    return await show(sender, program_id, keys.verify_groth16(program_id, digest, inputs, proof.encode()))


def _require_bn254(verifying_key: VerifyingKey) -> None:
    if verifying_key.curve.name != "bn254":
        raise MalformedInput(f"the program verifies proofs over bn254, this key is over {verifying_key.curve.name}")
