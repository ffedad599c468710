"""Points that are almost right: on no curve, or on the curve and outside the subgroup of order r."""

from itertools import count

import numpy as np

from proofgrid.kernels.arrays import Array, encode_points
from proofgrid.kernels.curves import Curve, Fq2, Group

Pair = tuple[int, int]


def outside_subgroup(group: Group) -> Array:
    """The first point with x = (i, 1), or x = i in G1, that solves the curve equation: its order is not r.

    Taken as it comes from the whole curve it lies in the subgroup with probability 1 / cofactor.
    """
    for i in count(1):
        point = _lift_g2(group.curve, (i, 1)) if group.name == "g2" else _lift_g1(group.curve, i)
        if point is not None:
            return encode_points(group, [point])[0]
    raise AssertionError


def off_curve(group: Group) -> Array:
    """(1, 1), or ((1, 1), (1, 1)): canonical coordinates that solve no equation of ours."""
    point = np.zeros(group.point_shape, dtype=np.uint64)
    point[..., 0] = 1
    return point


def _lift_g1(curve: Curve, x: int) -> Pair | None:
    square = (x**3 + curve.b) % curve.q
    y = _sqrt(square, curve.q)
    return None if y is None else (x, y)


def _lift_g2(curve: Curve, x: Fq2) -> tuple[Fq2, Fq2] | None:
    cube = _mul(x, _mul(x, x, curve.q), curve.q)
    square = ((cube[0] + curve.b2[0]) % curve.q, (cube[1] + curve.b2[1]) % curve.q)
    y = _sqrt2(square, curve.q)
    return None if y is None else (x, y)


def _mul(a: Fq2, b: Fq2, q: int) -> Fq2:
    return ((a[0] * b[0] - a[1] * b[1]) % q, (a[0] * b[1] + a[1] * b[0]) % q)


def _sqrt(a: int, q: int) -> int | None:
    """q is 3 mod 4 for both curves."""
    root = pow(a, (q + 1) // 4, q)
    return root if root * root % q == a else None


def _sqrt2(a: Fq2, q: int) -> Fq2 | None:
    """By the norm: (x + y u)^2 = a0 + a1 u with x^2 = (a0 + |a|) / 2 and y = a1 / 2x."""
    norm = _sqrt((a[0] * a[0] + a[1] * a[1]) % q, q)
    if norm is None:
        return None
    for sign in (norm, -norm):
        x = _sqrt((a[0] + sign) * pow(2, -1, q) % q, q)
        if x:
            root = (x, a[1] * pow(2 * x, -1, q) % q)
            if _mul(root, root, q) == a:
                return root
    return None
