"""Groth16 (eprint 2016/260) over circom's formats: development setup, proving, keys."""
