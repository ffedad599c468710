"""A batch's data as a document of JSON lines: with it anyone recomputes the root and checks every proof under it.

    {"format": "proofgrid.batch-data.v1", "root": …, "n_leaves": n, "n_keys": k}
    {"key": …}                              k lines: VerifyingKey.encode() over BN254, at most 64 public inputs
    {"leaf": …, "inputs": …, "proof": …}    n lines, in the batch's order: Leaf.encode(), 32 bytes for each public
                                            input (big-endian), Proof.encode()
    {"leaf": …}, {"hash": …}                instead, where no more is known than the leaf, or its node in the tree

Bytes are lower-case hex. A document is hostile until its root is the chain's; what it says of a leaf counts only where
it hashes to it. A batch's document is called ``<root>.jsonl``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from proofgrid.errors import MalformedInput
from proofgrid.settlement.layout.batches import MAX_LEAVES, PROOF_DIGEST_HEAD
from proofgrid.settlement.layout.keys import (
    G1_SIZE,
    KEY_DIGEST_HEAD,
    KEY_FIXED_SIZE,
    MAX_PUBLIC_INPUTS,
    PROOF_SIZE,
    SCALAR_SIZE,
)
from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.receipts import LEAF_BYTES, Leaf, digest_public_inputs

FORMAT = "proofgrid.batch-data.v1"
MAX_SHOWN_INPUTS = 255
"""As many as challenge_leaf can count; a leaf of more is no leaf that can be shown."""
MAX_KEY_SIZE = KEY_FIXED_SIZE + G1_SIZE * (MAX_PUBLIC_INPUTS + 1)
MAX_LINE_BYTES = 2 * (LEAF_BYTES + PROOF_SIZE + MAX_SHOWN_INPUTS * SCALAR_SIZE) + 64
MAX_DOCUMENT_BYTES = 128 << 20


def _from_hex(value: object) -> object:
    if isinstance(value, str):
        if set(value) <= set("0123456789abcdef") and len(value) % 2 == 0:
            return bytes.fromhex(value)
        raise ValueError("expected lower-case hex digits")
    return value


Bytes = BeforeValidator(_from_hex)
Hash = Annotated[bytes, Field(min_length=32, max_length=32), Bytes]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Kind = TypeVar("Kind", bound=_Line)


class _Head(_Line):
    format: Literal["proofgrid.batch-data.v1"]
    root: Hash
    n_leaves: Annotated[int, Field(ge=1, le=MAX_LEAVES)]
    n_keys: Annotated[int, Field(ge=0, le=MAX_LEAVES)]


class _Key(_Line):
    key: Annotated[bytes, Field(max_length=MAX_KEY_SIZE), Bytes]


class _Entry(_Line):
    hash: Hash | None = None
    leaf: Annotated[bytes, Field(min_length=LEAF_BYTES, max_length=LEAF_BYTES), Bytes] | None = None
    inputs: Annotated[bytes, Field(max_length=MAX_SHOWN_INPUTS * SCALAR_SIZE), Bytes] | None = None
    proof: Annotated[bytes, Field(min_length=PROOF_SIZE, max_length=PROOF_SIZE), Bytes] | None = None


@dataclass(frozen=True)
class Statement:
    """What a leaf's digests stand for: public inputs, 32 bytes each, and the proof's 256 bytes."""

    inputs: tuple[bytes, ...]
    proof: bytes

    def digests(self) -> tuple[bytes, bytes]:
        """Of the inputs and of the proof, as a leaf holds them."""
        values = [int.from_bytes(value, "big") for value in self.inputs]
        return digest_public_inputs(values), sha256(PROOF_DIGEST_HEAD + self.proof).digest()


@dataclass(frozen=True)
class LeafData:
    """What is known of one leaf: its node in the tree, perhaps the leaf, perhaps the statement behind its digests."""

    node: bytes
    leaf: Leaf | None = None
    statement: Statement | None = None

    @classmethod
    def of(cls, leaf: Leaf, statement: Statement | None) -> "LeafData":
        """A statement that is not the leaf's is dropped. Cost: three hashes."""
        if statement is not None and statement.digests() != (leaf.public_inputs_digest, leaf.proof_digest):
            statement = None
        return cls(leaf.hash(), leaf, statement)


@dataclass(frozen=True)
class BatchData:
    """What is known of one batch; ``keys`` are encodings by digest. Raises MalformedInput without leaves."""

    leaves: Sequence[LeafData]
    keys: Mapping[bytes, bytes] = field(default_factory=dict)
    tree: MerkleTree = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", MerkleTree.of_hashes([one.node for one in self.leaves]))

    @property
    def unknown(self) -> int:
        """How many leaves have no statement."""
        return sum(one.statement is None for one in self.leaves)


