"""Groups: the laws, the plain oracle, and which points are refused."""

from functools import cache
from math import gcd, prod

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_points, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import CURVES, Curve, Group
from tests.kernels import laws, plain

# Small prime factors of the groups' orders divided by r: points of these orders are the likeliest to slip through
# a subgroup check by endomorphism.
SMALL_FACTORS = {
    ("bn254", "g1"): (),
    ("bn254", "g2"): (10069, 5864401),
    ("bls12_381", "g1"): (3, 11, 10177, 859267, 52437899),
    ("bls12_381", "g2"): (13, 23, 2713, 11953, 262069),
}


@cache
def points_outside_the_subgroup(group: Group) -> list[plain.Point]:
    """On the curve: one of each small order, one of the whole cofactor's order, and such a one plus the generator."""
    curve = group.curve
    order = plain.curve_order(curve, group)
    if order == curve.r:
        return []
    found = [plain.multiply(plain.any_point(curve, group), curve.r)]
    found += [point_of_order(group, factor) for factor in SMALL_FACTORS[curve.name, group.name]]
    assert None not in found
    return found + [plain.add(point, plain.generator(curve, group)) for point in found]


def point_of_order(group: Group, factor: int) -> plain.Point:
    """A point whose order is the prime ``factor``; the group's part of that order need not be cyclic."""
    prime_to_factor = plain.curve_order(group.curve, group)
    while prime_to_factor % factor == 0:
        prime_to_factor //= factor
    for start in range(1, 20):
        point = plain.multiply(plain.any_point(group.curve, group, start), prime_to_factor)
        while (multiple := plain.multiply(point, factor)) is not None:
            point = multiple
        if point is not None:
            return point
    raise AssertionError(f"no point of order {factor} among the first")


def test_laws(group: Group, backend: Backend) -> None:
    laws.assert_group_laws(group, backend)


def test_scale_and_add_match_plain_integers(group: Group, backend: Backend) -> None:
    generator = plain.generator(group.curve, group)
    scalars = [0, 1, 2, 5, 2**64, group.curve.r - 1]
    multiples = [plain.multiply(generator, scalar) for scalar in scalars]
    base = encode_points(group, [plain.lower(group, generator)])[0]
    scaled = backend.scale(group, base, encode_elements(group.scalar, scalars))
    assert decode_points(group, scaled) == [plain.lower(group, point) for point in multiples]
    pairs = [(a, b) for a in multiples for b in multiples]
    a, b = (encode_points(group, [plain.lower(group, pair[side]) for pair in pairs]) for side in (0, 1))
    total = backend.add_points(group, a, b)
    assert decode_points(group, total) == [plain.lower(group, plain.add(a, b)) for a, b in pairs]


def test_infinity_scales_to_infinity(group: Group, backend: Backend) -> None:
    infinity = encode_points(group, [None])[0]
    scaled = backend.scale(group, infinity, encode_elements(group.scalar, [0, 1, group.curve.r - 1]))
    assert decode_points(group, scaled) == [None, None, None]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 20])
