"""The ledger of ADR 5 in Python, and a machine that plays random instructions against it and the real program.

``records`` what accounts hold · ``ledger`` all accounts and the demands of an instruction · ``stakes``, ``governance``,
``requests``, ``batches`` what each instruction demands and does · ``invariants`` what always holds · ``world`` the chain
beside the ledger · ``cast`` who takes part · ``plays`` what they may do · ``machine`` one sequence · ``__main__`` the long run.
"""
