"""Fields: the laws, the integers as oracle, Montgomery form, and what is refused."""

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_elements, encode_elements
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Field
from tests.kernels import laws


def limbs_of(field: Field, value: int) -> np.ndarray:
    words = [(value >> (64 * i)) & (2**64 - 1) for i in range(field.limbs)]
    return np.array([words], dtype=np.uint64)


def test_laws(field: Field, backend: Backend) -> None:
    laws.assert_field_laws(field, backend)


def test_operations_match_integers(field: Field, backend: Backend) -> None:
    laws.assert_matches_integers(field, backend)


def test_p_minus_one_is_accepted_and_p_refused(field: Field, backend: Backend) -> None:
    p = field.modulus
    one = encode_elements(field, [1])
    # p - 1 is the largest canonical value: one more has two representations, and proofs would be malleable
    assert decode_elements(backend.field(field, "add", limbs_of(field, p - 1), one)) == [0]
    for value in (p, p + 1, 2 ** (64 * field.limbs) - 1):
        with pytest.raises(MalformedInput):
            backend.field(field, "neg", limbs_of(field, value))
        with pytest.raises(MalformedInput):
            backend.field(field, "mul", one, limbs_of(field, value))
        with pytest.raises(MalformedInput):
            backend.to_mont(field, limbs_of(field, value))
        with pytest.raises(MalformedInput):
            backend.from_mont(field, limbs_of(field, value))


def test_montgomery_form_is_multiplication_by_the_radix(field: Field, backend: Backend) -> None:
    numbers = laws.sample(field, 64)
    values = encode_elements(field, numbers)
    values_mont = backend.to_mont(field, values)
    assert decode_elements(values_mont) == [x * 2 ** (64 * field.limbs) % field.modulus for x in numbers]
    assert (backend.from_mont(field, values_mont) == values).all()


def test_empty_arrays_are_empty(field: Field, backend: Backend) -> None:
    empty = encode_elements(field, [])
    assert backend.field(field, "mul", empty, empty).shape == (0, field.limbs)
    assert backend.field(field, "inv", empty).shape == (0, field.limbs)
    assert backend.to_mont(field, empty).shape == (0, field.limbs)


def test_operands_are_left_alone(field: Field, backend: Backend) -> None:
    a = encode_elements(field, laws.sample(field, 8))
    before = a.copy()
    backend.field(field, "inv", a)
    backend.to_mont(field, a)
    assert (a == before).all()


def test_non_contiguous_operands_are_read_as_they_look(field: Field, backend: Backend) -> None:
    a = encode_elements(field, laws.sample(field, 32))
    assert (backend.field(field, "square", a[::2]) == backend.field(field, "square", a)[::2]).all()


def test_wrong_shapes_and_operands_are_refused(field: Field, backend: Backend) -> None:
    a = encode_elements(field, [1, 2])
    for wrong in (a[0], a[:, :-1], a.astype(np.int64), a[None]):
        with pytest.raises(MalformedInput):
            backend.field(field, "neg", wrong)
    with pytest.raises(MalformedInput):
        backend.field(field, "add", a)
    with pytest.raises(MalformedInput):
        backend.field(field, "add", a, a[:1])
    with pytest.raises(MalformedInput):
        backend.field(field, "neg", a, a)
    with pytest.raises(MalformedInput):
        backend.field(field, "divide", a, a)  # type: ignore[arg-type]
