"""Capacity challenges as a prover meets them: what is computed, from what, in which bytes."""
