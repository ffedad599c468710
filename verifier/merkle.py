"""Merkle trees as in RFC 6962 (section 2.1): SHA-256, leaves and nodes hashed in separate domains.

leaf = SHA-256(0x00 | data), node = SHA-256(0x01 | left | right); a node without a right neighbour is promoted
unchanged, which gives RFC 6962's split at the largest power of two below n. The empty tree does not exist here.
"""

import hashlib
from collections.abc import Sequence

from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof

HASH_BYTES = 32
MAX_LEAVES = 1 << 32


def hash_leaf(data: bytes) -> bytes:
    """The hash of a leaf's data (any length)."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours of 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """The tree over ``leaves`` (their data, not their hashes); raises :class:`RefusedInput` if there are none.

    Cost: 2n - 1 hashes and 64 n bytes.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._build([hash_leaf(leaf) for leaf in leaves])

    @classmethod
    def of_hashes(cls, hashes: Sequence[bytes]) -> "MerkleTree":
        """The tree over leaves of which only the hashes (32 bytes each) are known."""
        tree = cls.__new__(cls)
        tree._build(list(hashes))
        return tree

    def _build(self, hashes: list[bytes]) -> None:
        if not hashes:
            raise RefusedInput("a Merkle tree needs at least one leaf", Reason.MERKLE_PATH)
        self._levels = [hashes]
        while len(below := self._levels[-1]) > 1:
            level = [hash_node(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]
            self._levels.append(level + below[len(level) * 2 :])

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def path(self, index: int) -> list[bytes]:
        """The siblings from leaf ``index`` to the root, the lowest first; at most log2(n) rounded up."""
        _require_position(index, len(self))
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index //= 2
        return path


def verify_path(leaf: bytes, index: int, path: Sequence[bytes], root: bytes, n_leaves: int) -> None:
    """Return if ``leaf`` (its data) is number ``index`` of the ``n_leaves`` under ``root``.

    Raises :class:`RefusedInput` for an index outside the tree, hashes that are not 32 bytes and a path of another
    length than that position has; :class:`RefusedProof` (``merkle_path``) if it leads to another root.
    """
    _require_position(index, n_leaves)
    if any(len(node) != HASH_BYTES for node in (*path, root)):
        raise RefusedInput(f"a hash of the Merkle path or its root is not {HASH_BYTES} bytes long", Reason.MERKLE_PATH)
    expected = path_length(index, n_leaves)
    if len(path) != expected:
        raise RefusedInput(
            f"leaf {index} of {n_leaves} has a path of {expected} hashes, got {len(path)}", Reason.MERKLE_PATH
        )
    node, siblings, last = hash_leaf(leaf), iter(path), n_leaves - 1
    while last > 0:
        if index % 2:
            node = hash_node(next(siblings), node)
        elif index < last:
            node = hash_node(node, next(siblings))
        index, last = index // 2, last // 2
    if node != root:
        raise RefusedProof("the Merkle path does not lead from the leaf to the root", Reason.MERKLE_PATH)


def path_length(index: int, n_leaves: int) -> int:
    """Number of siblings on the way from leaf ``index`` to the root of ``n_leaves``."""
    length, last = 0, n_leaves - 1
    while last > 0:
        length += index % 2 or index < last
        index, last = index // 2, last // 2
    return length


def _require_position(index: int, n_leaves: int) -> None:
    if not 0 < n_leaves <= MAX_LEAVES or not 0 <= index < n_leaves:
        raise RefusedInput(f"there is no leaf {index} in a Merkle tree of {n_leaves}", Reason.MERKLE_PATH)
