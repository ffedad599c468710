"""Receipts: the leaf that a batch commits to, its Merkle path, and where on chain the root was written."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema

from proofgrid.kernels.backend import Backend
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.merkle import MAX_LEAVES, hash_leaf, verify_path
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof
from proofgrid.verifier.snarkjs import parse_json

MAX_RECEIPT_BYTES = 64 << 10

_LEAF_TAG = b"proofgrid.leaf.v1".ljust(32, b"\0")
_INPUTS_TAG = b"proofgrid.public-inputs.v1".ljust(32, b"\0")

LEAF_BYTES = 200
"""tag 32 | request_id 32 | verifying key 32 | public inputs 32 | proof 32 | prover 32 | price u64."""


def _from_hex(value: object) -> object:
    """64 lower-case hex digits to 32 bytes; bytes stay."""
    if isinstance(value, str):
        if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            raise ValueError("expected 64 lower-case hex digits")
        return bytes.fromhex(value)
    return value


Digest = Annotated[
    bytes,
    Field(min_length=32, max_length=32),
    BeforeValidator(_from_hex),
    PlainSerializer(bytes.hex, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
]
U64 = Annotated[int, Field(ge=0, lt=1 << 64)]
Address = Annotated[str, Field(pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
Signature = Annotated[str, Field(pattern=r"^[1-9A-HJ-NP-Za-km-z]{64,88}$")]


def digest_public_inputs(public_inputs: Sequence[int]) -> bytes:
    """SHA-256 of tag (32 bytes, ``proofgrid.public-inputs.v1``) | count (u32) | each input (32), big-endian.

    Raises :class:`RefusedInput` for what is not an integer in [0, 2^256); ``verify`` checks them against r.
    """
    if any(type(value) is not int or not 0 <= value < 1 << 256 for value in public_inputs):
        raise RefusedInput("a public input is not an integer in [0, 2^256)", Reason.INPUT_RANGE)
    parts = [_INPUTS_TAG, len(public_inputs).to_bytes(4, "big")]
    return hashlib.sha256(b"".join([*parts, *(value.to_bytes(32, "big") for value in public_inputs)])).digest()


class Leaf(BaseModel):
    """What one proof of a batch commits to: whose request, which statement, which proof, who is paid how much."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    request_id: Digest
    verifying_key_digest: Digest
    public_inputs_digest: Digest
    proof_digest: Digest
    prover: Digest
    """The prover's ed25519 public key."""
    price_lamports: U64

    def encode(self) -> bytes:
        """The 200 bytes that are hashed: the tag ``proofgrid.leaf.v1`` and the fields in order, price big-endian."""
        digests = (self.request_id, self.verifying_key_digest, self.public_inputs_digest, self.proof_digest)
        return b"".join([_LEAF_TAG, *digests, self.prover, self.price_lamports.to_bytes(8, "big")])

    @classmethod
    def decode(cls, data: bytes) -> "Leaf":
        """The inverse of :meth:`encode`; raises :class:`RefusedInput`."""
        if len(data) != LEAF_BYTES or data[:32] != _LEAF_TAG:
            raise RefusedInput(f"a leaf is {LEAF_BYTES} bytes that begin with its tag", Reason.DOCUMENT)
        request_id, key, inputs, proof, prover = (data[i : i + 32] for i in range(32, 192, 32))
        return cls(
            request_id=request_id,
            verifying_key_digest=key,
            public_inputs_digest=inputs,
            proof_digest=proof,
            prover=prover,
            price_lamports=int.from_bytes(data[192:], "big"),
        )

    def hash(self) -> bytes:
        """The leaf's node in the Merkle tree: SHA-256(0x00 | encoding)."""
        return hash_leaf(self.encode())

    def require_statement(self, verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof) -> None:
        """Raise :class:`RefusedProof` (``leaf``) unless the leaf speaks of this key, these inputs and this proof."""
        for ours, theirs, what in (
            (self.verifying_key_digest, verifying_key.digest(), "verifying key"),
            (self.public_inputs_digest, digest_public_inputs(public_inputs), "list of public inputs"),
            (self.proof_digest, proof.digest(), "proof"),
        ):
            if ours != theirs:
                raise RefusedProof(f"the receipt's leaf is of another {what}", Reason.LEAF)


class Receipt(BaseModel):
    """A leaf, its path to the root of its batch, and the transaction that wrote that root.

    :meth:`check` needs no network: it trusts ``root``. Whether the chain holds that root at ``batch_address`` is
    for the chain to say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    leaf: Leaf
    index: Annotated[int, Field(ge=0, lt=MAX_LEAVES)]
    n_leaves: Annotated[int, Field(ge=1, le=MAX_LEAVES)]
    path: Annotated[tuple[Digest, ...], Field(max_length=32, strict=False)]
    root: Digest
    batch: U64
    """The batch's number in the program's sequence."""
    transaction: Signature
    program_id: Address
    batch_address: Address

    def check_path(self) -> None:
        """Return if the leaf lies under ``root``; raises as :func:`~proofgrid.verifier.merkle.verify_path`."""
        verify_path(self.leaf.encode(), self.index, self.path, self.root, self.n_leaves)

    def check(
        self,
        verifying_key: VerifyingKey,
        public_inputs: Sequence[int],
        proof: Proof,
        *,
        backend: Backend | None = None,
    ) -> None:
        """Return if the leaf is of this statement and proof, lies under ``root``, and the proof is true.

        Raises :class:`~proofgrid.errors.InvalidProof` or :class:`~proofgrid.errors.MalformedInput`.
        """
        self.leaf.require_statement(verifying_key, public_inputs, proof)
        self.check_path()
        verify(verifying_key, public_inputs, proof, backend=backend)

    def encode_json(self) -> bytes:
        """The receipt's JSON; digests are lower-case hex."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @classmethod
    def decode_json(cls, data: bytes) -> "Receipt":
        """The inverse of :meth:`encode_json`; raises :class:`~proofgrid.errors.MalformedInput`, whatever the bytes."""
        parse_json(data, MAX_RECEIPT_BYTES, "receipt")  # size, depth and repeated keys
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the document"
            raise RefusedInput(f"receipt: {where}: {first['msg']}", Reason.DOCUMENT) from error


def load_receipt(path: Path | str) -> Receipt:
    """A receipt from its JSON file; raises :class:`~proofgrid.errors.MalformedInput`."""
    with Path(path).open("rb") as file:
        return Receipt.decode_json(file.read(MAX_RECEIPT_BYTES + 1))


def dump_receipt(receipt: Receipt, path: Path | str) -> None:
    Path(path).write_bytes(receipt.encode_json())
