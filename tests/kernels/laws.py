"""The laws as a kit: one call gives a field or a group everything it must obey, over any backend."""

import random
from collections.abc import Callable

import numpy as np

from proofgrid.kernels.arrays import Array, decode_elements, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Field, Group
from tests.kernels import plain


def boundary(field: Field) -> list[int]:
    """The values where carries, borrows and reductions go wrong."""
    p, radix = field.modulus, field.montgomery_radix
    values = {0, 1, 2, 3, p - 1, p - 2, p // 2, p // 2 + 1, radix, p - radix, radix * radix % p, pow(radix, -1, p)}
    for limb in range(1, field.limbs):
        word = 1 << (64 * limb)
        values |= {word - 1, word, word + 1, p - word, p - word - 1}
    values.add(p - 1 - (p - 1) % 2**64)  # the lowest limb all zeros
    values.add((p >> 64 << 64) - 1)  # the lowest limb all ones
    return sorted(value % p for value in values)


def sample(field: Field, count: int, seed: int = 0) -> list[int]:
    """Boundary values, then random ones."""
    generator = random.Random(seed)
    return (boundary(field) + [generator.randrange(field.modulus) for _ in range(count)])[:count]


def assert_field_laws(field: Field, backend: Backend, count: int = 64) -> None:
    """Ring axioms, inverses, squaring, the order of the group and the roots of unity."""
    numbers = sample(field, count)
    a = encode_elements(field, numbers)
    b, c = np.roll(a, 1, axis=0), np.roll(a, 7, axis=0)
    zero, one = encode_elements(field, [0] * count), encode_elements(field, [1] * count)

    def op(name: str) -> Callable[..., Array]:
        return lambda *operands: backend.field(field, name, *operands)  # type: ignore[arg-type]

    add, sub, mul, neg, square, inv = (op(name) for name in ("add", "sub", "mul", "neg", "square", "inv"))
    laws = {
        "a + b = b + a": (add(a, b), add(b, a)),
        "(a + b) + c = a + (b + c)": (add(add(a, b), c), add(a, add(b, c))),
        "a + 0 = a": (add(a, zero), a),
        "a + -a = 0": (add(a, neg(a)), zero),
        "a - b = a + -b": (sub(a, b), add(a, neg(b))),
        "-0 = 0": (neg(zero), zero),
        "a b = b a": (mul(a, b), mul(b, a)),
        "(a b) c = a (b c)": (mul(mul(a, b), c), mul(a, mul(b, c))),
        "a 1 = a": (mul(a, one), a),
        "a 0 = 0": (mul(a, zero), zero),
        "a (b + c) = a b + a c": (mul(a, add(b, c)), add(mul(a, b), mul(a, c))),
        "a^2 = a a": (square(a), mul(a, a)),
        "1/a a = 1, 1/0 = 0": (mul(inv(a), a), encode_elements(field, [int(value != 0) for value in numbers])),
        "1/(1/a) = a": (inv(inv(a)), a),
        "1/(a b) = 1/a 1/b": (inv(mul(a, b)), mul(inv(a), inv(b))),
    }
    for law, (left, right) in laws.items():
        assert (left == right).all(), f"{field.name} over {backend.name}: {law}"
    _assert_roots_of_unity(field, square)


def _assert_roots_of_unity(field: Field, square: Callable[..., Array]) -> None:
    """w of order 2^s is -1 after s - 1 squarings and 1 after s; 2^(s + 1) does not divide p - 1."""
    assert (field.modulus - 1) % (1 << field.two_adicity) == 0
    assert (field.modulus - 1) >> field.two_adicity & 1
    power = encode_elements(field, [field.root_of_unity(field.two_adicity)])
    for _ in range(field.two_adicity - 1):
        power = square(power)
    assert decode_elements(power) == [field.modulus - 1]
    assert decode_elements(square(power)) == [1]


def assert_matches_integers(field: Field, backend: Backend, count: int = 256) -> None:
    """Every operation against Python's integers: all pairs of boundary values, then random ones."""
    p, edge = field.modulus, boundary(field)
    pairs = [(x, y) for x in edge for y in edge]
    pairs += list(zip(sample(field, count, 1)[len(edge) :], sample(field, count, 2)[len(edge) :], strict=True))
    left, right = [x for x, _ in pairs], [y for _, y in pairs]
    a, b = encode_elements(field, left), encode_elements(field, right)
    assert decode_elements(backend.field(field, "add", a, b)) == [(x + y) % p for x, y in pairs]
    assert decode_elements(backend.field(field, "sub", a, b)) == [(x - y) % p for x, y in pairs]
    assert decode_elements(backend.field(field, "mul", a, b)) == [x * y % p for x, y in pairs]
    assert decode_elements(backend.field(field, "neg", a)) == [-x % p for x in left]
    assert decode_elements(backend.field(field, "square", a)) == [x * x % p for x in left]
    assert decode_elements(backend.field(field, "inv", b)) == [pow(y, -1, p) if y else 0 for y in right]


def assert_group_laws(group: Group, backend: Backend) -> None:
    """An abelian group of order r, with the generator's multiples as its sample, infinity among them."""
    r = group.curve.r
    logs = [0, 1, 2, 3, r - 1, r - 2, r // 2]
    generator = encode_points(group, [plain.lower(group, plain.generator(group.curve, group))])[0]

    def multiples(scalars: list[int]) -> Array:
        return backend.scale(group, generator, encode_elements(group.scalar, [s % r for s in scalars]))

    points = multiples(logs)
    table = {(i, j): i + j for i in logs for j in logs}
    a = points[[logs.index(i) for i, _ in table]]
    b = points[[logs.index(j) for _, j in table]]
    total = backend.add_points(group, a, b)
    distinct = sorted({log % r for log in table.values()})
    expected = multiples(distinct)[[distinct.index(log % r) for log in table.values()]]
    name = f"{group.curve_name}.{group.name} over {backend.name}"
    assert (total == expected).all(), f"{name}: i G + j G = (i + j) G"
    assert (total == backend.add_points(group, b, a)).all(), f"{name}: a + b = b + a"
    c = np.roll(a, 5, axis=0)
    left = backend.add_points(group, total, c)
    right = backend.add_points(group, a, backend.add_points(group, b, c))
    assert (left == right).all(), f"{name}: (a + b) + c = a + (b + c)"
    assert (points[0] == 0).all(), f"{name}: 0 G is infinity, all zeros"
    assert backend.check_points(group, points).all(), f"{name}: multiples of G are in the subgroup"
