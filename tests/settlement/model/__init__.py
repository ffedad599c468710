"""The ledger of ADR 5 in Python, and a machine that plays random instructions against it and against the real program.

The model: ``records`` what accounts hold, ``ledger`` all of them, ``stakes``, ``governance``, ``requests``,
``batches`` and ``proofs`` what each instruction demands and does, ``invariants`` what always holds.

The machine: ``cast`` who takes part, ``world`` the chain beside the ledger, ``play`` one instruction, ``scene`` how
random bytes are read as choices, ``staking``, ``asking`` and ``batching`` what anybody may do, ``machine`` a sequence
of it, ``campaign`` many sequences, ``bugs`` what must be noticed.
"""
