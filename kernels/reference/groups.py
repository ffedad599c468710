"""G1 and G2 by py_ecc's projective formulas; affine points (or ``None``, infinity) in and out."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from proofgrid.kernels.arrays import AffinePoint
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Curve, Group
from proofgrid.kernels.reference.ecc import optimized_bls12_381, optimized_bn128

PROJECTIVE = Any  # py_ecc's (x, y, z) over FQ or FQ2

_MODULES: dict[str, ModuleType] = {"bn254": optimized_bn128, "bls12_381": optimized_bls12_381}


def library(curve: Curve) -> ModuleType:
    """py_ecc's module for ``curve``."""
    return _MODULES[curve.name]


def to_projective(group: Group, point: AffinePoint) -> PROJECTIVE:
    """py_ecc's form of an affine point."""
    ecc = library(group.curve)
    if point is None:
        return ecc.Z1 if group.name == "g1" else ecc.Z2
    coordinate = ecc.FQ if group.name == "g1" else ecc.FQ2
    return (coordinate(point[0]), coordinate(point[1]), coordinate.one())


def to_affine(group: Group, point: PROJECTIVE) -> AffinePoint:
    """The inverse of :func:`to_projective`. Cost: one inversion."""
    ecc = library(group.curve)
    if ecc.is_inf(point):
        return None
    x, y = ecc.normalize(point)
    if group.name == "g1":
        return (int(x), int(y))
    (x0, x1), (y0, y1) = x.coeffs, y.coeffs
    return ((int(x0), int(x1)), (int(y0), int(y1)))


def add(group: Group, a: AffinePoint, b: AffinePoint) -> AffinePoint:
    """a + b, any two points of the curve."""
    total = library(group.curve).add(to_projective(group, a), to_projective(group, b))
    return to_affine(group, total)


def scale(group: Group, base: AffinePoint, scalars: Sequence[int], control: Control | None = None) -> list[AffinePoint]:
    """scalars[i] * base, by double and add."""
    if control is not None:
        control.expect(len(scalars))
    point, results = to_projective(group, base), []
    for scalar in scalars:
        if control is not None:
            control.step()
        results.append(to_affine(group, library(group.curve).multiply(point, scalar)))
    return results


def lincomb(
    group: Group, bases: Sequence[AffinePoint], scalars: Sequence[int], control: Control | None = None
) -> AffinePoint:
    """sum of scalars[i] * bases[i], term by term: the definition of the MSM."""
    if control is not None:
        control.expect(len(scalars))
    ecc = library(group.curve)
    total = to_projective(group, None)
    for base, scalar in zip(bases, scalars, strict=True):
        if control is not None:
            control.step()
        total = ecc.add(total, ecc.multiply(to_projective(group, base), scalar))
    return to_affine(group, total)


def is_in_subgroup(group: Group, point: AffinePoint) -> bool:
    """On the curve, and r * point is infinity. Cost: one scalar multiplication."""
    ecc = library(group.curve)
    projective = to_projective(group, point)
    if not ecc.is_on_curve(projective, ecc.b if group.name == "g1" else ecc.b2):
        return False
    return bool(ecc.is_inf(ecc.multiply(projective, group.curve.r)))
