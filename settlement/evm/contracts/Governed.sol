// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title An owner who hands over in two steps, and a guardian who can stop and do nothing else.
/// @dev The owner should be a multisig behind a timelock: whoever it is can replace what this contract answers.
abstract contract Governed {
    address public owner;
    address public pendingOwner;
    address public guardian;
    bool public paused;

    event OwnershipOffered(address indexed owner, address indexed to);
    event OwnershipTransferred(address indexed from, address indexed to);
    event GuardianChanged(address indexed from, address indexed to);
    event Paused(address indexed by);
    event Unpaused(address indexed by);

    error NotOwner();
    error NotPendingOwner();
    error NotGuardian();
    error ZeroAddress();
    /// The contract answers nothing until its owner unpauses it.
    error ContractPaused();

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner();
        _;
    }

    modifier onlyGuardian() {
        if (msg.sender != guardian && msg.sender != owner) revert NotGuardian();
        _;
    }

    modifier whenNotPaused() {
        if (paused) revert ContractPaused();
        _;
    }

    constructor(address firstOwner, address firstGuardian) {
        if (firstOwner == address(0)) revert ZeroAddress();
        owner = firstOwner;
        guardian = firstGuardian;
        emit OwnershipTransferred(address(0), firstOwner);
        emit GuardianChanged(address(0), firstGuardian);
    }

    /// @notice Offers the ownership; `address(0)` takes an offer back. Nothing changes until it is accepted.
    function transferOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnershipOffered(owner, to);
    }

    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner();
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    /// @notice Names the guardian; `address(0)` leaves the stop to the owner alone.
    function setGuardian(address to) external onlyOwner {
        emit GuardianChanged(guardian, to);
        guardian = to;
    }

    function pause() external onlyGuardian {
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyOwner {
        paused = false;
        emit Unpaused(msg.sender);
    }
}
