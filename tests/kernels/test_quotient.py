"""Groth16's quotient: the definition by naive interpolation as oracle, then the backends against the reference."""

import random

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_elements, encode_elements
from proofgrid.kernels.backend import COEFFICIENT, Backend
from proofgrid.kernels.curves import BLS12_381, BN254, Field
from proofgrid.kernels.reference.ntt import evaluate
from tests.kernels import backends

Entries = list[tuple[int, int, int, int]]  # matrix, constraint, signal, the plain value v


def records(field: Field, entries: Entries) -> np.ndarray:
    """As they lie in a zkey: v * R^2."""
    array = np.zeros(len(entries), dtype=COEFFICIENT)
    for i, (matrix, constraint, signal, value) in enumerate(entries):
        stored = value * pow(field.montgomery_radix, 2, field.modulus) % field.modulus
        array[i] = (matrix, constraint, signal, encode_elements(field, [stored])[0])
    return array


def random_entries(field: Field, n: int, signals: int, seed: int) -> tuple[Entries, list[int]]:
    generator = random.Random(seed)
    special = [0, 1, field.modulus - 1]
    witness = [1] + [generator.choice([*special, generator.randrange(field.modulus)]) for _ in range(signals - 1)]
    entries = [
        (
            generator.randrange(2),
            generator.randrange(n),
            generator.randrange(signals),
            generator.randrange(field.modulus),
        )
        for _ in range(3 * n)
    ]
    return entries, witness


def by_definition(field: Field, entries: Entries, witness: list[int], log_n: int) -> list[int]:
    """Interpolate A w, B w and their products by the naive inverse DFT, evaluate each at every odd root."""
    p, n = field.modulus, 1 << log_n
    columns = [[0] * n, [0] * n]
    for matrix, constraint, signal, value in entries:
        columns[matrix][constraint] = (columns[matrix][constraint] + value * witness[signal]) % p
    columns.append([x * y % p for x, y in zip(*columns, strict=True)])
    root, odd_root = field.root_of_unity(log_n), field.root_of_unity(log_n + 1)
    n_inverse = pow(n, -1, p)
    a, b, c = (
        [sum(v * pow(root, -i * j, p) for i, v in enumerate(column)) * n_inverse % p for j in range(n)]
        for column in columns
    )
    points = [pow(odd_root, 2 * i + 1, p) for i in range(n)]
    return [(evaluate(field, a, x) * evaluate(field, b, x) - evaluate(field, c, x)) % p for x in points]


@pytest.mark.parametrize("log_n", range(6))
def test_small_quotients_match_the_definition(scalar_field: Field, backend: Backend, log_n: int) -> None:
    entries, witness = random_entries(scalar_field, 1 << log_n, 7, seed=log_n)
    result = backend.quotient(
        scalar_field, records(scalar_field, entries), encode_elements(scalar_field, witness), log_n
    )
    assert decode_elements(result) == by_definition(scalar_field, entries, witness, log_n)


@pytest.mark.parametrize("log_n", [7, 10])
def test_native_matches_reference(scalar_field: Field, native: Backend, reference: Backend, log_n: int) -> None:
    entries, numbers = random_entries(scalar_field, 1 << log_n, 1 << log_n, seed=log_n)
    coefficients, witness = records(scalar_field, entries), encode_elements(scalar_field, numbers)
    ours = native.quotient(scalar_field, coefficients, witness, log_n)
    assert (ours == reference.quotient(scalar_field, coefficients, witness, log_n)).all()


