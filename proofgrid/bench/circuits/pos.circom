pragma circom 2.1.0;

include "circomlib/circuits/poseidon.circom";

// A chain of `length` Poseidon hashes: h_0 = start, h_(i+1) = Poseidon(h_i, salt).
template PoseidonChain(length) {
    signal input start;
    signal input salt;
    signal output end;

    component hashes[length];
    for (var i = 0; i < length; i++) {
        hashes[i] = Poseidon(2);
        hashes[i].inputs[0] <== i == 0 ? start : hashes[i - 1].out;
        hashes[i].inputs[1] <== salt;
    }
    end <== hashes[length - 1].out;
}

component main {public [salt]} = PoseidonChain(268);
