"""Scalars and points that hurt: what the kernels' fuzzer draws from. Everything depends on the generator alone."""

import random
from collections.abc import Callable
from functools import cache

import numpy as np

from proofgrid.kernels.arrays import Array, encode_elements, encode_points
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import Field, Group
from tests.kernels import plain

Scalars = Callable[[int, int, random.Random], list[int]]
Places = Callable[[int, random.Random], list[int]]

POOL = 512
"""Points of a pool; place i + POOL is the negative of place i."""
INFINITY = 2 * POOL
SMALL = 64
"""The first places hold 1 G, 2 G, ...: their sums meet one another."""
OTHER = 12
"""The last places hold points of the curve as they come, mostly outside the subgroup."""


@cache
def pool(group: Group) -> Array:
    """``[2 * POOL + 1, *point_shape]``: multiples of the generator, points of other orders; negatives; infinity."""
    rng, curve = random.Random(group.name), group.curve
    outside = [plain.any_point(curve, group, start) for start in range(OTHER)]
    logs = list(range(1, SMALL + 1)) + [rng.randrange(1, curve.r) for _ in range(POOL - SMALL - len(outside))]
    backend = select("native")
    generator = encode_points(group, [plain.lower(group, plain.generator(curve, group))])[0]
    points = np.concatenate(
        [
            backend.scale(group, generator, encode_elements(group.scalar, logs)),
            encode_points(group, [plain.lower(group, point) for point in outside]),
        ]
    )
    negated = points.copy()
    y = points[:, 1].reshape(-1, group.coordinate.limbs)
    negated[:, 1] = backend.field(group.coordinate, "neg", y).reshape(points[:, 1].shape)
    return np.concatenate([points, negated, np.zeros((1, *group.point_shape), np.uint64)])


