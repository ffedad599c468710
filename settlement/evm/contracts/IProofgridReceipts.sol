// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReceiptTree} from "./ReceiptTree.sol";

/// @title What a contract needs of ProofgridReceipts to ask for a receipt.
interface IProofgridReceipts {
    /// @notice Is the leaf number `index` of an attested batch, and not void? Reverts while the registry is paused.
    /// @param batch the batch's account on Solana
    function verifyReceipt(bytes32 batch, ReceiptTree.Leaf calldata leaf, uint256 index, bytes32[] calldata path)
        external
        view
        returns (bool);
}
