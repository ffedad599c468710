"""Groth16 instances whose toxic waste is known, so that a true proof is four scalar multiplications away."""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from random import Random

from py_ecc.optimized_bn128 import FQ2, G1, G2, b2, curve_order, is_inf, multiply, normalize
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


__all__ = ["OUTSIDE_SUBGROUP", "Instance", "g1", "g2", "instance", "q", "r", "words"]
