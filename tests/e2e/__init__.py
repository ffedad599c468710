"""The whole network as its users run it: real Redis, real worker processes, real proofs, a real chain."""
