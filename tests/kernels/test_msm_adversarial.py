"""MSMs that hurt: equal and opposite points, infinity anywhere, one bucket for everything, on every layer.

A case gives term i's discrete logarithm and scalar; the expected point is one multiple of the generator.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from proofgrid.kernels.arrays import AffinePoint, Array, encode_elements, encode_points
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import BLS12_381, Group
from proofgrid.kernels.native.backend import NativeBackend
from tests.kernels import backends, plain

Term = Callable[[int, int, int], int]  # (i, r, a random number below r) -> logarithm or scalar
LENGTHS = (0, 1, 2, 7, 8, 9, 63, 64, 65, 1000)

LOGS: dict[str, Term] = {
    "distinct": lambda i, r, x: i + 1,
    "equal": lambda i, r, x: 5,
    "opposite in turn": lambda i, r, x: 5 if i % 2 else r - 5,
    "opposite halves": lambda i, r, x: 1 + i // 2 if i % 2 else r - 1 - i // 2,
    "infinity in turn": lambda i, r, x: 0 if i % 3 == 0 else i,
    "doublings": lambda i, r, x: 1 << (i % 20),
}
SCALARS: dict[str, Term] = {
    "random": lambda i, r, x: x,
    "one dense value": lambda i, r, x: r // 3,
    "ones": lambda i, r, x: 1,
    "r - 1": lambda i, r, x: r - 1,
    "powers of two": lambda i, r, x: 1 << (i % 254),
    "runs of powers of two": lambda i, r, x: 1 << (i // 7 % 254),
    "powers of two less one": lambda i, r, x: (1 << (i % 254)) - 1,
    "a witness": lambda i, r, x: x if i % 10 == 9 else x % 2,
}


@cache
def multiples(group: Group, logs: tuple[int, ...]) -> Array:
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]
    return select("native").scale(group, generator, encode_elements(group.scalar, list(logs)))


def terms(group: Group, logs: str, scalars: str, n: int) -> tuple[list[int], list[int]]:
    r, random = group.curve.r, np.random.default_rng(n)
    numbers = [int.from_bytes(random.bytes(40), "little") % r for _ in range(n)]
    return [LOGS[logs](i, r, 0) for i in range(n)], [SCALARS[scalars](i, r, x) % r for i, x in enumerate(numbers)]


def assert_sum(group: Group, backend: Backend, logs: list[int], scalars: list[int], window: int = 0) -> None:
    distinct = tuple(sorted(set(logs)))
    place = {log: i for i, log in enumerate(distinct)}
    bases = multiples(group, distinct)[np.array([place[log] for log in logs], dtype=np.int64)]
    total = sum(log * scalar for log, scalar in zip(logs, scalars, strict=True)) % group.curve.r
    assert isinstance(backend, NativeBackend)
    result = backend.msm(group, bases, encode_elements(group.scalar, scalars), window=window)
    assert (result == multiples(group, (total,))[0]).all(), f"n = {len(logs)}, window {window}"


@pytest.mark.parametrize("scalars", SCALARS)
@pytest.mark.parametrize("logs", LOGS)
def test_adversarial_terms(group: Group, native: Backend, logs: str, scalars: str) -> None:
    for n in LENGTHS:
        assert_sum(group, native, *terms(group, logs, scalars, n))


@pytest.mark.parametrize("logs", ["opposite halves", "doublings"])
@pytest.mark.parametrize("window", range(2, 17))
def test_every_window(group: Group, native: Backend, window: int, logs: str) -> None:
    assert_sum(group, native, *terms(group, logs, "random", 97), window=window)


@pytest.mark.parametrize("logs", ["equal", "opposite in turn", "doublings"])
@pytest.mark.parametrize("scalars", ["random", "one dense value", "ones", "a witness"])
def test_adversarial_terms_at_length(group: Group, logs: str, scalars: str) -> None:
    """Where buckets are split and lists are many; on the layer that this machine would choose."""
    assert_sum(group, select("native"), *terms(group, logs, scalars, 1 << 12))


@pytest.mark.parametrize("scalars", ["one dense value", "ones"])
def test_one_bucket_at_length(group: Group, scalars: str) -> None:
    assert_sum(group, select("native"), *terms(group, "doublings", scalars, 1 << 16))


@pytest.mark.parametrize("layer", backends.NATIVE)
def test_points_outside_the_subgroup(layer: str) -> None:
    """No endomorphism may be used here: r times such a point is not infinity. Compared with the portable layer."""
    curve, group = BLS12_381, BLS12_381.g1
    points: list[AffinePoint] = []
    for x in range(1, 200):
        square = (x**3 + 4) % curve.q
        y = pow(square, (curve.q + 1) // 4, curve.q)
        if y * y % curve.q == square:
            points.append((x, y))
    bases = encode_points(group, points)
    scalars = encode_elements(group.scalar, [curve.r - 1 - 2**200 * i for i in range(len(points))])
    portable = backends.named("native-portable").msm(group, bases, scalars)
    assert portable.any()
    assert (backends.named(layer).msm(group, bases, scalars) == portable).all()