def many_records(field: Field, n: int, order: str, seed: int) -> np.ndarray:
    """Two records a row and matrix, values 1, -1 and random ones, as a .zkey lists them or not."""
    generator = np.random.default_rng(seed)
    one, minus_one = (field.montgomery_radix**2 % field.modulus * sign % field.modulus for sign in (1, -1))
    array = np.zeros(4 * n, dtype=COEFFICIENT)
    array["matrix"], array["constraint"] = np.tile([0, 0, 1, 1], n), np.repeat(np.arange(n), 4)
    array["signal"] = generator.integers(0, n, 4 * n)
    array["value"] = generator.integers(0, 2**61, (4 * n, 4), dtype=np.uint64)
    kinds = generator.integers(0, 3, 4 * n)
    array["value"][kinds == 0], array["value"][kinds == 1] = encode_elements(field, [one, minus_one])
    if order == "shuffled":
        generator.shuffle(array)
    elif order == "backwards":
        array = array[::-1].copy()
    elif order == "one row":
        array["constraint"] = n // 2
    elif order == "gaps":
        array = array[(array["constraint"] % 7 == 3) | (array["constraint"] > n - n // 4)].copy()
    return array


@pytest.mark.parametrize("order", ["sorted", "shuffled", "backwards", "one row", "gaps"])
@pytest.mark.parametrize("log_n", [5, 6, 7, 12, 13, 15])
def test_layers_agree_on_any_order_of_records(scalar_field: Field, native: Backend, log_n: int, order: str) -> None:
    n = 1 << log_n
    coefficients = many_records(scalar_field, n, order, seed=log_n)
    witness = np.random.default_rng(log_n).integers(0, 2**61, (n, 4), dtype=np.uint64)
    witness[: n // 2 : 2] = 0
    witness[1 : n // 2 : 2] = encode_elements(scalar_field, [scalar_field.modulus - 1])
    expected = backends.named("native-portable").quotient(scalar_field, coefficients, witness, log_n)
    for _ in range(2):
        assert (native.quotient(scalar_field, coefficients, witness, log_n) == expected).all()


def test_no_coefficients_give_zeros(scalar_field: Field, backend: Backend) -> None:
    result = backend.quotient(scalar_field, records(scalar_field, []), encode_elements(scalar_field, [1]), 3)
    assert result.shape == (8, 4)
    assert not result.any()


def test_one_row_may_hold_all_coefficients(scalar_field: Field, backend: Backend) -> None:
    entries = [(matrix, 2, signal, 5) for matrix in (0, 1) for signal in range(4) for _ in range(10)]
    result = backend.quotient(
        scalar_field, records(scalar_field, entries), encode_elements(scalar_field, [1, 2, 3, 4]), 2
    )
    assert decode_elements(result) == by_definition(scalar_field, entries, [1, 2, 3, 4], 2)


@pytest.mark.parametrize(
    "entry",
    [(2, 0, 0, 1), (0, 4, 0, 1), (1, 0, 3, 1), (2**32 - 1, 0, 0, 1), (0, 2**32 - 1, 0, 1), (0, 0, 2**32 - 1, 1)],
)
def test_an_entry_outside_the_matrices_is_refused(backend: Backend, entry: tuple[int, int, int, int]) -> None:
    witness = encode_elements(BN254.Fr, [1, 2, 3])
    with pytest.raises(MalformedInput):
        backend.quotient(BN254.Fr, records(BN254.Fr, [(0, 0, 0, 1), entry]), witness, 2)
    for inside in ((1, 3, 2, 1), (0, 0, 0, 1)):
        backend.quotient(BN254.Fr, records(BN254.Fr, [inside]), witness, 2)


def test_malformed_operands_are_refused(scalar_field: Field, backend: Backend) -> None:
    p = scalar_field.modulus
    coefficients, witness = records(scalar_field, [(0, 0, 1, 1)]), encode_elements(scalar_field, [1, 2])
    modulus = [(p >> (64 * i)) & (2**64 - 1) for i in range(4)]
    large_value, large_signal = coefficients.copy(), witness.copy()
    large_value["value"][0] = modulus
    large_signal[1] = modulus
    cases = [
        (large_value, witness, 2),
        (coefficients, large_signal, 2),
        (coefficients, witness[0], 2),
        (coefficients, witness, -1),
        (coefficients, witness, scalar_field.two_adicity),  # no root of order 2^(s + 1)
        (witness, witness, 2),
    ]
    for wrong in cases:
        with pytest.raises(MalformedInput):
            backend.quotient(scalar_field, *wrong)


def test_records_are_packed_as_in_a_zkey() -> None:
    assert COEFFICIENT.itemsize == 44
    assert BLS12_381.Fr.limbs == BN254.Fr.limbs == 4
