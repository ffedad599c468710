"""The market: which prover gets a request, and at what price. The rules and their reasons are in docs/market.md.

``pricing``, ``candidates``, ``eligibility``, ``matching`` and ``index`` are pure functions over snapshots; the others
read and write the database around them.
"""
