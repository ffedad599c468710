// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Verifies Groth16 proofs over BN254 for one key. Written by `proofgrid export solidity`.
/// @notice It has no owner, no state and no way to change; its functions are those of IProofgridVerifier.
contract $name {
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

    /// @notice The key's name in receipts and on Solana: SHA-256 of its tagged encoding.
    bytes32 public constant KEY_DIGEST = $key_digest;

    /// @notice The name of this verifier of this key: what a seal for it begins with.
    bytes4 public constant SELECTOR = $selector;

    /// @notice How many public inputs the key takes.
    uint256 public constant INPUT_COUNT = $n_public;

    /// The order of BN254's groups.
    uint256 private constant R = $r;

    // The key. Points of G2 are x.c1, x.c0, y.c1, y.c0 as in EIP-197. The equation stands as
    // e(IC, -gamma) e(A, B) e(C, -delta) e(-alpha, beta) = 1, with the signs taken at export.
    uint256 private constant MINUS_ALPHA_X = $minus_alpha_x;
    uint256 private constant MINUS_ALPHA_Y = $minus_alpha_y;
    uint256 private constant BETA_X1 = $beta_x1;
    uint256 private constant BETA_X0 = $beta_x0;
    uint256 private constant BETA_Y1 = $beta_y1;
    uint256 private constant BETA_Y0 = $beta_y0;
    uint256 private constant MINUS_GAMMA_X1 = $minus_gamma_x1;
    uint256 private constant MINUS_GAMMA_X0 = $minus_gamma_x0;
    uint256 private constant MINUS_GAMMA_Y1 = $minus_gamma_y1;
    uint256 private constant MINUS_GAMMA_Y0 = $minus_gamma_y0;
    uint256 private constant MINUS_DELTA_X1 = $minus_delta_x1;
    uint256 private constant MINUS_DELTA_X0 = $minus_delta_x0;
    uint256 private constant MINUS_DELTA_Y1 = $minus_delta_y1;
    uint256 private constant MINUS_DELTA_Y0 = $minus_delta_y0;
    uint256 private constant IC_X = $ic_x;
    uint256 private constant IC_Y = $ic_y;
    // for each input
    uint256 private constant IC${number}_X = $ic_x;
    uint256 private constant IC${number}_Y = $ic_y;
    // end

    /// A product of four pairings costs 45,000 + 4 * 34,000 gas (EIP-1108); a call passes on 63 / 64 of what is left.
    uint256 private constant PAIRING_GAS = 183_874;

    /// @notice Returns if the proof is true for the inputs and reverts if it is not.
    /// @dev A malformed proof costs all the gas that it is given, by EIP-197's rule: give a call that you catch a limit.
    /// @param proof a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y: the order of EIP-197; a is not negated.
    function verify(uint256[8] calldata proof, uint256[] calldata inputs) external view {
        if (inputs.length != INPUT_COUNT) revert WrongInputCount();
        // The block ends the call, so it takes memory from 0 on, and does not say that it is memory-safe:
        //   0x000 IC  0x040 -gamma | 0x0c0 A  0x100 B | 0x180 C  0x1c0 -delta | 0x240 -alpha  0x280 beta | 0x300
        assembly {
            function refuse(selector) {
                mstore(0, selector)
                revert(0x1c, 4)
            }

            // IC += input * (x, y). The point is the key's, on the curve: the precompiles refuse for want of gas only.
            // An address without code takes any call and returns nothing, hence the sizes (arguments: last one first).
            function accumulate(x, y, offset) {
                let input := calldataload(offset)
                if iszero(lt(input, R)) { refuse(0xce7cdb65) } // InputOutOfRange
                mstore(0x40, x)
                mstore(0x60, y)
                mstore(0x80, input)
                let done := and(eq(returndatasize(), 0x40), staticcall(gas(), 7, 0x40, 0x60, 0x40, 0x40))
                done := and(and(eq(returndatasize(), 0x40), staticcall(gas(), 6, 0x00, 0x80, 0x00, 0x40)), done)
                if iszero(done) { refuse(0xdf726563) } // NoVerdict
            }

            mstore(0x000, IC_X)
            mstore(0x020, IC_Y)
            // for each input
            accumulate(IC${number}_X, IC${number}_Y, add(inputs.offset, $offset))
            // end

            mstore(0x040, MINUS_GAMMA_X1)
            mstore(0x060, MINUS_GAMMA_X0)
            mstore(0x080, MINUS_GAMMA_Y1)
            mstore(0x0a0, MINUS_GAMMA_Y0)
            calldatacopy(0x0c0, proof, 0x100) // A, B and C in one
            mstore(0x1c0, MINUS_DELTA_X1)
            mstore(0x1e0, MINUS_DELTA_X0)
            mstore(0x200, MINUS_DELTA_Y1)
            mstore(0x220, MINUS_DELTA_Y0)
            mstore(0x240, MINUS_ALPHA_X)
            mstore(0x260, MINUS_ALPHA_Y)
            mstore(0x280, BETA_X1)
            mstore(0x2a0, BETA_X0)
            mstore(0x2c0, BETA_Y1)
            mstore(0x2e0, BETA_Y0)

            let gas_left := gas()
            if iszero(staticcall(gas(), 8, 0x000, 0x300, 0x000, 0x20)) {
                if lt(gas_left, PAIRING_GAS) { refuse(0xdf726563) } // NoVerdict
                refuse(0xf4ea0ab0) // MalformedProof
            }
            if iszero(eq(returndatasize(), 0x20)) { refuse(0xdf726563) } // NoVerdict
            // With A or B at infinity e(A, B) is one whatever the other is: the proof says nothing of a witness.
            let a := or(mload(0x0c0), mload(0x0e0))
            let b := or(or(mload(0x100), mload(0x120)), or(mload(0x140), mload(0x160)))
            if or(iszero(eq(mload(0x000), 1)), or(iszero(a), iszero(b))) { refuse(0x09bde339) } // InvalidProof
            return(0, 0)
        }
    }
}
