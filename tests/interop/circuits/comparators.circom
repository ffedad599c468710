pragma circom 2.1.0;

include "circomlib/circuits/comparators.circom";

template Comparators(N) {
    signal input a;
    signal input b;
    signal output less;
    signal output less_or_equal;
    signal output greater;
    signal output greater_or_equal;
    signal output equal;
    signal output a_is_zero;

    less <== LessThan(N)([a, b]);
    less_or_equal <== LessEqThan(N)([a, b]);
    greater <== GreaterThan(N)([a, b]);
    greater_or_equal <== GreaterEqThan(N)([a, b]);
    equal <== IsEqual()([a, b]);
    a_is_zero <== IsZero()(a);
}

component main {public [b]} = Comparators(64);
