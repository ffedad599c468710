pragma circom 2.1.0;

include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/switcher.circom";

// The root above a leaf; selector 1: the path comes from the right.
template MerklePath(DEPTH) {
    signal input leaf;
    signal input siblings[DEPTH];
    signal input selectors[DEPTH];
    signal output root;

    component switcher[DEPTH];
    signal node[DEPTH + 1];
    node[0] <== leaf;
    for (var k = 0; k < DEPTH; k++) {
        selectors[k] * (selectors[k] - 1) === 0;
        switcher[k] = Switcher();
        switcher[k].sel <== selectors[k];
        switcher[k].L <== node[k];
        switcher[k].R <== siblings[k];
        node[k + 1] <== Poseidon(2)([switcher[k].outL, switcher[k].outR]);
    }
    root <== node[DEPTH];
}

component main {public [leaf]} = MerklePath(4);
