"""Batches of leaves: commitments, challenges, demands, claims, receipts."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.addresses import (
    batch_address,
    config_address,
    demand_address,
    key_address,
    permission_address,
    vault_address,
)
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.batches import (
    ANSWER_LEAF,
    CHALLENGE_LEAF,
    CLAIM_LEAF,
    COMMIT_BATCH,
    DEMAND_LEAF,
    RELEASE_BATCH,
    VERIFY_RECEIPT,
    VOID_LEAF,
)


@dataclass(frozen=True)
class ShownLeaf:
    """A leaf with its proof and inputs, for all to check; ``path`` leads from it to the root, the lowest sibling first.

    ``inputs`` are 32 bytes each, big-endian, and may be what no verifier accepts: that is what a challenge shows.
    """

    index: int
    request: bytes
    prover: bytes
    price: int
    key_digest: bytes
    inputs: tuple[bytes, ...]
    proof: bytes
    path: tuple[bytes, ...]

    def values(self) -> dict[str, Value]:
        """The arguments of challenge_leaf and answer_leaf."""
        return {
            "n_inputs": len(self.inputs),
            "leaf": self.index,
            "price": self.price,
            "request": self.request,
            "prover": self.prover,
            "proof": self.proof,
        }

    def tail(self) -> bytes:
        """What follows them."""
        if any(len(part) != 32 for part in (*self.inputs, *self.path)):
            raise MalformedInput("an input or a sibling of a leaf is not 32 bytes long")
        return b"".join((*self.inputs, *self.path))


def commit_batch(
    program_id: Pubkey, prover: Pubkey, signer: Pubkey, *, number: int, prev_root: bytes, root: bytes, leaf_count: int
) -> Instruction:
    """Commit a Merkle root (32 bytes) over ``leaf_count`` leaves as a prover's batch ``number``.

    ``signer``, the prover's hot key, signs and pays.
    """
    batch, bump = batch_address(program_id, prover, number)
    values: dict[str, Value] = {
        "batch_bump": bump,
        "leaf_count": leaf_count,
        "number": number,
        "prev_root": prev_root,
        "root": root,
    }
    accounts = {"signer": signer, "config": config_address(program_id)[0], "prover": prover, "batch": batch}
    return build(program_id, COMMIT_BATCH, accounts, values)


def challenge_leaf(
    program_id: Pubkey, batch: Pubkey, committer: Pubkey, leaf: ShownLeaf, reward: Pubkey
) -> Instruction:
    """Show that a leaf's proof does not hold; what is not burned of its bond goes to ``reward``, a token account."""
    accounts = {
        "config": config_address(program_id)[0],
        "committer": committer,
        "batch": batch,
        "key": key_address(program_id, leaf.key_digest)[0],
        "vault": vault_address(program_id)[0],
        "reward": reward,
    }
    return build(program_id, CHALLENGE_LEAF, accounts, leaf.values(), leaf.tail())


def demand_leaf(program_id: Pubkey, demander: Pubkey, batch: Pubkey, leaf: int, source: Pubkey) -> Instruction:
    """Post a bond from ``source`` and demand that a leaf be shown on chain; ``demander`` signs and pays."""
    accounts = {
        "demander": demander,
        "config": config_address(program_id)[0],
        "batch": batch,
        "demand": demand_address(program_id, batch, leaf)[0],
        "source": source,
        "vault": vault_address(program_id)[0],
    }
    return build(program_id, DEMAND_LEAF, accounts, {"leaf": leaf})


def answer_leaf(program_id: Pubkey, batch: Pubkey, committer: Pubkey, leaf: ShownLeaf, demander: Pubkey) -> Instruction:
    """Show a demanded leaf whole; anyone may, and the bond is the committer's."""
    accounts = {
        "demander": demander,
        "committer": committer,
        "batch": batch,
        "demand": demand_address(program_id, batch, leaf.index)[0],
        "key": key_address(program_id, leaf.key_digest)[0],
    }
    return build(program_id, ANSWER_LEAF, accounts, leaf.values(), leaf.tail())


def void_leaf(
    program_id: Pubkey, batch: Pubkey, committer: Pubkey, leaf: int, *, demander: Pubkey, refund_to: Pubkey
) -> Instruction:
    """Void a leaf whose demand was not answered in time; anyone may ask."""
    accounts = {
        "demander": demander,
        "config": config_address(program_id)[0],
        "committer": committer,
        "batch": batch,
        "demand": demand_address(program_id, batch, leaf)[0],
        "vault": vault_address(program_id)[0],
        "refund_to": refund_to,
    }
    return build(program_id, VOID_LEAF, accounts, {})


def claim_leaf(
    program_id: Pubkey,
    batch: Pubkey,
    leaf: int,
    path: Sequence[bytes],
    *,
    request: Pubkey,
    prover: Pubkey,
    key_digest: bytes,
    proof_digest: bytes,
    refund_to: Pubkey,
) -> Instruction:
    """Pay a request's prover for a leaf whose window is over; anyone may ask."""
    accounts = {
        "config": config_address(program_id)[0],
        "prover": prover,
        "request": request,
        "permission": permission_address(program_id, key_digest)[0],
        "batch": batch,
        "vault": vault_address(program_id)[0],
        "refund_to": refund_to,
    }
    values: dict[str, Value] = {"leaf": leaf, "proof_digest": proof_digest}
    return build(program_id, CLAIM_LEAF, accounts, values, b"".join(path))


def release_batch(program_id: Pubkey, batch: Pubkey, committer: Pubkey) -> Instruction:
    """Free the stake behind a batch whose window is over; anyone may ask."""
    return build(program_id, RELEASE_BATCH, {"committer": committer, "batch": batch}, {})


def verify_receipt(
    program_id: Pubkey,
    batch: Pubkey,
    leaf: int,
    path: Sequence[bytes],
    *,
    request: bytes,
    prover: bytes,
    price: int,
    key_digest: bytes,
    inputs_digest: bytes,
    proof_digest: bytes,
) -> Instruction:
    """Ask whether a leaf stands under a batch's root, unchallenged and final; returns the committer's address."""
    accounts = {"batch": batch, "key": key_address(program_id, key_digest)[0]}
    values: dict[str, Value] = {
        "leaf": leaf,
        "price": price,
        "request": request,
        "inputs": inputs_digest,
        "proof_digest": proof_digest,
        "prover": prover,
    }
    return build(program_id, VERIFY_RECEIPT, accounts, values, b"".join(path))
