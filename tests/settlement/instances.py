"""Groth16 instances whose toxic waste is known, so that a true proof is four scalar multiplications away."""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from random import Random

from py_ecc.optimized_bn128 import G1, G2, curve_order, multiply, normalize
from py_ecc.optimized_bn128 import field_modulus as q

from proofgrid.settlement.layout import KEY_DIGEST_HEAD

r = curve_order
Point1 = tuple[int, int]
Point2 = tuple[int, int, int, int]  # x.c1, x.c0, y.c1, y.c0


def g1(scalar: int) -> Point1:
    x, y = normalize(multiply(G1, scalar % r))
    return int(x), int(y)


def g2(scalar: int) -> Point2:
    x, y = normalize(multiply(G2, scalar % r))
    return tuple(int(c) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


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
def instance(n_public: int) -> Instance:
    """The instance with this many inputs; always the same one."""
    random = Random(n_public)
    alpha, beta, gamma, delta, a, b = (random.randrange(1, r) for _ in range(6))
    ic = [random.randrange(1, r) for _ in range(n_public + 1)]
    inputs = tuple(random.randrange(r) for _ in range(n_public))
    combined = ic[0] + sum(x * k for x, k in zip(inputs, ic[1:], strict=True))
    c = (a * b - alpha * beta - combined * gamma) * pow(delta, -1, r)
    encoding = words(*g1(alpha), *g2(beta), *g2(gamma), *g2(delta))
    encoding += b"".join(words(*g1(k)) for k in ic)
    return Instance(encoding, inputs, g1(a), g2(b), g1(c))


__all__ = ["Instance", "g1", "g2", "instance", "q", "r", "words"]
