"""An independent oracle: Fq2 and affine curve arithmetic on plain integers, by the schoolbook formulas.

It shares nothing with the kernels and takes any :class:`Curve`, toy curves included. A point is ``None`` or a pair
of coordinates; a coordinate is an :class:`Fq2` for both groups (G1's have c1 = 0).
"""

from dataclasses import dataclass
from itertools import count
from typing import cast

from proofgrid.kernels.arrays import AffinePoint
from proofgrid.kernels.curves import Curve, Group


@dataclass(frozen=True)
class Fq2:
    """c0 + c1 * u with u^2 = -1."""

    c0: int
    c1: int
    q: int

    def __add__(self, other: "Fq2") -> "Fq2":
        return Fq2((self.c0 + other.c0) % self.q, (self.c1 + other.c1) % self.q, self.q)

    def __sub__(self, other: "Fq2") -> "Fq2":
        return Fq2((self.c0 - other.c0) % self.q, (self.c1 - other.c1) % self.q, self.q)

    def __mul__(self, other: "Fq2") -> "Fq2":
        real = self.c0 * other.c0 - self.c1 * other.c1
        return Fq2(real % self.q, (self.c0 * other.c1 + self.c1 * other.c0) % self.q, self.q)

    def __neg__(self) -> "Fq2":
        return Fq2(-self.c0 % self.q, -self.c1 % self.q, self.q)

    def __bool__(self) -> bool:
        return bool(self.c0 or self.c1)

    def inverse(self) -> "Fq2":
        norm = pow(self.c0 * self.c0 + self.c1 * self.c1, -1, self.q)
        return Fq2(self.c0 * norm % self.q, -self.c1 * norm % self.q, self.q)

    def power(self, exponent: int) -> "Fq2":
        result, base = Fq2(1, 0, self.q), self
        while exponent:
            if exponent & 1:
                result = result * base
            base, exponent = base * base, exponent >> 1
        return result

    def square_root(self) -> "Fq2 | None":
        """By the norm's root, for q = 3 mod 4."""
        norm = (self.c0 * self.c0 + self.c1 * self.c1) % self.q
        root = pow(norm, (self.q + 1) // 4, self.q)
        for sign in (root, -root):
            c0_squared = (self.c0 + sign) * pow(2, -1, self.q) % self.q
            c0 = pow(c0_squared, (self.q + 1) // 4, self.q)
            candidates = [Fq2(c0, self.c1 * pow(2 * c0, -1, self.q) % self.q, self.q)] if c0 else [Fq2(0, 0, self.q)]
            candidates.append(Fq2(0, pow(-self.c0 % self.q, (self.q + 1) // 4, self.q), self.q))
            for candidate in candidates:
                if candidate * candidate == self:
                    return candidate
        return None


Point = tuple[Fq2, Fq2] | None


def lift(group: Group, q: int, point: AffinePoint) -> Point:
    """From the form of :func:`decode_points`."""
    if point is None:
        return None
    if group.name == "g1":
        x, y = cast(tuple[int, int], point)
        return (Fq2(x, 0, q), Fq2(y, 0, q))
    (x0, x1), (y0, y1) = cast(tuple[tuple[int, int], tuple[int, int]], point)
    return (Fq2(x0, x1, q), Fq2(y0, y1, q))


def lower(group: Group, point: Point) -> AffinePoint:
    """To the form of :func:`encode_points`."""
    if point is None:
        return None
    x, y = point
    return (x.c0, y.c0) if group.name == "g1" else ((x.c0, x.c1), (y.c0, y.c1))


def add(a: Point, b: Point) -> Point:
    """Chord and tangent."""
    if a is None or b is None:
        return a or b
    (x1, y1), (x2, y2) = a, b
    if x1 == x2 and not y1 + y2:
        return None
    rise, run = ((x1 * x1 + x1 * x1 + x1 * x1), y1 + y1) if x1 == x2 else (y2 - y1, x2 - x1)
    slope = rise * run.inverse()
    x3 = slope * slope - x1 - x2
    return (x3, slope * (x1 - x3) - y1)


def negate(point: Point) -> Point:
    return None if point is None else (point[0], -point[1])


def multiply(point: Point, scalar: int) -> Point:
    result: Point = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def coefficient(curve: Curve, group: Group) -> Fq2:
    return Fq2(curve.b, 0, curve.q) if group.name == "g1" else Fq2(*curve.b2, curve.q)


def generator(curve: Curve, group: Group) -> Point:
    return lift(group, curve.q, curve.g1_generator if group.name == "g1" else curve.g2_generator)


def any_point(curve: Curve, group: Group, start: int = 1) -> Point:
    """A point on the curve with the first fitting x from ``start``, in general outside the subgroup."""
    b = coefficient(curve, group)
    for c0 in count(start):
        x = Fq2(c0 % curve.q, 0 if group.name == "g1" else 1, curve.q)
        y = (x * x * x + b).square_root()
        if y is not None and (group.name == "g2" or y.c1 == 0):
            return (x, y)
    raise AssertionError("unreachable")


def curve_order(curve: Curve, group: Group) -> int:
    """#E(Fq), or the order of the twist's group over Fq2 (Freeman, Scott, Teske, eprint 2006/372, section 2)."""
    x, q, r = curve.seed, curve.q, curve.r
    if curve.family == "bn":
        return r if group.name == "g1" else r * (2 * q - r)
    if group.name == "g1":
        return (x - 1) ** 2 // 3 * r
    return (x**8 - 4 * x**7 + 5 * x**6 - 4 * x**4 + 6 * x**3 - 4 * x**2 - 4 * x + 13) // 9 * r
