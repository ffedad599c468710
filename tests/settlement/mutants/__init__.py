"""Every check of the on-chain program, taken away one at a time: some test must notice.

``python -m tests.settlement.mutants`` (``make program-mutants``) finds the checks in ``settlement/program/src``, builds
the program without each of them, runs the tests that reach it until one fails, and writes ``docs/program-mutants.md``.
"""
