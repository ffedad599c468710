"""Pairings: bilinear, not degenerate, equal to the reference and to published values, coefficient by coefficient."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Curve, Group
from tests.kernels import backends, plain

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "pairing_generators.json").read_text())


def multiples(group: Group, backend: Backend, scalars: list[int]) -> Array:
    base = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    return backend.scale(group, base, encode_elements(group.scalar, [scalar % group.curve.r for scalar in scalars]))


def one(curve: Curve) -> list[int]:
    return [1] + [0] * 11


def product(curve: Curve, backend: Backend, pairs: list[tuple[int, int]]) -> list[int]:
    """prod e(i G1, j G2) over the pairs (i, j)."""
    g1 = multiples(curve.g1, backend, [i for i, _ in pairs])
    g2 = multiples(curve.g2, backend, [j for _, j in pairs])
    return decode_elements(backend.pairing_product(curve, g1, g2))


def test_generators_give_the_published_value(curve: Curve, backend: Backend) -> None:
    assert product(curve, backend, [(1, 1)]) == [int(value, 16) for value in VECTORS[curve.name]]


def test_bilinear(curve: Curve, native: Backend) -> None:
    generator = random.Random(curve.name)
    a, b, c = (generator.randrange(curve.r) for _ in range(3))
    expected = product(curve, native, [(a * b, 1)])
    assert product(curve, native, [(a, b)]) == expected
    assert product(curve, native, [(b, a)]) == expected
    assert product(curve, native, [(1, a * b)]) == expected
    assert product(curve, native, [(a, c), (a, b - c)]) == expected
    assert product(curve, native, [(c, b), (a - c, b)]) == expected
    assert expected != product(curve, native, [(a * b + 1, 1)])


def test_not_degenerate_and_of_order_r(curve: Curve, native: Backend) -> None:
    assert product(curve, native, [(1, 1)]) != one(curve)
    assert product(curve, native, [(1, 1), (-1, 1)]) == one(curve)
    assert product(curve, native, [(1, 1), (1, -1)]) == one(curve)
    assert product(curve, native, [(1, 1), (curve.r - 1, 1)]) == one(curve)
    assert product(curve, native, [(2, 3), (-1, 6)]) == one(curve)
    assert product(curve, native, [(2, 3), (-1, 5)]) != one(curve)


def test_infinity_counts_as_one(curve: Curve, backend: Backend) -> None:
    assert product(curve, backend, []) == one(curve)
    assert product(curve, backend, [(0, 1), (1, 0), (0, 0)]) == one(curve)


def test_infinity_among_other_pairs(curve: Curve, native: Backend) -> None:
    expected = product(curve, native, [(2, 3)])
    for pairs in ([(0, 5), (2, 3)], [(2, 3), (5, 0)], [(0, 0), (2, 3), (0, 1)]):
        assert product(curve, native, pairs) == expected


def test_the_order_of_pairs_is_free(curve: Curve, native: Backend) -> None:
    pairs = [(2, 3), (5, 7), (11, 13)]
    assert product(curve, native, pairs) == product(curve, native, pairs[::-1]) == product(curve, native, [(184, 1)])


def test_equal_pairs(curve: Curve, native: Backend) -> None:
    assert product(curve, native, [(1, 1)] * 20) == product(curve, native, [(4, 5)])


@pytest.mark.parametrize("count", range(1, 21))
def test_many_pairs_multiply(curve: Curve, native: Backend, count: int) -> None:
    """Every way from one pair to more than two vectors of eight; infinity on either side, equal and opposite pairs."""
    generator = random.Random(count)
    pairs = [(generator.randrange(curve.r), generator.randrange(curve.r)) for _ in range(count)]
    if count > 3:
        pairs[0], pairs[-2] = (0, pairs[0][1]), (pairs[-2][0], 0)
        pairs[-1] = (-pairs[1][0], pairs[1][1])
    expected = product(curve, native, [(sum(a * b for a, b in pairs), 1)])
    assert product(curve, native, pairs) == expected


def test_many_pairs_at_infinity_count_as_one(curve: Curve, native: Backend) -> None:
    assert product(curve, native, [(0, 1)] * 9 + [(1, 0)] * 9) == one(curve)
    assert product(curve, native, [(0, 1)] * 9 + [(2, 3)]) == product(curve, native, [(6, 1)])


def test_a_thousand_pairs(curve: Curve) -> None:
    native = backends.named("native-ifma")
    generator = random.Random(1000)
    pairs = [(generator.randrange(curve.r), generator.randrange(curve.r)) for _ in range(1000)]
    assert product(curve, native, pairs) == product(curve, native, [(1, sum(a * b for a, b in pairs))])


def test_a_coordinate_from_q_on_is_refused_anywhere_among_many(curve: Curve, native: Backend) -> None:
    for place in (0, 7, 8, 18):
        g1, g2 = multiples(curve.g1, native, [1] * 19), multiples(curve.g2, native, [1] * 19)
        points = (g1, g2)[place % 2]
        points.reshape(19, -1)[place, -1] = 2**64 - 1
        with pytest.raises(MalformedInput, match=f"point {place} "):
            native.pairing_product(curve, g1, g2)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_native_matches_reference(curve: Curve, native: Backend, reference: Backend, count: int) -> None:
    generator = random.Random(count)
    g1, g2 = (
        multiples(group, native, [generator.randrange(curve.r) for _ in range(count)]) for group in (curve.g1, curve.g2)
    )
    ours, theirs = native.pairing_product(curve, g1, g2), reference.pairing_product(curve, g1, g2)
    assert decode_elements(ours) == decode_elements(theirs)


def test_malformed_operands_are_refused(curve: Curve, backend: Backend) -> None:
    g1, g2 = multiples(curve.g1, backend, [1, 2]), multiples(curve.g2, backend, [1, 2])
    too_large = g1.copy()
    too_large[0, 0] = [(curve.q >> (64 * i)) & (2**64 - 1) for i in range(curve.Fq.limbs)]
    for wrong1, wrong2 in ((g1[:1], g2), (g1, g2[:1]), (g2, g1), (g1[0], g2[0]), (g1.astype(np.int64), g2)):
        with pytest.raises(MalformedInput):
            backend.pairing_product(curve, wrong1, wrong2)
    with pytest.raises(MalformedInput):
        backend.pairing_product(curve, too_large, g2)


def test_the_draft_and_the_libraries_differ_by_the_exponent_three() -> None:
    """draft-irtf-cfrg-pairing-friendly-curves-11 has exponent (q^12 - 1) / r; ours and most libraries' is thrice it."""
    from py_ecc.optimized_bls12_381 import FQ12, field_modulus

    def from_tower(tower: list[int]) -> FQ12:
        coefficients = [0] * 12
        for w in range(2):
            for v in range(3):
                a, b = tower[6 * w + 2 * v], tower[6 * w + 2 * v + 1]
                coefficients[2 * v + w] = (a - b) % field_modulus  # u = w^6 - 1
                coefficients[2 * v + w + 6] = b
        return FQ12(coefficients)

    draft, ours = (from_tower([int(x, 16) for x in VECTORS[key]]) for key in ("bls12_381_draft", "bls12_381"))
    assert draft * draft * draft == ours
