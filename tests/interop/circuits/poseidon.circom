pragma circom 2.1.0;

include "circomlib/circuits/poseidon.circom";

component main = Poseidon(2);
