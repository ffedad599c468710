"""NTT: the naive DFT on integers as oracle for small n, evaluation at one point for large n, and the round trip."""

import random

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_elements, encode_elements
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Field
from proofgrid.kernels.reference.ntt import evaluate, naive_dft
from tests.kernels import backends, laws


def shifts(field: Field) -> tuple[int, ...]:
    return (1, field.non_residue, field.root_of_unity(5), field.modulus - 1, random.Random(1).randrange(field.modulus))


@pytest.mark.parametrize("log_n", range(7))
def test_small_domains_match_the_definition(scalar_field: Field, backend: Backend, log_n: int) -> None:
    numbers = laws.sample(scalar_field, 1 << log_n, seed=log_n)
    values = encode_elements(scalar_field, numbers)
    for shift in shifts(scalar_field):
        transformed = backend.ntt(scalar_field, values, shift=shift)
        assert decode_elements(transformed) == naive_dft(scalar_field, numbers, shift)
        assert (backend.ntt(scalar_field, transformed, shift=shift, inverse=True) == values).all()


@pytest.mark.parametrize("log_n", range(6, 17))
def test_a_transform_is_the_same_the_second_time(scalar_field: Field, native: Backend, log_n: int) -> None:
    """What one transform keeps for the next of its size must serve it."""
    values = encode_elements(scalar_field, laws.sample(scalar_field, 1 << log_n, seed=log_n))
    expected = [
        backends.named("native-portable").ntt(scalar_field, values, inverse=inverse) for inverse in (False, True)
    ]
    for _ in range(3):
        for inverse in (False, True):
            assert (native.ntt(scalar_field, values, inverse=inverse) == expected[inverse]).all()


def test_transforms_of_several_sizes_take_turns(scalar_field: Field, native: Backend) -> None:
    """What is kept belongs to one size, direction and shift; another's transform between two must not find it."""
    portable = backends.named("native-portable")
    for log_n, inverse, shift, threads in [
        (12, False, 1, 1), (9, False, 1, 2), (12, False, 1, 2), (12, True, 1, 1), (12, False, 7, 1), (12, True, 1, 2),
        (13, True, 1, 1), (12, True, 7, 1), (12, False, 1, 1), (13, True, 1, 2), (9, False, 1, 1), (9, True, 1, 1),
    ]:  # fmt: skip
        values = encode_elements(scalar_field, laws.sample(scalar_field, 1 << log_n, seed=log_n))
        ours = native.ntt(scalar_field, values, inverse=inverse, shift=shift, control=Control(threads=threads))
        expected = portable.ntt(scalar_field, values, inverse=inverse, shift=shift)
        assert (ours == expected).all(), (log_n, inverse, shift, threads)


