"""Measurements: our kernels and proofs beside the peers a caller names, and beside the limit of this machine."""
