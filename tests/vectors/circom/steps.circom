pragma circom 2.0.0;

// One of everything that a witness calculator meets: a scalar, a matrix, a log line, an assertion, a public
// input, an output, and a wire that no B matrix touches.
template Step(n) {
    signal input weights[2][n];
    signal input x;
    signal input limit;
    signal output y;
    signal powers[n + 1];

    powers[0] <== 1;
    for (var i = 0; i < n; i++) powers[i + 1] <== powers[i] * x;

    signal terms[2][n];
    var total = 0;
    for (var row = 0; row < 2; row++) {
        for (var i = 0; i < n; i++) {
            terms[row][i] <== weights[row][i] * powers[i + 1];
            total += (row + 1) * terms[row][i];
        }
    }
    y <== total - 5;
    log("y is", y);
    assert(x < limit);
}

component main {public [limit]} = Step(3);
