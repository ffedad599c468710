"""Groth16 instances whose toxic waste is known, so that a true proof is four scalar multiplications away."""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from random import Random

from py_ecc.optimized_bn128 import FQ, FQ2, G1, G2, add, b2, curve_order, is_inf, multiply, normalize
from py_ecc.optimized_bn128 import field_modulus as q

from proofgrid.settlement.layout.keys import KEY_DIGEST_HEAD

r = curve_order
Point1 = tuple[int, int]
Point2 = tuple[int, int, int, int]  # x.c1, x.c0, y.c1, y.c0


def g1(scalar: int) -> Point1:
    if scalar % r == 0:
        return 0, 0
    x, y = normalize(multiply(G1, scalar % r))
    return int(x), int(y)


def g2(scalar: int) -> Point2:
    if scalar % r == 0:
        return 0, 0, 0, 0
    x, y = normalize(multiply(G2, scalar % r))
    return tuple(int(c) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def _square_root(value: FQ2) -> FQ2 | None:
    """In Fq2 with u^2 = -1 and q = 3 mod 4, by the norm; None for a non-residue."""
    c0, c1 = (int(c) for c in value.coeffs)
    norm = pow(c0 * c0 + c1 * c1, (q + 1) // 4, q)
    for sign in (norm, -norm):
        x0 = pow((c0 + sign) * pow(2, -1, q), (q + 1) // 4, q)
        root = FQ2([x0, c1 * pow(2 * x0, -1, q)])
        if root * root == value:
            return root
    return None


def _outside_subgroup() -> Point2:
    """The first (x + u, y) on the twist y^2 = x^3 + 3 / (9 + u), x = 0, 1, ..., whose order is not r."""
    for x in range(100):
        point_x = FQ2([x, 1])
        root = _square_root(point_x**3 + b2)
        if root is not None and not is_inf(multiply((point_x, root, FQ2.one()), r)):
            return tuple(int(c) for c in (point_x.coeffs[1], point_x.coeffs[0], root.coeffs[1], root.coeffs[0]))
    raise AssertionError("no point found")


OUTSIDE_SUBGROUP = _outside_subgroup()
"""On the twist, and not in G2."""


@dataclass(frozen=True)
class Instance:
    """A key's encoding, public inputs, and a true proof as three points."""

    encoding: bytes
    inputs: tuple[int, ...]
    a: Point1
    b: Point2
    c: Point1

    @property
    def digest(self) -> bytes:
        return sha256(KEY_DIGEST_HEAD + len(self.inputs).to_bytes(4, "big") + self.encoding).digest()

    @property
    def proof(self) -> bytes:
        return words(*self.a, *self.b, *self.c)

    def with_points(self, **points: tuple[int, ...]) -> "Instance":
        return replace(self, **points)


def _cube_root(value: int) -> int | None:
    """In Fq, where 9 and not 27 divides q - 1: up to a ninth root of unity it is a power; None for no cube."""
    part = (q - 1) // 9
    root, unity = pow(value, pow(3, -1, part), q), pow(3, part, q)
    return next((x for i in range(9) if pow(x := root * pow(unity, i, q) % q, 3, q) == value), None)


def _close_to_q(difference: int) -> Point1:
    """The first point of the curve whose y is q - difference, or up to 99 more."""
    for below in range(difference, difference + 100):
        x = _cube_root((below**2 - 3) % q)
        if x is not None:
            return x, q - below
    raise AssertionError("no point found")


CLOSE_TO_Q = [_close_to_q(1), _close_to_q(2**128 - 100), _close_to_q(2**192 - 100)]
"""Points of G1 whose y equals q in words, so that q - y has words of zeros, or, after a borrow, of ones."""


@cache
def instance_with_a(a: Point1) -> Instance:
    """An instance with one input whose true proof has this A, a point that nobody knows the logarithm of."""
    random = Random(str(a))
    alpha, beta, gamma, delta, b, first, second = (random.randrange(1, r) for _ in range(7))
    value = random.randrange(r)
    combined = alpha * beta + (first + value * second) * gamma
    point = (FQ(a[0]), FQ(a[1]), FQ.one())
    c = multiply(add(multiply(point, b), multiply(G1, -combined % r)), pow(delta, -1, r))
    encoding = words(*g1(alpha), *g2(beta), *g2(gamma), *g2(delta), *g1(first), *g1(second))
    return Instance(encoding, (value,), a, g2(b), tuple(int(one) for one in normalize(c)))


@cache
def instance(n_public: int, *, at_infinity: str = "") -> Instance:
    """The instance with this many inputs; always the same one.

    With ``at_infinity`` "a" or "b" that point of the proof is the point at infinity and the equation holds all the
    same, which only the owner of the toxic waste can arrange.
    """
    random = Random(n_public)
    alpha, beta, gamma, delta, a, b = (random.randrange(1, r) for _ in range(6))
    a, b = a * (at_infinity != "a"), b * (at_infinity != "b")
    ic = [random.randrange(1, r) for _ in range(n_public + 1)]
    inputs = tuple(random.randrange(r) for _ in range(n_public))
    combined = ic[0] + sum(x * k for x, k in zip(inputs, ic[1:], strict=True))
    c = (a * b - alpha * beta - combined * gamma) * pow(delta, -1, r)
    encoding = words(*g1(alpha), *g2(beta), *g2(gamma), *g2(delta))
    encoding += b"".join(words(*g1(k)) for k in ic)
    return Instance(encoding, inputs, g1(a), g2(b), g1(c))


__all__ = [
    "CLOSE_TO_Q",
    "OUTSIDE_SUBGROUP",
    "Instance",
    "g1",
    "g2",
    "instance",
    "instance_with_a",
    "q",
    "r",
    "words",
]