def key_digest(encoding: bytes) -> bytes:
    """``VerifyingKey.digest()`` of a BN254 key's encoding. Raises MalformedInput for a size that none has."""
    points, rest = divmod(len(encoding) - KEY_FIXED_SIZE, G1_SIZE)
    if rest or not 1 <= points <= MAX_PUBLIC_INPUTS + 1:
        raise MalformedInput(f"no key of at most {MAX_PUBLIC_INPUTS} public inputs has {len(encoding)} bytes")
    return sha256(KEY_DIGEST_HEAD + (points - 1).to_bytes(4, "big") + encoding).digest()


def size_limit(n_leaves: int) -> int:
    """The most bytes that the document of so many leaves may have."""
    return min(MAX_DOCUMENT_BYTES, (n_leaves + 1) * (MAX_LINE_BYTES + 2 * MAX_KEY_SIZE + 64))


def encode(data: BatchData) -> Iterator[bytes]:
    """The document's lines."""
    head = {"format": FORMAT, "root": data.tree.root.hex(), "n_leaves": len(data.leaves), "n_keys": len(data.keys)}
    yield json.dumps(head).encode() + b"\n"
    for encoding in data.keys.values():
        yield b'{"key":"' + encoding.hex().encode() + b'"}\n'
    for one in data.leaves:
        if one.leaf is None:
            yield b'{"hash":"' + one.node.hex().encode() + b'"}\n'
            continue
        line = '{"leaf":"' + one.leaf.encode().hex()
        if one.statement is not None:
            line += '","inputs":"' + b"".join(one.statement.inputs).hex() + '","proof":"' + one.statement.proof.hex()
        yield line.encode() + b'"}\n'


def decode(document: bytes, root: bytes, n_leaves: int) -> BatchData:
    """The data of the batch with this root and so many leaves.

    Raises MalformedInput for another batch's document, and for what is no document. Cost: about 30 µs a leaf.
    """
    lines = document.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines or any(len(line) > MAX_LINE_BYTES for line in lines):
        raise MalformedInput("batch data: no lines, or longer ones than any key or leaf needs")
    head = _parse(_Head, lines, 0)
    if (head.root, head.n_leaves) != (root, n_leaves):
        raise MalformedInput(f"batch data: of {head.n_leaves} leaves under {head.root.hex()}: that is another batch")
    if head.n_keys > n_leaves or len(lines) != 1 + head.n_keys + n_leaves:
        raise MalformedInput(f"batch data: {len(lines)} lines do not hold {head.n_keys} keys and {n_leaves} leaves")
    encodings = [_parse(_Key, lines, at).key for at in range(1, 1 + head.n_keys)]
    leaves = [_leaf(_parse(_Entry, lines, at), at) for at in range(1 + head.n_keys, len(lines))]
    data = BatchData(leaves, {key_digest(encoding): encoding for encoding in encodings})
    if data.tree.root != root:
        raise MalformedInput(f"batch data: its leaves have the root {data.tree.root.hex()}, not {root.hex()}")
    return data


def _leaf(entry: _Entry, at: int) -> LeafData:
    if entry.leaf is None:
        if entry.hash is None or entry.inputs is not None or entry.proof is not None:
            raise MalformedInput(f"batch data, line {at + 1}: expected a leaf, or the hash of one")
        return LeafData(entry.hash)
    if (entry.inputs is None) != (entry.proof is None) or entry.hash is not None:
        raise MalformedInput(f"batch data, line {at + 1}: a leaf comes with inputs and proof, or alone")
    statement = None
    if entry.inputs is not None and entry.proof is not None:
        parts = [entry.inputs[i : i + SCALAR_SIZE] for i in range(0, len(entry.inputs), SCALAR_SIZE)]
        if parts and len(parts[-1]) != SCALAR_SIZE:
            raise MalformedInput(f"batch data, line {at + 1}: public inputs are {SCALAR_SIZE} bytes each")
        statement = Statement(tuple(parts), entry.proof)
    return LeafData.of(Leaf.decode(entry.leaf), statement)


def _parse(kind: type[Kind], lines: Sequence[bytes], at: int) -> Kind:
    try:
        return kind.model_validate_json(lines[at])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise MalformedInput(f"batch data, line {at + 1}: {where}: {first['msg']}") from None
