"""Batches of leaves on a network: built, committed, shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from tests.settlement.instances import Instance, instance
from tests.settlement.jobs import PRICE, Job
from tests.settlement.network import PARAMETERS, Network, Person

WINDOW_S, BOND = PARAMETERS.challenge_window_s, PARAMETERS.leaf_bond
TRUE = instance(1)
FALSE = TRUE.with_points(c=TRUE.a)


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


def filled(committer: Person, *lies: Instance, count: int = 5) -> Batch:
    """A committed batch of `count` leaves under one key: the lies first, true ones after them."""
    given = [*lies, *[TRUE] * (count - len(lies))]
    entries = [Entry(one, bytes([i]) * 32, b"p" * 32, key=TRUE.digest) for i, one in enumerate(given)]
    return Batch(committer.network, committer, entries).committed()


def challenge(batch: Batch, index: int, reward: Pubkey, /, **changes: object) -> Instruction:
    leaf = replace(batch.shown(index), **changes)  # type: ignore[arg-type]
    return batches.challenge_leaf(batch.network.chain.program_id, batch.address, batch.committer.prover, leaf, reward)


def demand(batch: Batch, index: int, by: Person) -> Instruction:
    return batches.demand_leaf(batch.network.chain.program_id, by.key, batch.address, index, by.tokens)


def answer(batch: Batch, index: int, demander: Person, /, **changes: object) -> Instruction:
    leaf = replace(batch.shown(index), **changes)  # type: ignore[arg-type]
    return batches.answer_leaf(
        batch.network.chain.program_id, batch.address, batch.committer.prover, leaf, demander.key
    )


def void(batch: Batch, index: int, demander: Person) -> Instruction:
    return batches.void_leaf(
        batch.network.chain.program_id,
        batch.address,
        batch.committer.prover,
        index,
        demander=demander.key,
        refund_to=demander.tokens,
    )


def claimable(job: Job, committer: Person, **changes: object) -> Batch:
    """The job's leaf and two others in a committed batch."""
    entry = replace(Entry(job.given, bytes(job.address), bytes(job.prover.prover), PRICE), **changes)  # type: ignore[arg-type]
    return Batch(job.network, committer, [entry, *[Entry(TRUE, b"x" * 32, b"p" * 32)] * 2]).committed()


def claim(job: Job, batch: Batch, index: int = 0, **changes: object) -> Instruction:
    values: dict[str, object] = {
        "request": job.address,
        "prover": job.prover.prover,
        "key_digest": job.given.digest,
        "proof_digest": proof_digest(batch.entries[index].given),
        "refund_to": job.requester.tokens,
    }
    path = batch.tree.path(index)
    return batches.claim_leaf(job.chain.program_id, batch.address, index, path, **(values | changes))  # type: ignore[arg-type]
