"""Receipts towards the chain: as bytes for where room is short, and as the question to the program.

The bytes, little-endian: ``pg.r`` | leaf's index u32 | price u64 | batch account 32 | transaction 64 | request, key,
inputs, proof, prover 32 each | the path, 32 for each sibling: 272 bytes and 32 for each level of the tree, 592 for a
batch of 1,024. What they leave out stands in the batch account.
"""

import struct

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.instructions.batches import verify_receipt
from proofgrid.verifier.merkle import HASH_BYTES
from proofgrid.verifier.receipts import Leaf, Receipt
from proofgrid.verifier.refusals import RefusedInput

_HEAD = struct.Struct("<4sIQ32s64s32s32s32s32s32s")
_MAGIC = b"pg.r"
_MAX_PATH = 32


def encode_compact(receipt: Receipt) -> bytes:
    """The receipt's bytes, for whoever can read the chain."""
    leaf = receipt.leaf
    batch, transaction = Pubkey.from_string(receipt.batch_address), Signature.from_string(receipt.transaction)
    digests = (leaf.request_id, leaf.verifying_key_digest, leaf.public_inputs_digest, leaf.proof_digest, leaf.prover)
    head = _HEAD.pack(_MAGIC, receipt.index, leaf.price_lamports, bytes(batch), bytes(transaction), *digests)
    return head + b"".join(receipt.path)


def batch_of(data: bytes) -> Pubkey:
    """The batch account that a compact receipt speaks of: what is read there completes it. Raises MalformedInput."""
    return Pubkey(_split(data)[0][3])


def decode_compact(data: bytes, program_id: Pubkey, batch: BatchAccount) -> Receipt:
    """The whole receipt, with what the program ``program_id`` keeps at :func:`batch_of`.

    The receipt's path leads to the account's root. Raises MalformedInput for other bytes, InvalidProof (reason
    ``merkle_path``) for a path that leads elsewhere.
    """
    (_, index, price, address, transaction, request, key, inputs, proof, prover), path = _split(data)
    leaf = Leaf(
        request_id=request,
        verifying_key_digest=key,
        public_inputs_digest=inputs,
        proof_digest=proof,
        prover=prover,
        price_lamports=price,
    )
    receipt = Receipt(
        leaf=leaf,
        index=index,
        n_leaves=batch.leaf_count,
        path=path,
        root=batch.root,
        batch=batch.number,
        transaction=str(Signature(transaction)),
        program_id=str(program_id),
        batch_address=str(Pubkey(address)),
    )
    receipt.check_path()
    return receipt


def question(receipt: Receipt) -> Instruction:
    """verify_receipt about this receipt: to simulate, to send, or to hand to a program that asks it by CPI."""
    leaf = receipt.leaf
    return verify_receipt(
        Pubkey.from_string(receipt.program_id),
        Pubkey.from_string(receipt.batch_address),
        receipt.index,
        receipt.path,
        request=leaf.request_id,
        prover=leaf.prover,
        price=leaf.price_lamports,
        key_digest=leaf.verifying_key_digest,
        inputs_digest=leaf.public_inputs_digest,
        proof_digest=leaf.proof_digest,
    )


def _split(data: bytes) -> tuple[tuple, tuple[bytes, ...]]:  # type: ignore[type-arg]  # struct's fields
    rest = data[_HEAD.size :]
    if len(data) < _HEAD.size or len(rest) % HASH_BYTES or len(rest) > _MAX_PATH * HASH_BYTES:
        raise RefusedInput(f"a compact receipt has {_HEAD.size} bytes and up to {_MAX_PATH} siblings, got {len(data)}")
    if not data.startswith(_MAGIC):
        raise RefusedInput(f"a compact receipt begins with {_MAGIC!r}, this with {data[:4]!r}")
    return _HEAD.unpack_from(data), tuple(rest[at : at + HASH_BYTES] for at in range(0, len(rest), HASH_BYTES))
