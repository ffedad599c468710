"""Capacity challenges as a prover meets them: what is computed, from which seed, in which bytes. See docs/admission.md."""