def endomorphism(field: Field) -> int:
    """A cube root of one other than one, by which a scalar splits into halves; 1 if there is none."""
    p = field.modulus
    if p % 3 != 1:
        return 1
    return next(root for g in range(2, 100) if (root := pow(g, (p - 1) // 3, p)) != 1)


def _window_borders(n: int, r: int, rng: random.Random) -> list[int]:
    """Digits at which a signed window carries, in every window."""
    c = rng.randrange(2, 17)
    digits = (0, 1, 2 ** (c - 1) - 1, 2 ** (c - 1), 2 ** (c - 1) + 1, 2**c - 1)
    top = r.bit_length() // c
    return [sum(rng.choice(digits) << c * i for i in range(rng.randrange(1, top + 1))) % r for _ in range(n)]


def _small(n: int, r: int, rng: random.Random) -> list[int]:
    bits = rng.randrange(1, 72)
    return [rng.getrandbits(bits) % r for _ in range(n)]


def _signs_of_one(n: int, r: int, rng: random.Random) -> list[int]:
    value = rng.randrange(1, r)
    return [value if i % 2 else r - value for i in range(n)]


def _witness(n: int, r: int, rng: random.Random) -> list[int]:
    usual = (0, 0, 0, 1, 1, 1, 1, 1, r - 1)
    return [rng.choice(usual) if rng.random() < 0.95 else rng.randrange(r) for _ in range(n)]


def _few_bits(n: int, r: int, rng: random.Random) -> list[int]:
    return [sum(1 << rng.randrange(r.bit_length() - 1) for _ in range(rng.randrange(4))) % r for _ in range(n)]


def _halves(n: int, r: int, rng: random.Random) -> list[int]:
    """Short combinations of one and the endomorphism's root."""
    root = endomorphism(Field("", r))
    return [(rng.choice((-1, 0, 1)) * root * rng.getrandbits(8) + rng.getrandbits(8)) % r for _ in range(n)]


def _among(values: Callable[[int, random.Random], list[int]]) -> Scalars:
    def draw(n: int, r: int, rng: random.Random) -> list[int]:
        choices = [value % r for value in values(r, rng)]
        return [rng.choice(choices) for _ in range(n)]

    return draw


SCALARS: dict[str, Scalars] = {
    "uniform": lambda n, r, rng: [rng.randrange(r) for _ in range(n)],
    "zero": lambda n, r, rng: [0] * n,
    "one": lambda n, r, rng: [1] * n,
    "r - 1": lambda n, r, rng: [r - 1] * n,
    "a power of two": _among(lambda r, rng: [1 << rng.randrange(r.bit_length())]),
    "powers of two in turn": lambda n, r, rng: [(1 << i % r.bit_length()) % r for i in range(n)],
    "powers of two less one": lambda n, r, rng: [((1 << rng.randrange(r.bit_length())) - 1) % r for _ in range(n)],
    "small": _small,
    "one value": _among(lambda r, rng: [rng.randrange(r)]),
    "few values": _among(lambda r, rng: [rng.randrange(r) for _ in range(3)]),
    "a value and its negative": _signs_of_one,
    "zeros and ones": _among(lambda r, rng: [0, 1]),
    "a witness": _witness,
    "next to r": lambda n, r, rng: [r - 1 - rng.randrange(min(r, 300)) for _ in range(n)],
    "next to r / 2": lambda n, r, rng: [(r // 2 + rng.randrange(-3, 4)) % r for _ in range(n)],
    "window borders": _window_borders,
    "few bits": _few_bits,
    "full limbs": _among(lambda r, rng: [((1 << k) - 1) << j for k in (52, 64, 128) for j in (0, 52, 64, 104)]),
    "high bits": lambda n, r, rng: [(rng.getrandbits(16) << r.bit_length() - 17) % r for _ in range(n)],
    "halves of the endomorphism": _halves,
}


def _different(n: int, rng: random.Random) -> list[int]:
    first = rng.randrange(POOL)
    return [(first + i) % POOL for i in range(n)]


def _signs_of_a_point(n: int, rng: random.Random) -> list[int]:
    place = rng.randrange(POOL)
    return [place + POOL * (i % 2) for i in range(n)]


def _few(n: int, rng: random.Random) -> list[int]:
    some = [rng.randrange(2 * POOL) for _ in range(rng.randrange(2, 6))]
    return [rng.choice(some) for _ in range(n)]


def _with_infinity(n: int, rng: random.Random) -> list[int]:
    return [INFINITY if rng.random() < 0.3 else rng.randrange(2 * POOL) for _ in range(n)]


POINTS: dict[str, Places] = {
    "drawn": lambda n, rng: [rng.randrange(2 * POOL) for _ in range(n)],
    "different": _different,
    "equal": lambda n, rng: [rng.randrange(2 * POOL)] * n,
    "P and -P": _signs_of_a_point,
    "pairs of P and -P": lambda n, rng: [i // 2 % POOL + POOL * (i % 2) for i in range(n)],
    "pairs": lambda n, rng: [i // 2 % POOL for i in range(n)],
    "few": _few,
    "small multiples": lambda n, rng: [rng.randrange(SMALL) + POOL * rng.randrange(2) for _ in range(n)],
    "powers of two": lambda n, rng: [(1 << i % 6) - 1 for i in range(n)],
    "infinity": lambda n, rng: [INFINITY] * n,
    "infinity in between": _with_infinity,
    "runs": lambda n, rng: _runs(n, rng, [rng.randrange(INFINITY + 1) for _ in range(4)]),
    "runs of infinity": lambda n, rng: _runs(n, rng, [INFINITY, rng.randrange(2 * POOL), rng.randrange(POOL)]),
    "other orders": lambda n, rng: [POOL - 1 - rng.randrange(OTHER) + POOL * rng.randrange(2) for _ in range(n)],
}


def _runs(n: int, rng: random.Random, places: list[int]) -> list[int]:
    found: list[int] = []
    while len(found) < n:
        found += [rng.choice(places)] * rng.randrange(1, 70)
    return found[:n]


def scalars(field: Field, n: int, rng: random.Random) -> tuple[str, Array]:
    """A name and ``[n, limbs]``: one way or two shuffled into one another, and rarely a value that is too large."""
    name = rng.choice(list(SCALARS))
    values = SCALARS[name](n, field.modulus, rng)
    if rng.random() < 0.3:
        other = rng.choice(list(SCALARS))
        values = [
            a if rng.random() < 0.5 else b for a, b in zip(values, SCALARS[other](n, field.modulus, rng), strict=True)
        ]
        name += f" and {other}"
    array = encode_elements(field, values)
    if n and rng.random() < 0.02:
        too_large = rng.choice((field.modulus, field.modulus + 1, (1 << 64 * field.limbs) - 1))
        array[rng.randrange(n)] = np.frombuffer(too_large.to_bytes(field.n_bytes, "little"), "<u8")
        name += ", one too large"
    return name, placed(array, rng)


def points(group: Group, n: int, rng: random.Random, among: tuple[str, ...] = tuple(POINTS)) -> tuple[str, Array]:
    """A name and ``[n, *point_shape]``."""
    name = rng.choice(among)
    places = POINTS[name](n, rng)
    if rng.random() < 0.3:
        other = rng.choice(among)
        cut = rng.randrange(n + 1)
        places = places[:cut] + POINTS[other](n - cut, rng)
        name += f", then {other}"
    array = pool(group)[np.array(places, np.int64)] if n else np.zeros((0, *group.point_shape), np.uint64)
    return name, placed(array, rng)


def placed(array: Array, rng: random.Random) -> Array:
    """The array, now and then read-only and at an odd address, as in a mapped file."""
    if rng.random() < 0.8:
        return array
    offset = rng.randrange(1, 64)
    memory = bytes(offset) + array.tobytes()
    return np.frombuffer(memory, np.uint8, offset=offset).view(np.uint64).reshape(array.shape)
