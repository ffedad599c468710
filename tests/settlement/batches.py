"""Batches of leaves on a network: built, committed, shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.addresses import batch_address
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.instructions.batches import ShownLeaf
from proofgrid.settlement.layout.batches import PROOF_DIGEST_HEAD
from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.receipts import Leaf, digest_public_inputs
from tests.settlement.instances import Instance
from tests.settlement.network import Network, Person


def proof_digest(given: Instance) -> bytes:
    return sha256(PROOF_DIGEST_HEAD + given.proof).digest()


@dataclass(frozen=True)
class Entry:
    """One leaf before it is hashed."""

    given: Instance
    request: bytes
    prover: bytes
    price: int = 5
    key: bytes | None = None  # a digest; None: the instance's own

    @property
    def key_digest(self) -> bytes:
        return self.given.digest if self.key is None else self.key

    def leaf(self) -> Leaf:
        return Leaf(
            request_id=self.request,
            verifying_key_digest=self.key_digest,
            public_inputs_digest=digest_public_inputs(self.given.inputs),
            proof_digest=proof_digest(self.given),
            prover=self.prover,
            price_lamports=self.price,
        )


@dataclass
class Batch:
    """Entries under one root, committed by a prover as its next batch."""

    network: Network
    committer: Person
    entries: Sequence[Entry]
    number: int = field(init=False)
    tree: MerkleTree = field(init=False)

    def __post_init__(self) -> None:
        self.number = self.committer.pool.next_number
        self.tree = MerkleTree([entry.leaf().encode() for entry in self.entries])

    @property
    def address(self) -> Pubkey:
        return batch_address(self.network.chain.program_id, self.committer.prover, self.number)[0]

    @property
    def account(self) -> BatchAccount:
        return BatchAccount.decode(self.network.chain.data(self.address))

    def commit(self) -> Instruction:
        return batches.commit_batch(
            self.network.chain.program_id,
            self.committer.prover,
            self.committer.hot.pubkey(),
            number=self.number,
            prev_root=self.committer.pool.latest_root,
            root=self.tree.root,
            leaf_count=len(self.tree),
        )

    def committed(self) -> "Batch":
        self.network.chain.send(self.commit(), signers=[self.committer.hot])
        return self

    def shown(self, index: int) -> ShownLeaf:
        entry = self.entries[index]
        return ShownLeaf(
            index=index,
            request=entry.request,
            prover=entry.prover,
            price=entry.price,
            key_digest=entry.key_digest,
            inputs=tuple(value.to_bytes(32, "big") for value in entry.given.inputs),
            proof=entry.given.proof,
            path=tuple(self.tree.path(index)),
        )

    def receipt(self, index: int, **changes: object) -> Instruction:
        entry = self.entries[index]
        values: dict[str, object] = {
            "request": entry.request,
            "prover": entry.prover,
            "price": entry.price,
            "key_digest": entry.key_digest,
            "inputs_digest": digest_public_inputs(entry.given.inputs),
            "proof_digest": proof_digest(entry.given),
        }
        path = changes.pop("path", self.tree.path(index))
        batch, leaf = changes.pop("batch", self.address), changes.pop("leaf", index)
        return batches.verify_receipt(self.network.chain.program_id, batch, leaf, path, **(values | changes))  # type: ignore[arg-type]
