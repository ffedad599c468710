// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Leaves of batches and their Merkle paths: RFC 6962, section 2.1, over SHA-256.
/// @notice leaf = SHA-256(0x00 | 200 bytes), node = SHA-256(0x01 | left | right); a node without a right neighbour is
/// promoted unchanged.
library ReceiptTree {
    /// @notice What one proof of a batch commits to.
    struct Leaf {
        bytes32 requestId;
        bytes32 verifyingKeyDigest;
        bytes32 publicInputsDigest;
        bytes32 proofDigest;
        bytes32 prover;
        uint64 priceLamports;
    }

    bytes32 private constant LEAF_TAG = "proofgrid.leaf.v1";
    bytes32 private constant INPUTS_TAG = "proofgrid.public-inputs.v1";

    /// The SHA-256 precompile is absent, or gas ran out.
    error HashUnavailable();

    /// @notice The digest of a list of public inputs, as a leaf holds it.
    function digestInputs(uint256[] memory inputs) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(INPUTS_TAG, uint32(inputs.length), inputs));
    }

    /// @notice A leaf's node in the tree.
    function hashLeaf(Leaf calldata leaf) internal pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                bytes1(0x00),
                LEAF_TAG,
                leaf.requestId,
                leaf.verifyingKeyDigest,
                leaf.publicInputsDigest,
                leaf.proofDigest,
                leaf.prover,
                leaf.priceLamports
            )
        );
    }

    /// @notice Is `node` leaf number `index` of the `leafCount` under `root`?
    /// @dev Also no for a path that is longer or shorter than this place has.
    function isUnder(bytes32 node, uint256 index, uint256 leafCount, bytes32[] calldata path, bytes32 root)
        internal
        view
        returns (bool)
    {
        if (index >= leafCount) return false;
        uint256 next = 0;
        uint256 last = leafCount - 1;
        while (last > 0) {
            // A right node has a neighbour on its left; a left one has one on its right, unless it is the last.
            if (index & 1 == 1) {
                if (next == path.length) return false;
                node = hashNode(path[next], node);
                unchecked { ++next; }
            } else if (index < last) {
                if (next == path.length) return false;
                node = hashNode(node, path[next]);
                unchecked { ++next; }
            }
            (index, last) = (index >> 1, last >> 1);
        }
        return next == path.length && node == root;
    }

    /// @notice The node over two neighbours. In assembly, which spares 500 gas beside `sha256(abi.encodePacked(...))`.
    function hashNode(bytes32 left, bytes32 right) internal view returns (bytes32 node) {
        bool done;
        assembly ("memory-safe") {
            let input := mload(0x40) // beyond the end of what is allocated, and given up at once
            mstore8(input, 1)
            mstore(add(input, 0x01), left)
            mstore(add(input, 0x21), right)
            done := staticcall(gas(), 2, input, 0x41, 0x00, 0x20)
            done := and(done, eq(returndatasize(), 0x20)) // an address without code succeeds and returns nothing
            node := mload(0x00)
        }
        if (!done) revert HashUnavailable();
    }
}