@pytest.mark.parametrize("log_n", [0, 1, 3, 6, 7, 10, 11])
@pytest.mark.parametrize("inverse", [False, True])
def test_the_result_may_take_its_values_place(scalar_field: Field, backend: Backend, log_n: int, inverse: bool) -> None:
    n = 1 << log_n
    values = encode_elements(scalar_field, laws.sample(scalar_field, n, seed=log_n))
    for shift in (1, 7):
        expected = backend.ntt(scalar_field, values, inverse=inverse, shift=shift)
        for offset in (0, 1, n // 2):  # in place, and over a part of it
            memory = np.zeros((n + offset, scalar_field.limbs), np.uint64)
            memory[:n] = values
            out = memory[offset:]
            given = backend.ntt(scalar_field, memory[:n], inverse=inverse, shift=shift, out=out)
            assert given is out
            assert (out == expected).all(), (shift, offset)


@pytest.mark.parametrize("log_n", [1, 6, 9])
def test_refused_values_keep_their_place(scalar_field: Field, backend: Backend, log_n: int) -> None:
    values = encode_elements(scalar_field, laws.sample(scalar_field, 1 << log_n, seed=log_n))
    values[-1] = [2**64 - 1] * scalar_field.limbs
    before = values.copy()
    with pytest.raises(MalformedInput):
        backend.ntt(scalar_field, values, out=values)
    assert (values == before).all()


def test_outputs_that_cannot_take_the_result_are_refused(scalar_field: Field, backend: Backend) -> None:
    values = encode_elements(scalar_field, laws.sample(scalar_field, 8, seed=1))
    limbs = scalar_field.limbs
    read_only = np.zeros((8, limbs), np.uint64)
    read_only.flags.writeable = False
    misaligned = np.zeros(8 * limbs * 8 + 4, np.uint8)[4:].view(np.uint64).reshape(8, limbs)
    for out in (
        np.zeros((4, limbs), np.uint64),
        np.zeros((8, limbs), np.int64),
        np.zeros((16, limbs), np.uint64)[::2],
        read_only,
        misaligned,
        [[0] * limbs] * 8,
    ):
        with pytest.raises(MalformedInput, match="out"):
            backend.ntt(scalar_field, values, out=out)  # type: ignore[arg-type]


@pytest.mark.parametrize("log_n", range(17))
def test_domains_up_to_2_16(scalar_field: Field, native: Backend, log_n: int) -> None:
    n, p = 1 << log_n, scalar_field.modulus
    generator = random.Random(log_n)
    numbers = [generator.randrange(p) for _ in range(n)]
    values = encode_elements(scalar_field, numbers)
    shift = generator.randrange(1, p)
    transformed = native.ntt(scalar_field, values, shift=shift)
    for index in {0, n - 1, generator.randrange(n)}:
        point = shift * pow(scalar_field.root_of_unity(log_n), index, p) % p
        assert decode_elements(transformed[index : index + 1]) == [evaluate(scalar_field, numbers, point)]
    assert (native.ntt(scalar_field, transformed, shift=shift, inverse=True) == values).all()


@pytest.mark.parametrize("log_n", [1, 10, 13])
def test_native_matches_reference(scalar_field: Field, native: Backend, reference: Backend, log_n: int) -> None:
    generator = random.Random(log_n)
    values = encode_elements(scalar_field, [generator.randrange(scalar_field.modulus) for _ in range(1 << log_n)])
    for inverse in (False, True):
        ours = native.ntt(scalar_field, values, inverse=inverse, shift=7)
        assert (ours == reference.ntt(scalar_field, values, inverse=inverse, shift=7)).all()


@pytest.mark.parametrize("log_n", [5, 6, 7, 12, 13, 14, 15, 17, 18])
@pytest.mark.parametrize("pattern", ["random", "largest", "alternating", "one"])
def test_layers_agree_around_every_change_of_algorithm(
    scalar_field: Field, native: Backend, log_n: int, pattern: str
) -> None:
    """From 2^6 on the ifma layer takes eight elements at a time; odd, even and long halves start and end differently.

    The largest values reach the bounds that a VERIFY build checks; 2^18 with a shift once overflowed a limb.
    """
    n, p = 1 << log_n, scalar_field.modulus
    largest, zero = encode_elements(scalar_field, [p - 1, 0])
    values = np.zeros((n, 4), dtype=np.uint64)
    if pattern == "random":
        values[:] = np.random.default_rng(log_n).integers(0, 2**64, size=(n, 4), dtype=np.uint64)
        values[:, 3] >>= np.uint64(3)  # below 2^253
    elif pattern == "largest":
        values[:] = largest
    elif pattern == "alternating":
        values[::2], values[1::2] = zero, largest
    else:
        values[n - 1] = largest
    portable = backends.named("native-portable")
    for shift in (1, 7):
        for inverse in (False, True):
            ours = native.ntt(scalar_field, values, inverse=inverse, shift=shift)
            assert (ours == portable.ntt(scalar_field, values, inverse=inverse, shift=shift)).all(), (shift, inverse)


@pytest.mark.parametrize("log_n", [6, 9])
def test_any_element_that_is_not_below_the_modulus_is_named(scalar_field: Field, native: Backend, log_n: int) -> None:
    values = encode_elements(scalar_field, laws.sample(scalar_field, 1 << log_n, seed=1))
    for index in (0, 1, (1 << log_n) // 2 + 3, (1 << log_n) - 1):
        wrong = values.copy()
        wrong[index] = np.iinfo(np.uint64).max
        with pytest.raises(MalformedInput, match=f"element {index} "):
            native.ntt(scalar_field, wrong)


def test_the_smallest_and_the_widest_domains_of_a_base_field(field: Field, backend: Backend) -> None:
    """A base field has two-adicity 1: n = 2 is its largest domain, n = 4 is refused."""
    numbers = [1, field.modulus - 1]
    values = encode_elements(field, numbers)
    assert decode_elements(backend.ntt(field, values, shift=3)) == naive_dft(field, numbers, 3)
    if field.two_adicity == 1:
        with pytest.raises(MalformedInput):
            backend.ntt(field, np.concatenate([values, values]))


@pytest.mark.parametrize("log_n", [0, 6, 17])
def test_new_elements_lie_on_whole_cache_lines(scalar_field: Field, native: Backend, log_n: int) -> None:
    out = native.ntt(scalar_field, np.zeros((1 << log_n, 4), dtype=np.uint64))
    assert out.ctypes.data % 64 == 0
    assert out.flags.c_contiguous
    assert out.flags.writeable
    assert not out.any()


def test_values_are_left_alone(scalar_field: Field, backend: Backend) -> None:
    values = encode_elements(scalar_field, [1, 2, 3, 4])
    before = values.copy()
    backend.ntt(scalar_field, values, shift=5)
    assert (values == before).all()


def test_malformed_operands_are_refused(scalar_field: Field, backend: Backend) -> None:
    values = encode_elements(scalar_field, [1, 2, 3, 4])
    for count in (0, 3):
        with pytest.raises(MalformedInput):
            backend.ntt(scalar_field, values[:count])
    for shift in (0, scalar_field.modulus, -1):
        with pytest.raises(MalformedInput):
            backend.ntt(scalar_field, values, shift=shift)
    modulus = np.array([[(scalar_field.modulus >> (64 * i)) & (2**64 - 1) for i in range(4)]], dtype=np.uint64)
    with pytest.raises(MalformedInput):
        backend.ntt(scalar_field, modulus)
    with pytest.raises(MalformedInput):
        backend.ntt(scalar_field, values[0])
