"""Multiples of one point by every native layer: batches of every length, and sums that meet or cancel in a batch."""

import random

import numpy as np
import pytest

from proofgrid.errors import Cancelled, MalformedInput
from proofgrid.kernels.arrays import Array, decode_points, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BLS12_381, Group
from tests.kernels import backends, plain
from tests.kernels.test_groups import SMALL_FACTORS, point_of_order

BATCH = 2048  # kernels/include/proofgrid/ifma/fixed_base_table.hpp
RANDOM = random.Random(8)


def generator(group: Group) -> Array:
    point: Array = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    return point


def meeting_scalars(group: Group) -> list[int]:
    """r - 2 k such that for some window c the low digits sum to -k and the top one to r - k: both multiples are equal.

    Of a point of order r no other scalar makes two equal points meet.
    """
    r, found = group.curve.r, []
    for window in range(2, 17):
        low_bits = (r.bit_length() // window) * window
        k = r % (1 << low_bits)
        if k >= 1 << (low_bits - 1):
            k -= 1 << low_bits
        if 0 < k < r // 2:
            found.append(r - 2 * k)
    assert found
    return found


def awkward_scalars(group: Group) -> list[int]:
    r = group.curve.r
    powers = [1 << k for k in range(0, r.bit_length() - 1, 5)]
    edges = [0, 1, 2, 3, r - 1, r - 2, (r - 1) // 2, (r + 1) // 2, (1 << 253) - 1]
    near = [power + sign for power in powers[1:] for sign in (-1, 1)]
    return edges + powers + near + [r - power for power in powers] + meeting_scalars(group)


def assert_like_portable(native: Backend, group: Group, base: Array, scalars: list[int]) -> None:
    elements = encode_elements(group.scalar, scalars)
    expected = backends.named("native-portable").scale(group, base, elements)
    assert np.array_equal(native.scale(group, base, elements), expected)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 31, 32, 33, 300])
def test_every_length(group: Group, native: Backend, n: int) -> None:
    scalars = [RANDOM.choice([0, 1, RANDOM.randrange(group.curve.r)]) for _ in range(n)]
    assert_like_portable(native, group, generator(group), scalars)


@pytest.mark.parametrize("n", [BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 33])
def test_lengths_around_a_batch(native: Backend, n: int) -> None:
    """The scalars repeat, so that few points need checking: i and i + 100 have one multiple."""
    group = BLS12_381.g1
    few = encode_elements(group.scalar, [RANDOM.randrange(group.curve.r) for _ in range(100)])
    expected = backends.named("native-portable").scale(group, generator(group), few)
    found = native.scale(group, generator(group), np.resize(few, (n, few.shape[1])))
    assert np.array_equal(found, np.resize(expected, found.shape))


def test_awkward_scalars(group: Group, native: Backend) -> None:
    assert_like_portable(native, group, generator(group), awkward_scalars(group))


def test_awkward_scalars_by_plain_integers(group: Group, native: Backend) -> None:
    scalars = [*meeting_scalars(group)[-2:], group.curve.r - 1, 1 << 200]
    point = plain.generator(group.curve, group)
    expected = [plain.lower(group, plain.multiply(point, scalar)) for scalar in scalars]
    found = native.scale(group, generator(group), encode_elements(group.scalar, scalars))
    assert decode_points(group, found) == expected


@pytest.mark.parametrize("n", [64, 320])
def test_sums_that_meet_the_table(group: Group, native: Backend, n: int) -> None:
    """Whole vectors of them, in which no digit is zero at the window where they meet: nothing warns before that."""
    scalars = meeting_scalars(group)
    expected = backends.named("native-portable").scale(group, generator(group), encode_elements(group.scalar, scalars))
    for scalar, point in zip(scalars, expected, strict=True):
        found = native.scale(group, generator(group), encode_elements(group.scalar, [scalar] * n))
        assert np.array_equal(found, np.broadcast_to(point, found.shape))


def test_equal_scalars_and_a_lone_one(group: Group, native: Backend) -> None:
    r = group.curve.r
    assert_like_portable(native, group, generator(group), [r - 1] * 70)
    assert_like_portable(native, group, generator(group), [0] * 40 + [5] + [0] * 40)


@pytest.mark.parametrize("group", [BLS12_381.g1, BLS12_381.g2], ids=["g1", "g2"])
def test_base_of_small_order(group: Group, native: Backend) -> None:
    """Every multiple is one of a few: sums meet the points of the table, cancel and vanish all the time."""
    for order in SMALL_FACTORS["bls12_381", group.name][:2]:
        point = point_of_order(group, order)
        multiples = [plain.lower(group, plain.multiply(point, k)) for k in range(order)]
        scalars = [*range(3 * order), *(RANDOM.randrange(group.curve.r) for _ in range(100))]
        base = encode_points(group, [plain.lower(group, point)])[0]
        found = native.scale(group, base, encode_elements(group.scalar, scalars))
        assert decode_points(group, found) == [multiples[scalar % order] for scalar in scalars]


def test_infinity_and_many_scalars(group: Group, native: Backend) -> None:
    scalars = encode_elements(group.scalar, awkward_scalars(group))
    assert not native.scale(group, np.zeros(group.point_shape, np.uint64), scalars).any()


def test_result_in_montgomery_form(group: Group, backend: Backend) -> None:
    scalars = encode_elements(group.scalar, [0, 1, 7, group.curve.r - 1])
    canonical = backend.scale(group, generator(group), scalars)
    limbs = group.coordinate.limbs
    expected = backend.to_mont(group.coordinate, canonical.reshape(-1, limbs)).reshape(canonical.shape)
    assert np.array_equal(backend.scale(group, generator(group), scalars, result_mont=True), expected)


def test_refused_scalar_is_named(group: Group, native: Backend) -> None:
    scalars = encode_elements(group.scalar, [1] * (BATCH + 5))
    scalars[BATCH + 3] = encode_elements(group.coordinate, [group.curve.r])[0, :4]
    with pytest.raises(MalformedInput, match=rf"element {BATCH + 3} "):
        native.scale(group, generator(group), scalars)


def test_cancelled(native: Backend) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        native.scale(BLS12_381.g1, generator(BLS12_381.g1), encode_elements(BLS12_381.Fr, [5] * 9), control=control)


def test_progress_ends_at_one(native: Backend) -> None:
    control = Control(threads=2)
    native.scale(BLS12_381.g1, generator(BLS12_381.g1), encode_elements(BLS12_381.Fr, [5] * 900), control=control)
    assert control.fraction == 1.0
