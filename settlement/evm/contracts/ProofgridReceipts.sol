// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Governed} from "./Governed.sol";
import {IProofgridReceipts} from "./IProofgridReceipts.sol";
import {ReceiptTree} from "./ReceiptTree.sol";

/// @title Roots of batches that were committed on Solana, and receipts under them.
/// @notice This contract cannot see Solana. That a batch stands there, unchallenged, with this root is the word of the
/// attester, whom the owner names: whoever holds that key can attest any root. Against that stand the delay between an
/// attestation and its first use, in which guardian and owner can revoke it, and the pause. See docs/evm.md.
contract ProofgridReceipts is Governed, IProofgridReceipts {
    struct Batch {
        bytes32 root;
        uint64 usableFrom;
        uint64 leafCount;
        bool hasVoid;
        uint32[] voidLeaves;
    }

    uint256 public constant MIN_DELAY = 10 minutes;
    uint256 public constant MAX_DELAY = 30 days;
    uint256 public constant MAX_LEAVES = 1 << 32;
    uint256 public constant MAX_VOID_LEAVES = 256;

    /// @notice Seconds from an attestation to its first use.
    uint256 public immutable delay;

    /// @notice Who may attest: a committee's multisig, a light client's contract, or a relayer that is trusted.
    address public attester;

    mapping(bytes32 batch => Batch) private _batches;

    event AttesterChanged(address indexed from, address indexed to);
    event BatchAttested(bytes32 indexed batch, bytes32 root, uint64 leafCount, uint32[] voidLeaves, uint64 usableFrom);
    event BatchRevoked(bytes32 indexed batch, bytes32 root, address indexed by);

    error NotAttester();
    error DelayOutOfRange();
    error ZeroRoot();
    error LeafCountOutOfRange();
    error TooManyVoidLeaves();
    /// Void leaves must ascend and lie in the batch.
    error MalformedVoidLeaves();
    error AlreadyAttested(bytes32 batch);
    error UnknownBatch(bytes32 batch);

    constructor(address firstOwner, address firstGuardian, address firstAttester, uint256 delaySeconds)
        Governed(firstOwner, firstGuardian)
    {
        if (delaySeconds < MIN_DELAY || delaySeconds > MAX_DELAY) revert DelayOutOfRange();
        delay = delaySeconds;
        attester = firstAttester;
        emit AttesterChanged(address(0), firstAttester);
    }

    /// @notice Names the attester; `address(0)` ends attestation. Earlier attestations stay.
    function setAttester(address to) external onlyOwner {
        emit AttesterChanged(attester, to);
        attester = to;
    }

    /// @notice Attests that a batch is final on Solana: its challenge window is over and no demand is open.
    /// @param voidLeaves those that are void there or whose key was registered later than the batch, ascending
    function attest(bytes32 batch, bytes32 root, uint64 leafCount, uint32[] calldata voidLeaves) external whenNotPaused {
        if (msg.sender != attester) revert NotAttester();
        if (root == 0) revert ZeroRoot();
        if (leafCount == 0 || leafCount > MAX_LEAVES) revert LeafCountOutOfRange();
        if (_batches[batch].root != 0) revert AlreadyAttested(batch);
        _requireAscending(voidLeaves, leafCount);
        uint64 usableFrom = uint64(block.timestamp + delay);
        _batches[batch] = Batch(root, usableFrom, leafCount, voidLeaves.length > 0, voidLeaves);
        emit BatchAttested(batch, root, leafCount, voidLeaves, usableFrom);
    }

    /// @notice Takes a batch back. It can be attested again, and then waits again.
    function revoke(bytes32 batch) external onlyGuardian {
        bytes32 root = _batches[batch].root;
        if (root == 0) revert UnknownBatch(batch);
        delete _batches[batch];
        emit BatchRevoked(batch, root, msg.sender);
    }

    /// @notice The attestation of a batch; all zero without one.
    function attestation(bytes32 batch) external view returns (Batch memory) {
        return _batches[batch];
    }

    /// @inheritdoc IProofgridReceipts
    function verifyReceipt(bytes32 batch, ReceiptTree.Leaf calldata leaf, uint256 index, bytes32[] calldata path)
        external
        view
        whenNotPaused
        returns (bool)
    {
        Batch storage found = _batches[batch];
        (uint256 usableFrom, uint256 leafCount) = (found.usableFrom, found.leafCount);
        if (leafCount == 0 || block.timestamp < usableFrom) return false;
        if (found.hasVoid && _contains(found.voidLeaves, index)) return false;
        return ReceiptTree.isUnder(ReceiptTree.hashLeaf(leaf), index, leafCount, path, found.root);
    }

    function _requireAscending(uint32[] calldata voidLeaves, uint64 leafCount) private pure {
        if (voidLeaves.length > MAX_VOID_LEAVES) revert TooManyVoidLeaves();
        for (uint256 i = 0; i < voidLeaves.length; i++) {
            if (voidLeaves[i] >= leafCount || (i > 0 && voidLeaves[i] <= voidLeaves[i - 1])) revert MalformedVoidLeaves();
        }
    }

    function _contains(uint32[] storage voidLeaves, uint256 index) private view returns (bool) {
        for (uint256 i = 0; i < voidLeaves.length; i++) {
            if (voidLeaves[i] == index) return true;
        }
        return false;
    }
}
