"""Baby Jubjub: the twisted Edwards curve a x^2 + y^2 = 1 + d x^2 y^2 over the scalar field of BN254.

Its order is 8 l; ``BASE`` generates the subgroup of prime order l. The addition law is complete (a is a
square, d is not). Nothing here is constant-time: it signs the demo's transfers, no one's money.

Source: EIP-2494; formulas add-2008-hwcd and dbl-2008-hwcd of the Explicit-Formulas Database.
"""

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254

Point = tuple[int, int]
_Extended = tuple[int, int, int, int]  # X, Y, T, Z with x = X/Z, y = Y/Z, xy = T/Z

_P = BN254.r
A, D = 168700, 168696
SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
IDENTITY: Point = (0, 1)
BASE: Point = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)


def is_on_curve(point: Point) -> bool:
    """Are both coordinates in [0, r), and do they satisfy the equation?"""
    x, y = point
    return 0 <= x < _P and 0 <= y < _P and (A * x * x + y * y - 1 - D * x * x * y * y) % _P == 0


def require_point(point: Point, what: str) -> Point:
    """``point`` if it is on the curve (not a subgroup check), else :class:`MalformedInput`."""
    if not is_on_curve(point):
        raise MalformedInput(f"{what} is not a point of Baby Jubjub")
    return point


def add(left: Point, right: Point) -> Point:
    """The sum of two points of the curve; one inversion."""
    return _to_affine(_add(_to_extended(left), _to_extended(right)))


def multiply(scalar: int, point: Point = BASE) -> Point:
    """``scalar`` times a point of the curve, scalar >= 0; about 1 ms for 251 bits."""
    if scalar < 0:
        raise MalformedInput("a scalar must not be negative; reduce it modulo the order first")
    total, step = _to_extended(IDENTITY), _to_extended(point)
    for bit in f"{scalar:b}":
        total = _double(total)
        if bit == "1":
            total = _add(total, step)
    return _to_affine(total)


def _to_extended(point: Point) -> _Extended:
    x, y = point
    return x, y, x * y % _P, 1


def _to_affine(point: _Extended) -> Point:
    x, y, _, z = point
    inverse = pow(z, -1, _P)
    return x * inverse % _P, y * inverse % _P


def _add(left: _Extended, right: _Extended) -> _Extended:
    """add-2008-hwcd: 9 mul, 2 by a and d; complete."""
    x1, y1, t1, z1 = left
    x2, y2, t2, z2 = right
    a, b, c, d = x1 * x2 % _P, y1 * y2 % _P, D * t1 * t2 % _P, z1 * z2 % _P
    e, f, g, h = ((x1 + y1) * (x2 + y2) - a - b) % _P, d - c, d + c, b - A * a
    return e * f % _P, g * h % _P, e * h % _P, f * g % _P


def _double(point: _Extended) -> _Extended:
    """dbl-2008-hwcd: 4 mul, 4 sqr, 1 by a."""
    x, y, _, z = point
    a, b, c, d = x * x % _P, y * y % _P, 2 * z * z, A * x * x % _P
    e, g = ((x + y) ** 2 - a - b) % _P, d + b
    f, h = g - c, d - b
    return e * f % _P, g * h % _P, e * h % _P, f * g % _P
