"""MSM: every case is a list of (discrete logarithm, scalar), so the expected point is one multiple of the generator.

Logarithm 0 is the point at infinity. Each case is run as it stands and, on the native backends, repeated until it
is long enough for buckets.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, encode_elements, encode_points
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Group
from tests.kernels import plain

Case = list[tuple[int, int]]
LOGS = (1, 2, 3, 5, 7)  # small, so that the reference stays quick

CASES: dict[str, Callable[[int], Case]] = {
    "one term": lambda r: [(3, 5)],
    "zero scalars": lambda r: [(log, 0) for log in LOGS],
    "one scalars": lambda r: [(log, 1) for log in LOGS],
    "zeros and ones": lambda r: [(log, log % 2) for log in LOGS],
    "scalars r - 1": lambda r: [(log, r - 1) for log in LOGS],
    "all equal": lambda r: [(5, 12345)] * 5,
    "repeated points": lambda r: [(3, 11), (3, 12), (3, 11), (2, 11), (3, 2**200)],
    "opposite points, cancelling": lambda r: [(3, 99), (r - 3, 99), (5, 77), (r - 5, 77)],
    "opposite points, interleaved": lambda r: [(3, 99), (r - 3, 98), (3, 97), (r - 3, 96), (3, r - 1)],
    "opposite scalars": lambda r: [(3, 99), (3, r - 99), (5, 1), (5, r - 1)],
    "infinity first": lambda r: [(0, 9), (2, 8), (3, 7)],
    "infinity inside": lambda r: [(2, 8), (0, 9), (3, 7)],
    "infinity last": lambda r: [(2, 8), (3, 7), (0, r - 1)],
    "only infinity": lambda r: [(0, 1), (0, r - 1), (0, 2**128)],
    "a sum that doubles on the way": lambda r: [(3, 1), (3, 1), (6, 1), (12, 1)],
    "powers of two": lambda r: [(2, 1 << k) for k in (0, 1, 7, 8, 15, 16, 63, 64, 127, 128, 252)],
    "powers of two less one": lambda r: [(3, (1 << k) - 1) for k in (1, 8, 13, 16, 64, 128, 253)],
    "window borders": lambda r: [(2, sum(1 << (c * i - 1) for i in range(1, 252 // c))) for c in (4, 8, 12, 13, 16)],
    "skewed": lambda r: [(3, 1)] * 20 + [(5, r - 2)],
}


@cache
def multiples_of_the_generator(group: Group) -> Callable[[tuple[int, ...]], Array]:
    """A cache of k G by the plain oracle: the MSM under test has no part in it."""
    known: dict[int, plain.Point] = {}
    generator = plain.generator(group.curve, group)

    def encode(logs: tuple[int, ...]) -> Array:
        for log in set(logs) - known.keys():
            known[log] = plain.multiply(generator, log)
        return encode_points(group, [plain.lower(group, known[log]) for log in logs])

    return encode


def assert_msm(group: Group, backend: Backend, case: Case) -> None:
    r, points = group.curve.r, multiples_of_the_generator(group)
    bases = points(tuple(log for log, _ in case))
    scalars = encode_elements(group.scalar, [scalar for _, scalar in case])
    expected = points((sum(log * scalar for log, scalar in case) % r,))[0]
    assert (backend.msm(group, bases, scalars) == expected).all()
    bases_mont = backend.to_mont(group.coordinate, bases.reshape(-1, group.coordinate.limbs)).reshape(bases.shape)
    assert (backend.msm(group, bases_mont, scalars, bases_mont=True) == expected).all()


@pytest.mark.parametrize("name", CASES)
def test_edge_case_native(group: Group, native: Backend, name: str) -> None:
    case = CASES[name](group.curve.r)
    assert_msm(group, native, case)
    for length in (97, 700):
        assert_msm(group, native, (case * length)[:length])


@pytest.mark.parametrize("name", ["one scalars", "opposite points, cancelling", "infinity inside", "repeated points"])
def test_edge_case_reference(group: Group, reference: Backend, name: str) -> None:
    assert_msm(group, reference, CASES[name](group.curve.r))


def test_empty_msm_is_infinity(group: Group, backend: Backend) -> None:
    result = backend.msm(group, encode_points(group, []), encode_elements(group.scalar, []))
    assert result.shape == group.point_shape
    assert not result.any()


@cache
def known_bases(group: Group, count: int) -> tuple[Array, list[int]]:
    """``count`` distinct points with known logarithms: all sums of two lists of multiples of the generator."""
    native, side = select("native"), 1 << (count.bit_length() // 2)
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    random = np.random.default_rng(7)
    low, high = ([int.from_bytes(random.bytes(31), "little") for _ in range(side)] for _ in range(2))
    a, b = (native.scale(group, generator, encode_elements(group.scalar, logs)) for logs in (low, high))
    index = np.arange(count)
    logs = [(low[i % side] + high[i // side]) % group.curve.r for i in range(count)]
    return native.add_points(group, a[index % side], b[index // side]), logs


def assert_random_msm(group: Group, native: Backend, n: int) -> None:
    bases, logs = known_bases(group, 1 << 16)
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    random = np.random.default_rng(n)
    numbers = [int.from_bytes(random.bytes(32), "little") % group.curve.r for _ in range(n)]
    total = sum(log * number for log, number in zip(logs, numbers, strict=False)) % group.curve.r
    result = native.msm(group, bases[:n], encode_elements(group.scalar, numbers))
    expected = native.scale(group, generator, encode_elements(group.scalar, [total]))[0]
    assert (result == expected).all(), f"n = {n}"


@pytest.mark.parametrize("log_n", range(12))
def test_random_scalars(group: Group, native: Backend, log_n: int) -> None:
    """2^log_n terms, and two lengths beside it that are no power of two."""
    for n in {1 << log_n, (1 << log_n) - 1, (1 << log_n) * 5 // 7}:
        assert_random_msm(group, native, n)


@pytest.mark.parametrize("log_n", range(12, 17))
def test_random_scalars_at_length(group: Group, log_n: int) -> None:
    """On the layer that this machine would choose; the others differ in the field's multiplication alone."""
    assert_random_msm(group, select("native"), 1 << log_n)


def test_native_matches_reference(group: Group, native: Backend, reference: Backend) -> None:
    bases, _ = known_bases(group, 64)
    random = np.random.default_rng(3)
    scalars = encode_elements(group.scalar, [int.from_bytes(random.bytes(31), "little") for _ in range(9)])
    assert (native.msm(group, bases[:9], scalars) == reference.msm(group, bases[:9], scalars)).all()


def test_malformed_operands_are_refused(group: Group, backend: Backend) -> None:
    bases = multiples_of_the_generator(group)((1, 2))
    scalars = encode_elements(group.scalar, [1, 2])
    too_large = scalars.copy()
    too_large[1] = [(group.curve.r >> (64 * i)) & (2**64 - 1) for i in range(group.scalar.limbs)]
    for wrong_bases, wrong_scalars in (
        (bases, scalars[:1]),
        (bases[:1], scalars),
        (bases[0], scalars),
        (bases[..., :-1], scalars),
        (bases.astype(np.int64), scalars),
        (bases, scalars[..., :-1]),
        (bases, too_large),
    ):
        with pytest.raises(MalformedInput):
            backend.msm(group, wrong_bases, wrong_scalars)
