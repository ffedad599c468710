"""Curves small enough to try every input, declared like the real ones and rendered by the same generator.

They are members of the two families with tiny seeds: the whole chain, from the field to the pairing, is the code of
the real curves, compiled for one limb. ``header`` also renders the subgroups' points, computed by the plain oracle,
so that the C++ side knows every discrete logarithm.
"""

from proofgrid.kernels import codegen
from proofgrid.kernels.curves import Curve, Fq2, Group
from tests.kernels import plain


def _declare(name: str, family: str, seed: int, b: int, xi: Fq2, twist: str) -> Curve:
    """A curve whose generators are the first points that fit, cleared of the cofactor."""
    bare = Curve(name, family, seed, b, xi, twist, (0, 0), ((0, 0), (0, 0)), 0)  # type: ignore[arg-type]
    g1, g2 = (_first_of_order_r(bare, group) for group in (bare.g1, bare.g2))
    return Curve(name, family, seed, b, xi, twist, g1, g2, 0)  # type: ignore[arg-type]


def _first_of_order_r(curve: Curve, group: Group) -> object:
    cofactor, remainder = divmod(plain.curve_order(curve, group), curve.r)
    assert remainder == 0
    for start in range(1, curve.q):
        point = plain.multiply(plain.any_point(curve, group, start), cofactor)
        if point is not None:
            assert plain.multiply(point, curve.r) is None
            return plain.lower(group, point)
    raise AssertionError("unreachable")


# Found by trying every b and k for which #E(Fq) is the family's and k + u is neither a square nor a cube.
TOYS = (
    _declare("toy_bn_19", "bn", -1, 2, (1, 1), "D"),  # q = 19, r = 13
    _declare("toy_bn_103", "bn", 1, 5, (2, 1), "D"),  # q = 103, r = 97
    _declare("toy_bls_727", "bls12", 4, 7, (2, 1), "D"),  # q = 727, r = 241
    _declare("toy_bls_7207", "bls12", -5, 1, (3, 1), "M"),  # q = 7207, r = 601
)


def header() -> str:
    """params.hpp for the toys, and ``Multiples<C>::g1[i]``, ``g2[i]``: i times the generator, canonical."""
    lines = ['#include "proofgrid/params.hpp"', "namespace proofgrid::params {"]
    for curve in TOYS:
        camel = codegen._camel(curve.name)
        lines += codegen._field(camel + "Fq", curve.Fq) + codegen._field(camel + "Fr", curve.Fr) + codegen._curve(curve)
    lines += ["}", "namespace toy {", "template <class C> struct Multiples;"]
    for curve in TOYS:
        lines.append(f"template <> struct Multiples<proofgrid::params::{codegen._camel(curve.name)}> {{")
        for group, width in ((curve.g1, 2), (curve.g2, 4)):
            rows = ", ".join(f"{{{', '.join(map(str, row))}}}" for row in _multiples(curve, group))
            lines.append(f"  static constexpr std::uint64_t {group.name}[{curve.r}][{width}] = {{{rows}}};")
        lines.append("};")
    return "\n".join([*lines, "}", ""])


def _multiples(curve: Curve, group: Group) -> list[tuple[int, ...]]:
    point, rows = None, []
    for _ in range(curve.r):
        if point is None:
            rows.append((0,) * (2 if group.name == "g1" else 4))
        else:
            x, y = point
            rows.append((x.c0, y.c0) if group.name == "g1" else (x.c0, x.c1, y.c0, y.c1))
        point = plain.add(point, plain.generator(curve, group))
    assert point is None
    return rows
