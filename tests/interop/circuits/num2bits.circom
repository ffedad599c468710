pragma circom 2.1.0;

include "circomlib/circuits/bitify.circom";

component main {public [in]} = Num2Bits(32);
