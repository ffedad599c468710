pragma circom 2.2.0;

// Inputs that are buses, alone and in an array, and every kind of log line.
bus Point {
    signal x;
    signal y[2];
}

template Sum() {
    input Point one;
    input Point many[2];
    signal output sum;

    log("strings and", 2 + 3, "values", one.x);
    log(one.y[1]);
    log("done");
    sum <== one.x + 10 * one.y[0] + 100 * one.y[1] + 1000 * many[0].x + 10000 * many[1].y[1] + many[0].y[0] + many[0].y[1];
    signal product <== one.x * many[1].x + many[1].y[0];
    product === 14;
}

component main = Sum();