def test_scale_each_gives_every_point_its_own_multiple(group: Group, native: Backend, count: int) -> None:
    """Scalars around the windows' digits and r; infinity among the points; logarithms make the expected point cheap."""
    r, generator = group.curve.r, plain.generator(group.curve, group)
    base = encode_points(group, [plain.lower(group, generator)])[0]
    logs = [0 if i % 7 == 6 else i + 1 for i in range(count)]
    edges = [0, 1, r - 1, 2**128 - 1, 7, 8, 9, 15, 16, 17, 2**64, 2**128, r - 2, r // 2, r // 2 + 1, int("78" * 30, 16)]
    scalars = [edges[(i + count) % len(edges)] for i in range(count)]
    bases = native.scale(group, base, encode_elements(group.scalar, logs))
    found = native.scale_each(group, bases, encode_elements(group.scalar, scalars))
    expected = [plain.multiply(generator, log * scalar % r) for log, scalar in zip(logs, scalars, strict=True)]
    assert decode_points(group, found) == [plain.lower(group, point) for point in expected]


def test_scale_each_matches_the_reference(group: Group, native: Backend, reference: Backend) -> None:
    generator = plain.generator(group.curve, group)
    points = [plain.multiply(generator, k) for k in (1, 1, 5, 0)]
    bases = encode_points(group, [plain.lower(group, point) for point in points])
    scalars = encode_elements(group.scalar, [3, group.curve.r - 1, 2**128 - 3, 9])
    assert (native.scale_each(group, bases, scalars) == reference.scale_each(group, bases, scalars)).all()


def test_scale_each_takes_points_outside_the_subgroup(group: Group, native: Backend) -> None:
    points = points_outside_the_subgroup(group)
    scalars = [(10069 * i + 3) ** 3 for i in range(len(points))]
    found = native.scale_each(
        group,
        encode_points(group, [plain.lower(group, point) for point in points]),
        encode_elements(group.scalar, scalars),
    )
    expected = [plain.multiply(point, scalar) for point, scalar in zip(points, scalars, strict=True)]
    assert decode_points(group, found) == [plain.lower(group, point) for point in expected]


def test_no_scalars_give_no_points(group: Group, backend: Backend) -> None:
    base = encode_points(group, [None])[0]
    assert backend.scale(group, base, encode_elements(group.scalar, [])).shape == (0, *group.point_shape)
    empty = encode_points(group, [])
    assert backend.scale_each(group, empty, encode_elements(group.scalar, [])).shape == (0, *group.point_shape)
    assert backend.add_points(group, empty, empty).shape == (0, *group.point_shape)
    assert backend.check_points(group, empty).shape == (0,)


def test_check_points_accepts_the_subgroup(group: Group, backend: Backend) -> None:
    generator = plain.generator(group.curve, group)
    good = [plain.multiply(generator, k) for k in (0, 1, 2, 3, group.curve.r - 1)]
    answers = backend.check_points(group, encode_points(group, [plain.lower(group, p) for p in good]))
    assert answers.dtype == np.bool_
    assert answers.all()


def test_check_points_refuses_points_off_the_curve(group: Group, backend: Backend) -> None:
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])
    cases = []
    for coordinate in range(int(np.prod(group.point_shape[:-1]))):
        for bit in (0, 63):
            point = generator.copy()
            point.reshape(-1, group.coordinate.limbs)[coordinate, 0] ^= np.uint64(1 << bit)
            cases.append(point)
    zeroed = generator.copy()
    zeroed[0, 1] = 0  # (x, 0): not infinity, and no point of order two exists
    cases.append(zeroed)
    assert not backend.check_points(group, np.concatenate(cases)).any()


def test_check_points_refuses_what_is_outside_the_subgroup(group: Group, backend: Backend) -> None:
    outside = points_outside_the_subgroup(group)
    if group.curve_name == "bls12_381" and group.name == "g1":
        order_three = (plain.Fq2(0, 0, group.curve.q), plain.Fq2(2, 0, group.curve.q))
        outside = [*outside, order_three, plain.negate(order_three)]
    answers = backend.check_points(group, encode_points(group, [plain.lower(group, point) for point in outside]))
    assert not answers.any()


def test_check_points_answers_for_each_point_of_many(group: Group, native: Backend) -> None:
    """Each of 19 places is once the one bad point; the others are good, infinity among them."""
    generator = plain.generator(group.curve, group)
    good = encode_points(group, [plain.lower(group, plain.multiply(generator, k)) for k in (*range(1, 19), 0)])
    off_curve = good[:1].copy()
    off_curve.reshape(-1)[0] ^= np.uint64(1)
    not_canonical = np.full((1, *group.point_shape), 2**64 - 1, dtype=np.uint64)
    outside = encode_points(group, [plain.lower(group, point) for point in points_outside_the_subgroup(group)[:1]])
    bad = np.concatenate([off_curve, not_canonical, outside])
    for place in range(len(good)):
        points = good.copy()
        points[place] = bad[place % len(bad)]
        assert np.flatnonzero(~native.check_points(group, points)).tolist() == [place]


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_the_lanes_test_of_g2_is_exact(curve: Curve) -> None:
    """The endomorphism that vanishes where ifma/miller.hpp says yes does so on the subgroup of order r alone.

    As A + B psi with psi^2 = t psi - q it has the norm A^2 + A B t + B^2 q, by which such a point is annihilated; with
    the order of the twist the norm has only r in common.
    """
    trace = curve.q + 1 - plain.curve_order(curve, curve.g1)
    seed, is_bn = curve.seed, curve.family == "bn"
    coefficients = [6 * seed + 2, 1, -1, 1] if is_bn else [seed, -1]
    a = b = 0
    for coefficient in reversed(coefficients):
        a, b = coefficient - b * curve.q, a + b * trace
    norm = a * a + a * b * trace + b * b * curve.q
    assert gcd(norm, plain.curve_order(curve, curve.g2)) == curve.r


