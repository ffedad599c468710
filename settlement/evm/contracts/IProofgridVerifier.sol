// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What every exported verifier answers, whatever its key.
interface IProofgridVerifier {
    /// The number of inputs is not the key's.
    error WrongInputCount();
    /// An input is not below the order r of BN254's groups: it would be another name of a smaller input.
    error InputOutOfRange();
    /// A coordinate is not below q, a point is off its curve, or B is outside its subgroup.
    error MalformedProof();
    /// The proof is false for these inputs, or A or B is the point at infinity.
    error InvalidProof();
    /// Too little gas, or a chain without the BN254 precompiles: says nothing of the proof.
    error NoVerdict();

    /// @notice Returns if the proof is true for the inputs and reverts if it is not.
    /// @param proof a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y: the order of EIP-197; a is not negated.
    function verify(uint256[8] calldata proof, uint256[] calldata inputs) external view;

    /// @notice The key's name in receipts and on Solana: SHA-256 of its tagged encoding.
    function KEY_DIGEST() external view returns (bytes32);

    /// @notice The name of this verifier of this key: what a seal for it begins with.
    function SELECTOR() external view returns (bytes4);
}
