"""Merkle trees: RFC 6962's definition and vectors, and paths that hold for one position only."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.verifier.merkle import MerkleTree, hash_leaf, hash_node, path_length, verify_path
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof

# The leaves and the root of Certificate Transparency's reference tree; see tests/verifier/SOURCES.md.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves_of(n: int) -> list[bytes]:
    return [i.to_bytes(4, "big") for i in range(n)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("n", CT_ROOTS)
def test_roots_of_certificate_transparency(n: int) -> None:
    assert MerkleTree(CT_LEAVES[:n]).root.hex() == CT_ROOTS[n]


@pytest.mark.parametrize("n", range(1, 35))
def test_every_path_of_every_size_verifies(n: int) -> None:
    leaves = leaves_of(n)
    tree = MerkleTree(leaves)
    assert len(tree) == n
    assert tree.root == root_by_definition(leaves)
    for i in range(n):
        path = tree.path(i)
        assert len(path) == path_length(i, n)
        verify_path(leaves[i], i, path, tree.root, n)


def test_a_path_holds_for_its_leaf_and_index_only() -> None:
    n = 13
    leaves, tree = leaves_of(n), MerkleTree(leaves_of(n))
    for i in range(n):
        for j in range(n):
            if i != j:
                with pytest.raises((InvalidProof, MalformedInput)):
                    verify_path(leaves[i], j, tree.path(i), tree.root, n)
                with pytest.raises(RefusedProof):
                    verify_path(leaves[j], i, tree.path(i), tree.root, n)


@given(st.integers(1, 40), st.data())
def test_a_flipped_bit_breaks_the_path(n: int, data: st.DataObject) -> None:
    leaves, i = leaves_of(n), data.draw(st.integers(0, n - 1))
    tree = MerkleTree(leaves)
    parts = [leaves[i], tree.root, *tree.path(i)]
    part = data.draw(st.integers(0, len(parts) - 1))
    byte = data.draw(st.integers(0, len(parts[part]) - 1))
    changed = bytearray(parts[part])
    changed[byte] ^= 1 << data.draw(st.integers(0, 7))
    parts[part] = bytes(changed)
    with pytest.raises(RefusedProof) as caught:
        verify_path(parts[0], i, parts[2:], parts[1], n)
    assert caught.value.reason is Reason.MERKLE_PATH


def test_a_path_of_another_length_is_malformed() -> None:
    tree, leaves = MerkleTree(leaves_of(5)), leaves_of(5)
    for i in range(5):
        for path in (tree.path(i)[:-1], [*tree.path(i), bytes(32)]):
            with pytest.raises(RefusedInput):
                verify_path(leaves[i], i, path, tree.root, 5)
    with pytest.raises(RefusedInput):
        verify_path(leaves[0], 0, [bytes(31), *tree.path(0)[1:]], tree.root, 5)
    with pytest.raises(RefusedInput):
        verify_path(leaves[0], 0, tree.path(0), tree.root[:-1], 5)


def test_positions_outside_the_tree_are_malformed() -> None:
    tree = MerkleTree(leaves_of(3))
    for index, n_leaves in ((-1, 3), (3, 3), (0, 0), (0, -1), (0, (1 << 32) + 1)):
        with pytest.raises(RefusedInput):
            verify_path(b"", index, [], tree.root, n_leaves)
    for index in (-1, 3):
        with pytest.raises(RefusedInput):
            tree.path(index)


def test_the_empty_tree_is_refused() -> None:
    with pytest.raises(RefusedInput):
        MerkleTree([])


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """The second-preimage attack on trees without domain separation."""
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_leaf(left + right) != hash_node(left, right)
    root = MerkleTree([b"a", b"b"]).root
    with pytest.raises(RefusedProof):
        verify_path(left + right, 0, [], root, 1)
