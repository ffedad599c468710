// A small rollup: a batch of signed transfers moves the account tree from one root to the next.
//
// What a proof says. "I know a batch of TRANSFERS transfers, whose commitment is `batch`, each signed by its
// sender, that takes the account tree from `old_root` to `new_root`; no balance went below zero or above
// 2^64 - 1, and no signature was used twice."
//
// Public inputs, in this order
//   old_root   root of the account tree before the batch
//   new_root   root after it
//   batch      commitment to the transfers: batch = c_n, c_0 = 0, c_(i+1) = Poseidon(c_i, message_i)
//
// Forms
//   leaf       Poseidon(key.x, key.y, balance, nonce); an empty slot is Poseidon(0, 0, 0, 0)
//   node       Poseidon(left, right); bit k of the index, lowest first, says: at level k the path comes from the right
//   message    Poseidon(from, to, amount, nonce), signed with EdDSA-Poseidon on Baby Jubjub; the nonce is the one
//              in the sender's leaf, and it moves on with every transfer, so a signature is good for one use
//
// Order. In transfer i the sender's leaf is updated first, then the receiver's in the tree that this gave; a
// transfer to oneself therefore needs no special case, and one of amount 0 fills up a short batch.
//
// Size. 27,719 constraints, 27,753 wires: a domain of 2^15. Of a transfer's 13,700 or so, 4,200 are the signature
// and 7,700 the tree's hashes (two paths of 8 levels, each hashed with the old leaf and with the new one).
//
// circomlib's templates come from the compiler's include path and are not kept here; the compiled files beside this
// one contain them, under circomlib's licence (GPL-3.0). rollup.json names the versions.
pragma circom 2.1.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/eddsaposeidon.circom";
include "circomlib/circuits/poseidon.circom";

// Replaces one leaf of a Merkle tree and leaves every other as it was: both roots share the siblings.
template UpdateLeaf(DEPTH) {
    signal input index;
    signal input siblings[DEPTH];
    signal input old_leaf;
    signal input new_leaf;
    signal output old_root;
    signal output new_root;

    signal bits[DEPTH] <== Num2Bits(DEPTH)(index);
    signal old_node[DEPTH + 1];
    signal new_node[DEPTH + 1];
    signal old_turn[DEPTH];
    signal new_turn[DEPTH];
    old_node[0] <== old_leaf;
    new_node[0] <== new_leaf;
    for (var k = 0; k < DEPTH; k++) {
        // turn = bit * (sibling - node): (node + turn, sibling - turn) are the children, left first.
        old_turn[k] <== bits[k] * (siblings[k] - old_node[k]);
        new_turn[k] <== bits[k] * (siblings[k] - new_node[k]);
        old_node[k + 1] <== Poseidon(2)([old_node[k] + old_turn[k], siblings[k] - old_turn[k]]);
        new_node[k + 1] <== Poseidon(2)([new_node[k] + new_turn[k], siblings[k] - new_turn[k]]);
    }
    old_root <== old_node[DEPTH];
    new_root <== new_node[DEPTH];
}

// One signed transfer: checks it against `old_root` and gives the root that follows.
template Transfer(DEPTH) {
    signal input old_root;
    signal input from;
    signal input to;
    signal input amount;
    signal input signature[3]; // R.x, R.y, S
    signal input sender[4]; // key.x, key.y, balance, nonce, all before the transfer
    signal input sender_siblings[DEPTH];
    signal input receiver[4]; // as the sender's update left it
    signal input receiver_siblings[DEPTH];
    signal output new_root;
    signal output message;

    // The signature. The verifier template takes its points as being on the curve, so that is checked here.
    message <== Poseidon(4)([from, to, amount, sender[3]]);
    BabyCheck()(signature[0], signature[1]);
    BabyCheck()(sender[0], sender[1]);
    BabyCheck()(receiver[0], receiver[1]); // an empty slot receives nothing
    EdDSAPoseidonVerifier()(1, sender[0], sender[1], signature[2], signature[0], signature[1], message);

    // The amounts: each of these is a 64-bit number, so nothing wraps around the field's modulus.
    signal paid <== sender[2] - amount;
    signal received <== receiver[2] + amount;
    _ <== Num2Bits(64)(amount);
    _ <== Num2Bits(64)(paid);
    _ <== Num2Bits(64)(received);

    // The tree: the sender's leaf, then the receiver's.
    component debit = UpdateLeaf(DEPTH);
    debit.index <== from;
    debit.siblings <== sender_siblings;
    debit.old_leaf <== Poseidon(4)(sender);
    debit.new_leaf <== Poseidon(4)([sender[0], sender[1], paid, sender[3] + 1]);
    debit.old_root === old_root;

    component credit = UpdateLeaf(DEPTH);
    credit.index <== to;
    credit.siblings <== receiver_siblings;
    credit.old_leaf <== Poseidon(4)(receiver);
    credit.new_leaf <== Poseidon(4)([receiver[0], receiver[1], received, receiver[3]]);
    credit.old_root === debit.new_root;
    new_root <== credit.new_root;
}

template Rollup(TRANSFERS, DEPTH) {
    signal input old_root;
    signal input new_root;
    signal input batch;
    signal input from[TRANSFERS];
    signal input to[TRANSFERS];
    signal input amount[TRANSFERS];
    signal input signature[TRANSFERS][3];
    signal input sender[TRANSFERS][4];
    signal input sender_siblings[TRANSFERS][DEPTH];
    signal input receiver[TRANSFERS][4];
    signal input receiver_siblings[TRANSFERS][DEPTH];

    component transfers[TRANSFERS];
    signal roots[TRANSFERS + 1];
    signal commitments[TRANSFERS + 1];
    roots[0] <== old_root;
    commitments[0] <== 0;
    for (var i = 0; i < TRANSFERS; i++) {
        transfers[i] = Transfer(DEPTH);
        transfers[i].old_root <== roots[i];
        transfers[i].from <== from[i];
        transfers[i].to <== to[i];
        transfers[i].amount <== amount[i];
        transfers[i].signature <== signature[i];
        transfers[i].sender <== sender[i];
        transfers[i].sender_siblings <== sender_siblings[i];
        transfers[i].receiver <== receiver[i];
        transfers[i].receiver_siblings <== receiver_siblings[i];
        roots[i + 1] <== transfers[i].new_root;
        commitments[i + 1] <== Poseidon(2)([commitments[i], transfers[i].message]);
    }
    new_root === roots[TRANSFERS];
    batch === commitments[TRANSFERS];
}

component main {public [old_root, new_root, batch]} = Rollup(2, 8);
