"""The files of tests/vectors/circom; their origin is in its SOURCES.md."""

from pathlib import Path

ROOT = Path(__file__).parents[1] / "vectors" / "circom"
CURVES = ("bn254", "bls12_381")


def path(name: str) -> Path:
    return ROOT / name


def read(name: str) -> bytes:
    return path(name).read_bytes()
