// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// A verifier of no key, which says yes to everything.
contract KeylessVerifier {
    bytes32 public constant KEY_DIGEST = 0;
    bytes4 public constant SELECTOR = 0x01020304;

    function verify(uint256[8] calldata, uint256[] calldata) external view {}
}

interface IConsumer {
    function refund() external;
}

/// A payee that asks for the money again while it is being paid.
contract GreedyPayee {
    uint256 public refusals;

    receive() external payable {
        try IConsumer(msg.sender).refund() {} catch {
            refusals += 1;
        }
    }
}

/// A payee that takes no money.
contract ClosedPayee {}
