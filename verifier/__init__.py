"""Checking: keys, Groth16 proofs, batches of them, Merkle receipts.

Imports numpy, pydantic (receipts only) and the kernels' seam; nothing of the network. ``verify`` raises.
"""
