"""Field arithmetic by galois; lists of canonical integers in and out."""

from collections.abc import Callable, Sequence
from functools import cache

import galois
import numpy as np

from proofgrid.kernels.curves import Field

Numbers = Sequence[int]


@cache
def galois_field(field: Field) -> type[galois.FieldArray]:
    """galois' array class of ``field``.

    The non-residue stands in for a primitive element: galois uses it for logarithms only, and finding a true one
    would mean factoring p - 1.
    """
    return galois.GF(field.modulus, primitive_element=field.non_residue, verify=False)


def integers(array: galois.FieldArray) -> list[int]:
    """The canonical representatives."""
    return [int(value) for value in np.asarray(array)]


def element(field: Field, value: int) -> galois.FieldArray:
    """One element, to be multiplied with arrays."""
    return galois_field(field)(value % field.modulus)


def scaled(field: Field, a: Numbers, factor: int) -> list[int]:
    """a[i] * factor."""
    return integers(galois_field(field)(list(a)) * element(field, factor)) if a else []


def _inverse(field: Field, a: Numbers) -> list[int]:
    array = galois_field(field)(list(a))
    nonzero = np.flatnonzero(np.asarray(array))
    array[nonzero] = array[nonzero] ** -1  # what is left is 0, and inv(0) = 0
    return integers(array)


def _binary(op: Callable[[galois.FieldArray, galois.FieldArray], galois.FieldArray]) -> "Binary":
    def apply(field: Field, a: Numbers, b: Numbers) -> list[int]:
        gf = galois_field(field)
        return integers(op(gf(list(a)), gf(list(b)))) if a else []

    return apply


def _unary(op: Callable[[galois.FieldArray], galois.FieldArray]) -> "Unary":
    def apply(field: Field, a: Numbers) -> list[int]:
        return integers(op(galois_field(field)(list(a)))) if a else []

    return apply


Binary = Callable[[Field, Numbers, Numbers], list[int]]
Unary = Callable[[Field, Numbers], list[int]]

BINARY: dict[str, Binary] = {
    "add": _binary(lambda a, b: a + b),
    "sub": _binary(lambda a, b: a - b),
    "mul": _binary(lambda a, b: a * b),
}
UNARY: dict[str, Unary] = {
    "neg": _unary(lambda a: -a),
    "square": _unary(lambda a: a * a),
    "inv": lambda field, a: _inverse(field, a) if a else [],
}
OPERATIONS = (*BINARY, *UNARY)
