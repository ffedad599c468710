"""Groth16's quotient as snarkjs computes it (``groth16_prove.js``: buildABC1, joinABC), on plain integers."""

from collections.abc import Sequence
from typing import NamedTuple

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import Field
from proofgrid.kernels.reference.ntt import transform


class Entry(NamedTuple):
    """A non-zero entry of A (matrix 0) or B (matrix 1); ``value`` is v * R^2 mod r."""

    matrix: int
    constraint: int
    signal: int
    value: int


def quotient(field: Field, entries: Sequence[Entry], witness: Sequence[int], log_n: int) -> list[int]:
    """(A w)(B w) - C w at the odd 2^(log_n + 1)-th roots of unity, C w being (A w) o (B w) on the domain."""
    if not 0 <= log_n < field.two_adicity:
        raise MalformedInput(f"quotient over {field.name}: log_n is {log_n}, expected 0..{field.two_adicity - 1}")
    p, n = field.modulus, 1 << log_n
    a, b = products(field, entries, witness, n)
    c = [x * y % p for x, y in zip(a, b, strict=True)]
    shift = field.root_of_unity(log_n + 1)
    a, b, c = (
        transform(field, transform(field, column, 1, inverse=True), shift, inverse=False) for column in (a, b, c)
    )
    return [(x * y - z) % p for x, y, z in zip(a, b, c, strict=True)]


def products(field: Field, entries: Sequence[Entry], witness: Sequence[int], n: int) -> tuple[list[int], list[int]]:
    """A w and B w, the rows beyond the last constraint being zero."""
    p = field.modulus
    unscale = pow(field.montgomery_radix, -2, p)
    rows = ([0] * n, [0] * n)
    for index, entry in enumerate(entries):
        if entry.matrix > 1 or entry.constraint >= n or entry.signal >= len(witness):
            raise MalformedInput(
                f"coefficient {index}: matrix {entry.matrix}, constraint {entry.constraint}, signal {entry.signal}; "
                f"expected below 2, {n} and {len(witness)}"
            )
        row = rows[entry.matrix]
        row[entry.constraint] = (row[entry.constraint] + entry.value * unscale * witness[entry.signal]) % p
    return rows
