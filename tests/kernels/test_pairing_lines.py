"""pairing_lines and pairing_of_lines: the same pairings with G2's points prepared, and the same refusals."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import BLS12_381, BN254, Curve, Group
from proofgrid.kernels.prepared import PairingLines
from tests.kernels import plain
from tests.kernels.test_groups import points_outside_the_subgroup


def multiples(group: Group, backend: Backend, scalars: Sequence[int]) -> Array:
    base = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    return backend.scale(group, base, encode_elements(group.scalar, [scalar % group.curve.r for scalar in scalars]))


def strange_points(curve: Curve) -> Array:
    """Infinity and good points between all kinds of bad ones: good and bad in turns, the first one good."""
    group = curve.g2
    generator = encode_points(group, [plain.lower(group, plain.generator(curve, group))])
    off_curve, not_canonical, zero_y = generator.copy(), generator.copy(), generator.copy()
    off_curve[0, 0, 0, 0] ^= np.uint64(1)
    not_canonical[0, 1, 1] = 2**64 - 1
    zero_y[0, 1] = 0
    outside = encode_points(group, [plain.lower(group, point) for point in points_outside_the_subgroup(group)])
    bad = np.concatenate([off_curve, not_canonical, zero_y, outside])
    good = np.concatenate([np.zeros_like(generator), generator, *[generator] * len(bad)])[: len(bad)]
    return np.stack([good, bad], axis=1).reshape(-1, *group.point_shape)


def test_lines_say_what_check_points_says(curve: Curve, native: Backend) -> None:
    points = strange_points(curve)
    valid = native.pairing_lines(curve, points).valid
    assert valid.tolist() == [True, False] * (len(points) // 2)
    assert valid.tolist() == native.check_points(curve.g2, points).tolist()
    for point, answer in zip(points, valid, strict=True):
        assert native.pairing_lines(curve, point[np.newaxis]).valid.tolist() == [answer]


def test_a_product_with_a_point_that_is_not_valid_is_zero(curve: Curve, backend: Backend) -> None:
    bad = strange_points(curve)[1::2]
    bad = bad[:2] if backend.name == "reference" else bad
    g1 = multiples(curve.g1, backend, [1, 2])
    good = backend.pairing_lines(curve, multiples(curve.g2, backend, [3]))
    for point in bad:
        lines = backend.pairing_lines(curve, point[np.newaxis])
        assert not backend.pairing_of_lines(curve, g1, [good, lines]).any()
        assert not backend.pairing_of_lines(curve, g1, [lines, good]).any()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9])
def test_products_of_lines_are_products_of_points(curve: Curve, native: Backend, count: int) -> None:
    """With infinity on either side; the points prepared together, one by one, and in two parts."""
    rng = random.Random(count)
    left, right = ([rng.randrange(curve.r) for _ in range(count)] for _ in range(2))
    if count > 2:
        left[0], right[-1], right[1] = 0, 0, -right[2]
    g1, g2 = multiples(curve.g1, native, left), multiples(curve.g2, native, right)
    expected = native.pairing_product(curve, g1, g2)
    together = native.pairing_lines(curve, g2)
    assert len(together) == count
    for lines in (
        [together],
        [native.pairing_lines(curve, point[np.newaxis]) for point in g2],
        [native.pairing_lines(curve, g2[: count // 2]), native.pairing_lines(curve, g2[count // 2 :])],
    ):
        assert (native.pairing_of_lines(curve, g1, lines) == expected).all()


def test_lines_are_used_again(curve: Curve, native: Backend) -> None:
    lines = native.pairing_lines(curve, multiples(curve.g2, native, [6, 7]))
    before = lines.data.tobytes()
    for scalar in (1, 0, curve.r - 1, 5):
        g1 = multiples(curve.g1, native, [scalar, 2 * scalar])
        expected = native.pairing_product(
            curve, multiples(curve.g1, native, [20 * scalar]), multiples(curve.g2, native, [1])
        )
        assert (native.pairing_of_lines(curve, g1, [lines]) == expected).all()
    assert lines.data.tobytes() == before


def test_native_matches_reference(curve: Curve, native: Backend, reference: Backend) -> None:
    g1, g2 = multiples(curve.g1, native, [2, 0, curve.r - 9]), multiples(curve.g2, native, [3, 4, 5])
    ours = native.pairing_of_lines(curve, g1, [native.pairing_lines(curve, g2)])
    theirs = reference.pairing_of_lines(curve, g1, [reference.pairing_lines(curve, g2)])
    assert decode_elements(ours) == decode_elements(theirs)


def test_malformed_operands_are_refused(curve: Curve, backend: Backend) -> None:
    g1, g2 = multiples(curve.g1, backend, [1, 2]), multiples(curve.g2, backend, [1, 2])
    lines = backend.pairing_lines(curve, g2)
    other = BLS12_381 if curve == BN254 else BN254
    short = PairingLines(curve, lines.form, lines.valid, lines.data[:-64])
    for points, parts in ((g1[:1], [lines]), (g1, [lines, lines]), (g1, []), (g2, [lines]), (g1, [short])):
        with pytest.raises(MalformedInput):
            backend.pairing_of_lines(curve, points, parts)
    for renamed in (
        PairingLines(other, lines.form, lines.valid, lines.data),
        PairingLines(curve, "another", lines.valid, lines.data),
    ):
        with pytest.raises(MalformedInput, match="prepare them again"):
            backend.pairing_of_lines(curve, g1, [renamed])
    with pytest.raises(MalformedInput):
        backend.pairing_lines(curve, g1)
    beyond = g1.copy()
    beyond[1, 1] = 2**64 - 1
    with pytest.raises(MalformedInput):
        backend.pairing_of_lines(curve, beyond, [lines])


def test_layers_do_not_take_the_references_lines(curve: Curve, native: Backend, reference: Backend) -> None:
    g1, g2 = multiples(curve.g1, native, [1]), multiples(curve.g2, native, [1])
    for one, another in ((native, reference), (reference, native)):
        with pytest.raises(MalformedInput, match="prepare them again"):
            one.pairing_of_lines(curve, g1, [another.pairing_lines(curve, g2)])
