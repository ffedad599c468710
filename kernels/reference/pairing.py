"""Products of optimal ate pairings by py_ecc, brought to our tower and our exponents.

py_ecc writes Fq12 as Fq[w] / (w^12 - 2a w^6 + a^2 + 1) with u = w^6 - a, where xi = a + u: a = 9 for bn254 and
a = 1 for bls12_381. Its Miller loop runs over |6x + 2| or |x| and does not invert for bls12_381's negative seed,
and its final exponent is (q^12 - 1) / r for both.
"""

from collections.abc import Sequence

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import AffinePoint
from proofgrid.kernels.curves import Curve
from proofgrid.kernels.reference.ecc import FQ12
from proofgrid.kernels.reference.groups import library, to_projective


def product(curve: Curve, g1: Sequence[AffinePoint], g2: Sequence[AffinePoint]) -> list[int]:
    """prod e(g1[i], g2[i]) as the twelve coefficients of :meth:`Backend.pairing_product`."""
    ecc = library(curve)
    total = ecc.FQ12.one()
    for index, (p, q) in enumerate(zip(g1, g2, strict=True)):
        if p is None or q is None:
            continue
        left, right = to_projective(curve.g1, p), to_projective(curve.g2, q)
        if not (ecc.is_on_curve(left, ecc.b) and ecc.is_on_curve(right, ecc.b2)):
            raise MalformedInput(f"pairing_product: pair {index} is not on {curve.name}; see check_points")
        total *= ecc.pairing(right, left, final_exponentiate=False)
    value = ecc.final_exponentiate(total)
    if curve.family == "bls12":
        value = (value * value * value).inv()  # the exponent's factor 3, and f_x = 1 / f_|x| for the negative seed
    return tower_coefficients(curve, value)


def tower_coefficients(curve: Curve, value: FQ12) -> list[int]:
    """From the basis 1, w .. w^11 to (u + xi's basis): sum over j < 6 of (a_j + b_j u) w^j, w^2 = v."""
    real = curve.xi[0]
    c = [int(coefficient) for coefficient in value.coeffs]
    powers = [((c[j] + real * c[j + 6]) % curve.q, c[j + 6]) for j in range(6)]
    return [powers[2 * v + w][u] for w in range(2) for v in range(3) for u in range(2)]
