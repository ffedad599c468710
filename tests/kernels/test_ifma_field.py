"""The arithmetic of eight lanes, in a VERIFY build: every pair of a toy field, and the corners of the real ones.

``ifma/main.cpp`` is compiled once. Over toy fields it compares with machine integers itself; over the real ones it is a
calculator whose operands are chosen here, up to the magnitudes that the layer allows, and whose results are compared
with Python's integers. A VERIFY build aborts where a value breaks its stated bound; the last tests break the bounds.
"""

import itertools
import math
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from proofgrid.kernels.curves import CURVES
from tests.kernels import backends
from tests.kernels.test_toy import INCLUDE, SOURCES, compiler
from tests.kernels.toy import curves

HERE = Path(__file__).parent / "ifma"
LANES, LIMB = 8, 52
FLAGS = ("-std=c++20", "-Wall", "-Wextra", "-Werror", "-DPROOFGRID_LAYER_IFMA", "-DPROOFGRID_VERIFY")
FIELDS = {field.name: field for curve in CURVES.values() for field in (curve.Fq, curve.Fr)}
Element = tuple[int, ...]


def build(folder: Path, source: Path, *includes: Path, optimise: str = "-O1") -> Path:
    """The program, by g++ without its false alarm about 512-bit intrinsics (GCC bug 105593)."""
    backends.named("native-ifma")
    quiet = ("-Wno-uninitialized", "-Wno-maybe-uninitialized")
    program = folder / source.stem
    command = [compiler(), *FLAGS, *quiet, optimise, *(f"-I{path}" for path in includes), source, "-o", program]
    subprocess.run(command, check=True, timeout=300)
    return program


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ifma")
    (folder / "toy_params.hpp").write_text(curves.header())
    return build(folder, HERE / "main.cpp", INCLUDE, SOURCES, folder)