def test_the_cofactors_small_factors_are_true_factors() -> None:
    for (curve_name, name), factors in SMALL_FACTORS.items():
        curve = CURVES[curve_name]
        group = curve.g1 if name == "g1" else curve.g2
        assert plain.curve_order(group.curve, group) // group.curve.r % prod(factors) == 0


def test_check_points_refuses_coordinates_from_q_on(group: Group, backend: Backend) -> None:
    """x + q is the same residue as x: accepting it would give one point two encodings."""
    limbs, q = group.coordinate.limbs, group.curve.q
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])
    for coordinate in range(int(np.prod(group.point_shape[:-1]))):
        point = generator.copy()
        flat = point.reshape(-1, limbs)
        value = sum(int(word) << (64 * i) for i, word in enumerate(flat[coordinate])) + q
        flat[coordinate] = [(value >> (64 * i)) & (2**64 - 1) for i in range(limbs)]
        assert not backend.check_points(group, point).any()
    infinity_by_q = np.zeros((1, *group.point_shape), dtype=np.uint64)
    infinity_by_q.reshape(-1, limbs)[:] = [(q >> (64 * i)) & (2**64 - 1) for i in range(limbs)]
    assert not backend.check_points(group, infinity_by_q).any()


def test_wrong_shapes_are_refused(group: Group, backend: Backend) -> None:
    points, one = encode_points(group, [None, None]), encode_elements(group.scalar, [1])
    for wrong in (points[0], points[..., :-1], points.astype(np.int64)):
        with pytest.raises(MalformedInput):
            backend.check_points(group, wrong)
        with pytest.raises(MalformedInput):
            backend.add_points(group, wrong, wrong)
    with pytest.raises(MalformedInput):
        backend.add_points(group, points, points[:1])
    with pytest.raises(MalformedInput):
        backend.scale(group, points, one)
    with pytest.raises(MalformedInput):
        backend.scale(group, points[0], one[0])
    with pytest.raises(MalformedInput):
        backend.scale_each(group, points, one)
    too_large = encode_points(group, [None] * 9)
    too_large.reshape(9, -1)[8, -1] = 2**64 - 1
    with pytest.raises(MalformedInput):
        backend.scale_each(group, too_large, one.repeat(9, axis=0))
    with pytest.raises(MalformedInput):
        backend.scale_each(group, points, np.full_like(one.repeat(2, axis=0), 2**64 - 1))


@pytest.mark.parametrize("seed", [-1, 1, CURVES["bn254"].seed])
def test_the_endomorphism_check_of_bn_curves_decides(seed: int) -> None:
    """The condition that points.hpp relies on: what its equation annihilates shares only r with the curve's order."""
    q = 36 * seed**4 + 36 * seed**3 + 24 * seed**2 + 6 * seed + 1
    t = 6 * seed**2 + 1
    r, order = q + 1 - t, (q + 1 - t) * (q - 1 + t)

    def times_psi(x: tuple[int, int]) -> tuple[int, int]:  # a + b psi, psi^2 = t psi - q
        return -q * x[1], x[0] + t * x[1]

    powers = [(1, 0)]
    for _ in range(3):
        powers.append(times_psi(powers[-1]))
    a, b = (
        sum(c * power[i] for c, power in zip((seed + 1, seed, seed, -2 * seed), powers, strict=True)) for i in (0, 1)
    )
    assert gcd(a * a + t * a * b + q * b * b, order) == r
