"""The number-theoretic transform over shift * <w>, in natural order."""

from collections.abc import Sequence
from typing import cast

import galois
import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import Field
from proofgrid.kernels.reference.fields import element, galois_field, integers


def transform(field: Field, values: Sequence[int], shift: int, *, inverse: bool) -> list[int]:
    """Coefficients to values at shift * w^i (forward), or back; n is a power of two up to 2^two_adicity."""
    n = len(values)
    log_n = n.bit_length() - 1
    if n != 1 << max(log_n, 0) or log_n > field.two_adicity:
        raise MalformedInput(f"ntt over {field.name}: length {n} is not one of 2^0..2^{field.two_adicity}")
    if not 0 < shift < field.modulus:
        raise MalformedInput(f"ntt: the shift must lie in [1, {field.name}'s modulus)")
    root = field.root_of_unity(log_n)
    array = galois_field(field)(list(values))
    if not inverse:
        return integers(_dft(field, array * _powers(field, shift, n), root))
    unscaled = _dft(field, array, pow(root, -1, field.modulus)) * element(field, pow(n, -1, field.modulus))
    return integers(unscaled * _powers(field, pow(shift, -1, field.modulus), n))


def naive_dft(field: Field, values: Sequence[int], shift: int = 1) -> list[int]:
    """The definition, on integers: sum over j of values[j] * (shift * w^i)^j. Cost: n^2."""
    p, root = field.modulus, field.root_of_unity(len(values).bit_length() - 1)
    points = [shift * pow(root, i, p) % p for i in range(len(values))]
    return [evaluate(field, values, point) for point in points]


def evaluate(field: Field, coefficients: Sequence[int], point: int) -> int:
    """The polynomial's value by Horner's rule."""
    result = 0
    for coefficient in reversed(coefficients):
        result = (result * point + coefficient) % field.modulus
    return result


def _dft(field: Field, values: galois.FieldArray, root: int) -> galois.FieldArray:
    return cast(
        galois.FieldArray, _columns_dft(field, cast(galois.FieldArray, values.reshape(-1, 1)), root).reshape(-1)
    )


def _columns_dft(field: Field, columns: galois.FieldArray, root: int) -> galois.FieldArray:
    """Each column's DFT by Cooley and Tukey: f(x) = even(x^2) + x * odd(x^2), and w^(n/2) = -1."""
    n, width = columns.shape
    if n == 1:
        return columns
    halves = np.concatenate([columns[0::2], columns[1::2]], axis=1).view(galois_field(field))
    transformed = _columns_dft(field, halves, root * root % field.modulus)
    even = transformed[:, :width]
    odd = transformed[:, width:] * _powers(field, root, n // 2).reshape(-1, 1)
    return np.concatenate([even + odd, even - odd]).view(galois_field(field))


def _powers(field: Field, base: int, count: int) -> galois.FieldArray:
    powers = [1] * count
    for i in range(1, count):
        powers[i] = powers[i - 1] * base % field.modulus
    return galois_field(field)(powers)
