"""Receipts: what a leaf binds, and that a receipt checks against its own statement only."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.points import negate
from proofgrid.verifier.receipts import (
    LEAF_BYTES,
    Leaf,
    Receipt,
    digest_public_inputs,
    dump_receipt,
    load_receipt,
)
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof
from tests.verifier.statements import statement

ADDRESS = "11111111111111111111111111111111"


def leaf_of(n: int, **changes: Any) -> Leaf:
    true = statement(BN254.name)
    members: dict[str, Any] = {
        "request_id": bytes([n] * 32),
        "verifying_key_digest": true.key.digest(),
        "public_inputs_digest": digest_public_inputs(true.inputs),
        "proof_digest": true.proof.digest(),
        "prover": b"p" * 32,
        "price_lamports": 2**64 - 1,
    }
    return Leaf(**(members | changes))


@pytest.fixture(scope="module")
def receipt() -> Receipt:
    """The receipt of leaf 2 of 5."""
    leaves = [leaf_of(n) for n in range(5)]
    tree = MerkleTree([leaf.encode() for leaf in leaves])
    return Receipt(
        leaf=leaves[2],
        index=2,
        n_leaves=5,
        path=tuple(tree.path(2)),
        root=tree.root,
        batch=2**64 - 1,
        transaction="5" * 88,
        program_id=ADDRESS,
        batch_address=ADDRESS,
    )


def refusal(receipt: Receipt, **changes: Any) -> Reason:
    true = statement(BN254.name)
    arguments = {"verifying_key": true.key, "public_inputs": true.inputs, "proof": true.proof} | changes
    with pytest.raises((RefusedInput, RefusedProof)) as caught:
        receipt.check(**arguments)
    return caught.value.reason


def test_receipt_checks(receipt: Receipt) -> None:
    true = statement(BN254.name)
    receipt.check(true.key, true.inputs, true.proof)


def test_receipt_of_another_statement_is_refused(receipt: Receipt) -> None:
    true = statement(BN254.name)
    other_key = replace(true.key, gamma2=true.key.beta2, backend=None)
    assert refusal(receipt, verifying_key=other_key) is Reason.LEAF
    assert refusal(receipt, public_inputs=true.inputs[::-1]) is Reason.LEAF
    assert refusal(receipt, public_inputs=[true.inputs[0] + BN254.r, true.inputs[1]]) is Reason.LEAF
    negated = negate(BN254.g1, true.proof.a[None])[0]
    assert refusal(receipt, proof=replace(true.proof, a=negated)) is Reason.LEAF


def test_receipt_with_another_path_is_refused(receipt: Receipt) -> None:
    assert refusal(receipt.model_copy(update={"root": bytes(32)})) is Reason.MERKLE_PATH
    assert refusal(receipt.model_copy(update={"index": 3})) is Reason.MERKLE_PATH
    assert refusal(receipt.model_copy(update={"path": receipt.path[::-1]})) is Reason.MERKLE_PATH
    assert refusal(receipt.model_copy(update={"leaf": leaf_of(2, price_lamports=1)})) is Reason.MERKLE_PATH


def test_receipt_of_a_false_proof_is_refused() -> None:
    """A committer may put a leaf of a false proof under a root; the receipt's check is the verifier's."""
    true = statement(BN254.name)
    false = replace(true.proof, a=negate(BN254.g1, true.proof.a[None])[0])
    leaf = leaf_of(1, proof_digest=false.digest())
    fields = {"transaction": "5" * 88, "program_id": ADDRESS, "batch_address": ADDRESS}
    receipt = Receipt(leaf=leaf, index=0, n_leaves=1, path=(), root=leaf.hash(), batch=0, **fields)
    assert refusal(receipt, proof=false) is Reason.EQUATION


def test_leaf_is_the_documented_bytes() -> None:
    leaf = leaf_of(7, price_lamports=258)
    expected = b"proofgrid.leaf.v1".ljust(32, b"\0") + leaf.request_id + leaf.verifying_key_digest
    expected += leaf.public_inputs_digest + leaf.proof_digest + leaf.prover + bytes([0, 0, 0, 0, 0, 0, 1, 2])
    assert leaf.encode() == expected
    assert len(expected) == LEAF_BYTES
    assert leaf.hash() == hashlib.sha256(b"\0" + expected).digest()
    assert Leaf.decode(expected) == leaf


def test_bytes_that_are_no_leaf_are_malformed() -> None:
    data = leaf_of(7).encode()
    for wrong in (b"", data[:-1], data + b"\0", b"q" + data[1:]):
        with pytest.raises(RefusedInput):
            Leaf.decode(wrong)


def test_digest_of_inputs_is_the_documented_bytes() -> None:
    head = b"proofgrid.public-inputs.v1".ljust(32, b"\0") + bytes([0, 0, 0, 2])
    assert digest_public_inputs([1, 2]) == hashlib.sha256(head + bytes(31) + b"\1" + bytes(31) + b"\2").digest()
    assert digest_public_inputs([]) != digest_public_inputs([0])
    for wrong in (-1, 1 << 256):
        with pytest.raises(RefusedInput):
            digest_public_inputs([wrong])


@pytest.mark.parametrize("value", [3.0, "3", None, True, -1, 1 << 256])
def test_digest_is_of_integers_only(value: Any) -> None:
    with pytest.raises(RefusedInput, match="not an integer"):
        digest_public_inputs([1, value])


def test_file_round_trips(receipt: Receipt, tmp_path: Path) -> None:
    dump_receipt(receipt, tmp_path / "receipt.json")
    assert load_receipt(tmp_path / "receipt.json") == receipt


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("index", -1),
        ("index", "2"),
        ("index", 2.0),
        ("n_leaves", 0),
        ("batch", 1 << 64),
        ("root", "00" * 31),
        ("root", "GG" * 32),
        ("root", "AA" * 32),
        ("path", ["00" * 32] * 33),
        ("path", "00" * 32),
        ("transaction", "0" * 88),
        ("program_id", "l" * 32),
        ("batch_address", ""),
        ("leaf", None),
        ("more", 1),
    ],
)
def test_changed_document_is_malformed(receipt: Receipt, name: str, value: object) -> None:
    document = json.loads(receipt.encode_json()) | {name: value}
    with pytest.raises(RefusedInput) as caught:
        Receipt.decode_json(json.dumps(document).encode())
    assert caught.value.reason is Reason.DOCUMENT


def test_leaf_members_have_their_width() -> None:
    for change in ({"prover": b"p" * 31}, {"price_lamports": -1}, {"price_lamports": 1 << 64}):
        with pytest.raises(ValidationError):
            leaf_of(1, **change)


def test_every_flipped_byte_of_a_receipt_is_refused_or_changes_only_the_references(receipt: Receipt) -> None:
    """The transaction, the batch's number and the addresses are for the chain to confirm; all else is bound."""
    original = receipt.encode_json().rstrip()
    bound = ("leaf", "path", "root")
    for i in range(len(original)):
        mutated = bytearray(original)
        mutated[i] ^= 1 << (i % 7)
        try:
            changed = Receipt.decode_json(bytes(mutated))
        except MalformedInput:
            continue
        try:
            changed.check_path()
        except (InvalidProof, MalformedInput):
            continue
        assert all(getattr(changed, name) == getattr(receipt, name) for name in bound)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        Receipt.decode_json(data)
