// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IProofgridReceipts} from "./IProofgridReceipts.sol";
import {ReceiptTree} from "./ReceiptTree.sol";

/// @title An example: an escrow that pays once a receipt shows that one statement was proven.
/// @notice The statement is a verifying key and its public inputs. Without a receipt the payer gets the money back.
contract ReceiptsConsumer {
    IProofgridReceipts public immutable receipts;
    bytes32 public immutable keyDigest;
    bytes32 public immutable inputsDigest;
    address payable public immutable payer;
    address payable public immutable payee;
    uint256 public immutable refundFrom;

    event Released(bytes32 indexed batch, uint256 index, uint256 amount);
    event Refunded(uint256 amount);

    error OtherStatement();
    error NoReceipt();
    error TooEarly();
    error TransferFailed();

    constructor(
        IProofgridReceipts registry,
        bytes32 verifyingKey,
        uint256[] memory inputs,
        address payable receiver,
        uint256 refundAfterSeconds
    ) payable {
        receipts = registry;
        keyDigest = verifyingKey;
        inputsDigest = ReceiptTree.digestInputs(inputs);
        payer = payable(msg.sender);
        payee = receiver;
        refundFrom = block.timestamp + refundAfterSeconds;
    }

    /// @notice Pays the payee, whoever calls: the receipt decides.
    function release(bytes32 batch, ReceiptTree.Leaf calldata leaf, uint256 index, bytes32[] calldata path) external {
        if (leaf.verifyingKeyDigest != keyDigest || leaf.publicInputsDigest != inputsDigest) revert OtherStatement();
        if (!receipts.verifyReceipt(batch, leaf, index, path)) revert NoReceipt();
        emit Released(batch, index, address(this).balance);
        _send(payee);
    }

    function refund() external {
        if (block.timestamp < refundFrom) revert TooEarly();
        emit Refunded(address(this).balance);
        _send(payer);
    }

    function _send(address payable to) private {
        (bool sent,) = to.call{value: address(this).balance}("");
        if (!sent) revert TransferFailed();
    }
}