def test_every_pair_of_a_toy_field(program: Path) -> None:
    result = subprocess.run([program, "toys"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(result.stdout.removesuffix(" checks\n")) > 2_500_000


def test_an_element_of_fp12_spread_over_the_lanes(program: Path) -> None:
    result = subprocess.run([program, "spread"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(result.stdout.removesuffix(" checks\n")) > 2_700


@dataclass(frozen=True)
class Layout:
    """A field or its quadratic extension, as the layer sees it."""

    name: str
    modulus: int
    words: int
    coordinates: int

    @property
    def limbs(self) -> int:
        return (self.modulus.bit_length() + 5 + LIMB - 1) // LIMB

    @property
    def headroom(self) -> int:
        """The most that two factors' magnitudes may multiply to; in Fp2 an offset takes the other half."""
        return min((1 << LIMB * self.limbs) // self.modulus, 2**16 - 1) // self.coordinates

    @property
    def magnitudes(self) -> list[tuple[int, int]]:
        """Of the operands, in the order of ``corners.hpp``."""
        most, root = self.headroom, math.isqrt(self.headroom)
        return [(1, 1), (3, 3), (3, 5), (root, root), (most, 1), (1, most)]

    def corners(self, magnitude: int, rng: random.Random) -> list[int]:
        """Numbers below magnitude * p: around its multiples, with full limbs, with single full limbs, and drawn."""
        p, bound = self.modulus, magnitude * self.modulus
        found = [j * p + c for j in (0, 1, magnitude - 1) for c in (0, 1, 2, (p - 1) // 2, p - 2, p - 1)]
        found += [(bound >> LIMB * i << LIMB * i) - 1 for i in range(1, self.limbs)]
        found += [((1 << LIMB) - 1) << LIMB * i for i in range(self.limbs)]
        found += [1 << LIMB * i for i in range(self.limbs)] + [rng.randrange(bound) for _ in range(4)]
        return sorted({x for x in found if 0 <= x < bound})

    def elements(self, magnitude: int, rng: random.Random) -> list[Element]:
        corners = self.corners(magnitude, rng)
        if self.coordinates == 1:
            return [(x,) for x in corners]
        ends = [0, 1, self.modulus, magnitude * self.modulus - 1, corners[-2]]
        ends = [x for x in ends if x < magnitude * self.modulus]
        return [*itertools.product(ends, ends), *((x, rng.choice(corners)) for x in corners)]


LAYOUTS = [Layout(name, field.modulus, field.limbs, 1) for name, field in FIELDS.items()] + [
    Layout(f"{curve.Fq.name}2", curve.Fq.modulus, curve.Fq.limbs, 2) for curve in CURVES.values()
]


def rounds(layout: Layout, rng: random.Random) -> Iterator[list[tuple[list[Element], list[Element]]]]:
    """Eight pairs for each of the magnitudes, until every element has met at least two dozen others."""
    columns = []
    for a, b in layout.magnitudes:
        pairs = list(itertools.product(layout.elements(a, rng), layout.elements(b, rng)))
        rng.shuffle(pairs)
        columns.append(pairs)
    for start in range(0, 960, LANES):
        yield [
            ([a for a, _ in eight], [b for _, b in eight])
            for eight in ([pairs[(start + i) % len(pairs)] for i in range(LANES)] for pairs in columns)
        ]


def times(a: Element, b: Element) -> Element:
    if len(a) == 1:
        return (a[0] * b[0],)
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def inverted(x: Element, p: int) -> Element:
    if len(x) == 1:
        return (pow(x[0], -1, p) if x[0] % p else 0,)
    norm = (x[0] * x[0] + x[1] * x[1]) % p
    scale = pow(norm, -1, p) if norm else 0
    return x[0] * scale, -x[1] * scale


def laws(layout: Layout) -> dict[str, Callable[[Element, Element, int], Element]]:
    """What each operation gives for the limbs a and b in a lane: Montgomery form with R = 2^(52 limbs)."""
    p, r = layout.modulus, 1 << LIMB * layout.limbs
    r_inverse, words = pow(r, -1, p), 1 << 64 * layout.words

    def scaled(x: Element, factor: int) -> Element:
        return tuple(c * factor for c in x)

    def plus(x: Element, y: Element) -> Element:
        return tuple(c + d for c, d in zip(x, y, strict=True))

    one = (r, 0)[: layout.coordinates]
    return {
        "canonical": lambda a, b, lane: a,
        "add": lambda a, b, lane: plus(a, b),
        "subtract": lambda a, b, lane: plus(a, scaled(b, -1)),
        "blend": lambda a, b, lane: a if lane % 2 else b,
        "negate": lambda a, b, lane: scaled(a, -1),
        "multiply": lambda a, b, lane: scaled(times(a, b), r_inverse),
        "multiply_by_c0": lambda a, b, lane: scaled(a, b[0] * r_inverse),
        "square": lambda a, b, lane: scaled(times(a, a), r_inverse),
        "sum_of_products": lambda a, b, lane: scaled(times(a, b), 2 * r_inverse),
        "sum_of_two": lambda a, b, lane: plus(scaled(times(a, b), r_inverse), one),
        "enter_mont": lambda a, b, lane: scaled(a, r * pow(words, -1, p)),
        "enter_canonical": lambda a, b, lane: scaled(a, r),
        "leave_mont": lambda a, b, lane: scaled(a, words * r_inverse),
        "leave_canonical": lambda a, b, lane: scaled(a, r_inverse),
        "inverse": lambda a, b, lane: scaled(inverted(a, p), r * r),
        "conjugate": lambda a, b, lane: (a[0], -a[-1]),
        "is_zero": lambda a, b, lane: (int(not any(c % p for c in a)),),
    }


def limbs_of(elements: list[Element], layout: Layout) -> bytes:
    mask = (1 << LIMB) - 1
    limbs = [x >> LIMB * i & mask for element in elements for x in element for i in range(layout.limbs)]
    return np.array(limbs, "<u8").tobytes()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_corners_up_to_the_largest_magnitudes(program: Path, layout: Layout) -> None:
    rows = [pair for row in rounds(layout, random.Random(1)) for pair in row]
    data = b"".join(limbs_of(a, layout) + limbs_of(b, layout) for a, b in rows)
    result = subprocess.run([program, layout.name], input=data, capture_output=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr.decode()
    lines, expected, p = iter(result.stdout.decode().splitlines()), laws(layout), layout.modulus
    seen: dict[str, int] = {}
    row, last = iter(rows), ""
    a: list[Element] = []
    b: list[Element] = []
    for line in lines:
        operation = line.split()[0]
        if operation == "canonical" and last != "canonical":
            a, b = next(row)
        last = operation
        for lane in range(LANES):
            name, *numbers = line.split()
            assert name == operation
            want = tuple(c % p for c in expected[name](a[lane], b[lane], lane))
            assert tuple(int(n, 16) for n in numbers) == want, (name, lane, a, b)
            if lane + 1 < LANES:
                line = next(lines)
        seen[operation] = seen.get(operation, 0) + LANES
    assert next(row, None) is None, "the calculator stopped early"
    missing = {"conjugate", "multiply_by_c0"} if layout.coordinates == 1 else set()
    assert seen.keys() == expected.keys() - missing
    assert min(seen.values()) >= 960


BROKEN = {
    "the magnitude of a product": ("field.hpp", "product = 3;", "product = 1;", "not below its magnitude"),
    "a sum's carry": (
        "field.hpp",
        "    r.carry();\n    return r.bound(a.magnitude() + b",
        "    return r.bound(a.magnitude() + b",
        "not carried",
    ),
    "a difference's offset": ("field.hpp", "offset = C::multiple(m);", "offset = C::multiple(m - 1);", "not carried"),
    "the offset of Fp2": ("fp2.hpp", "square_multiple(headroom);", "square_multiple(1);", "negative value"),
    "factors too large": ("constants.hpp", "m |= bit;", "m |= bit / 2;", "exceeds"),
    "a sum for a difference": (
        "fp2.hpp",
        "_mm512_sub_epi64(low[i], high[i])",
        "_mm512_add_epi64(low[i], high[i])",
        "beyond the headroom before",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_bound_aborts(tmp_path: Path, name: str) -> None:
    file, old, new, message = BROKEN[name]
    (tmp_path / "proofgrid" / "ifma").mkdir(parents=True)
    for header in (INCLUDE / "proofgrid" / "ifma").glob("*.hpp"):
        text = header.read_text()
        if header.name == file:
            assert text.count(old) == 1, "the code has changed: break it anew"
            text = text.replace(old, new)
        (tmp_path / "proofgrid" / "ifma" / header.name).write_text(text)
    program = build(tmp_path, HERE / "bounds.cpp", tmp_path, INCLUDE, optimise="-O0")
    result = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == -6, result.stdout
    assert "proofgrid VERIFY: " in result.stderr
    assert message in result.stderr


def test_the_bounds_as_they_are(tmp_path: Path) -> None:
    program = build(tmp_path, HERE / "bounds.cpp", INCLUDE, optimise="-O0")
    assert subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout == "within bounds\n"
