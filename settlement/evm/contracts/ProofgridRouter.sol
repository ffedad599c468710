// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Governed} from "./Governed.sol";
import {IProofgridVerifier} from "./IProofgridVerifier.sol";

/// @title One address for the verifiers of many keys, each of which can be stopped.
/// @notice A seal is a verifier's selector (4 bytes) and a proof (256 bytes). The selector says which verifier a seal was
/// made for; the caller says which key it wants. Both are needed: a seal comes from whoever proves, and with the
/// selector alone that person would choose the circuit.
contract ProofgridRouter is Governed {
    enum State {
        Unknown,
        Active,
        Paused,
        Removed
    }

    struct Route {
        IProofgridVerifier verifier;
        State state;
    }

    uint256 private constant SEAL_SIZE = 4 + 256;

    /// @notice The key that a selector stands for. Written once: a selector never changes its meaning.
    mapping(bytes4 selector => bytes32 key) public keyOf;

    /// @notice Where a key's seals with a selector go; a removed route keeps its place.
    mapping(bytes32 key => mapping(bytes4 selector => Route)) public routes;

    event VerifierAdded(bytes4 indexed selector, bytes32 indexed key, address verifier);
    event VerifierPaused(bytes4 indexed selector, address indexed by);
    event VerifierUnpaused(bytes4 indexed selector, address indexed by);
    event VerifierRemoved(bytes4 indexed selector, address indexed by);

    error MalformedSeal();
    error UnknownSelector(bytes4 selector);
    error SelectorTaken(bytes4 selector);
    error SelectorPaused(bytes4 selector);
    error SelectorRemoved(bytes4 selector);
    error NotPaused(bytes4 selector);
    /// The selector stands for another key than the caller wants.
    error WrongKey(bytes4 selector, bytes32 key);

    constructor(address firstOwner, address firstGuardian) Governed(firstOwner, firstGuardian) {}

    /// @notice Returns if the seal holds a true proof for the key and the inputs, and reverts if it does not.
    /// @dev Errors of the verifier come through. Gas beyond the verifier's: see docs/evm.md.
    function verify(bytes32 key, bytes calldata seal, uint256[] calldata inputs) external view whenNotPaused {
        if (seal.length != SEAL_SIZE) revert MalformedSeal();
        bytes4 selector = bytes4(seal[:4]);
        Route storage route = routes[key][selector];
        (IProofgridVerifier verifier, State state) = (route.verifier, route.state);
        if (state != State.Active) _refuse(key, selector, state);
        uint256[8] calldata proof;
        assembly ("memory-safe") {
            proof := add(seal.offset, 4)
        }
        verifier.verify(proof, inputs);
    }

    /// @notice Adds a verifier under its own selector and key.
    function addVerifier(IProofgridVerifier verifier) external onlyOwner {
        (bytes4 selector, bytes32 key) = (verifier.SELECTOR(), verifier.KEY_DIGEST());
        if (keyOf[selector] != 0) revert SelectorTaken(selector);
        if (key == 0) revert WrongKey(selector, key);
        keyOf[selector] = key;
        routes[key][selector] = Route(verifier, State.Active);
        emit VerifierAdded(selector, key, address(verifier));
    }

    function pauseVerifier(bytes4 selector) external onlyGuardian {
        Route storage route = _route(selector);
        if (route.state == State.Removed) revert SelectorRemoved(selector);
        route.state = State.Paused;
        emit VerifierPaused(selector, msg.sender);
    }

    function unpauseVerifier(bytes4 selector) external onlyOwner {
        Route storage route = _route(selector);
        if (route.state == State.Removed) revert SelectorRemoved(selector);
        if (route.state != State.Paused) revert NotPaused(selector);
        route.state = State.Active;
        emit VerifierUnpaused(selector, msg.sender);
    }

    /// @notice For good: nothing can be added under this selector again.
    function removeVerifier(bytes4 selector) external onlyOwner {
        Route storage route = _route(selector);
        if (route.state == State.Removed) revert SelectorRemoved(selector);
        route.state = State.Removed;
        emit VerifierRemoved(selector, msg.sender);
    }

    function _route(bytes4 selector) private view returns (Route storage) {
        bytes32 key = keyOf[selector];
        if (key == 0) revert UnknownSelector(selector);
        return routes[key][selector];
    }

    function _refuse(bytes32 key, bytes4 selector, State state) private view {
        if (state == State.Paused) revert SelectorPaused(selector);
        if (state == State.Removed) revert SelectorRemoved(selector);
        if (keyOf[selector] != 0) revert WrongKey(selector, key);
        revert UnknownSelector(selector);
    }
}
