"""Groth16 proving keys: snarkjs' ``.zkey``, memory-mapped.

Points and coefficients lie in the file as the kernels want them: affine, Montgomery form, little-endian limbs,
infinity all zeros. A key therefore opens in constant time whatever its size, and is paged in by the first use.
Source: iden3/snarkjs, src/zkey_utils.js and src/zkey_new.js; the layout is in ``docs/formats.md``.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, is_canonical
from proofgrid.kernels.backend import COEFFICIENT
from proofgrid.kernels.curves import CURVES, Curve, Field, Group
from proofgrid.prover.formats.binfile import BinFile, Cursor, Source, create, open_sections

GROTH16 = 1
NO_CONTRIBUTIONS = bytes(64) + bytes(4)
"""Section 10 of a key that went through no ceremony: a circuit hash of zeros, no contributions."""

_TITLES = {
    1: "protocol",
    2: "header",
    3: "IC",
    4: "coefficients",
    5: "A points",
    6: "B1 points",
    7: "B2 points",
    8: "C points",
    9: "H points",
    10: "contributions",
}
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Zkey:
    """A Groth16 proving key; arrays are ``uint64`` in Montgomery form over Fq, possibly unaligned and read-only.

    ``n_vars`` counts all wires, the constant one included; ``n_public`` the public ones, without it. G1 points are
    ``[n, 2, limbs]``, G2 points ``[n, 2, 2, limbs]``; the header's points have no leading axis.
    """

    curve: Curve
    n_vars: int
    n_public: int
    domain_size: int
    alpha1_mont: Array
    beta1_mont: Array
    beta2_mont: Array
    gamma2_mont: Array
    delta1_mont: Array
    delta2_mont: Array
    ic_mont: Array  # [n_public + 1, 2, limbs]
    coefficients: NDArray[np.void]  # [nnz] of kernels.backend.COEFFICIENT
    a_mont: Array  # [n_vars, 2, limbs]
    b1_mont: Array  # [n_vars, 2, limbs]
    b2_mont: Array  # [n_vars, 2, 2, limbs]
    c_mont: Array  # [n_vars - n_public - 1, 2, limbs]
    h_mont: Array  # [domain_size, 2, limbs]
    contributions: bytes = NO_CONTRIBUTIONS

    @property
    def log_domain(self) -> int:
        return self.domain_size.bit_length() - 1

    def check(self) -> None:
        """Check what opening does not: coefficients' indices and values, and that all coordinates are below q.

        Cost: one pass over the file, about 1 GB/s, in chunks of a few MB. Not a check of the curve equation.
        Raises :class:`MalformedInput` naming the section and the index.
        """
        self._check_coefficients()
        for number, points in self._points().items():
            for start in range(0, len(points), _CHUNK):
                _require_canonical(self.curve.Fq, points[start : start + _CHUNK], f"section {number}", start)

    def _check_coefficients(self) -> None:
        for start in range(0, len(self.coefficients), _CHUNK):
            chunk = self.coefficients[start : start + _CHUNK]
            for field, limit in (("matrix", 2), ("constraint", self.domain_size), ("signal", self.n_vars)):
                if int(chunk[field].max()) >= limit:
                    index = int(np.flatnonzero(chunk[field] >= limit)[0])
                    raise MalformedInput(
                        f"section 4 (coefficients): entry {start + index} has {field} {chunk[field][index]}, "
                        f"expected less than {limit}"
                    )
            _require_canonical(self.curve.Fr, chunk["value"], "section 4", start)

    def _points(self) -> dict[int, Array]:
        return {
            3: self.ic_mont,
            5: self.a_mont,
            6: self.b1_mont,
            7: self.b2_mont,
            8: self.c_mont,
            9: self.h_mont,
        }


def read_zkey(source: Source) -> Zkey:
    """Open a Groth16 proving key: a path (mapped) or bytes.

    Checks the header, every section's size against its count, and that the header's points are below q; the rest is
    :meth:`Zkey.check`. Cost: microseconds, whatever the size. Raises :class:`MalformedInput`.
    """
    file = open_sections(source, "zkey", range(1, 3))
    protocol = file.section(1, _TITLES[1])
    if (number := protocol.u32("the protocol id")) != GROTH16:
        raise MalformedInput(f"{protocol.what}: expected 1 (groth16), got {number}; plonk is 2, fflonk is 10")
    protocol.finish()
    header = _read_header(file.section(2, _TITLES[2]))
    curve, n_public, n_vars = header["curve"], header["n_public"], header["n_vars"]
    return Zkey(
        **header,
        ic_mont=_read_points(file, 3, curve.g1, n_public + 1),
        coefficients=_read_coefficients(file),
        a_mont=_read_points(file, 5, curve.g1, n_vars),
        b1_mont=_read_points(file, 6, curve.g1, n_vars),
        b2_mont=_read_points(file, 7, curve.g2, n_vars),
        c_mont=_read_points(file, 8, curve.g1, n_vars - n_public - 1),
        h_mont=_read_points(file, 9, curve.g1, header["domain_size"]),
        contributions=bytes(file.sections.get(10, b"")),
    )


def _read_header(cursor: Cursor) -> dict[str, Any]:
    curve = _read_curve(cursor)
    n_vars, n_public, domain_size = (cursor.u32(name) for name in ("nVars", "nPublic", "domainSize"))
    if n_public >= n_vars:
        raise MalformedInput(f"{cursor.what}: nPublic is {n_public}, expected less than nVars, which is {n_vars}")
    if domain_size & (domain_size - 1) or not 0 < domain_size <= 1 << curve.Fr.two_adicity:
        raise MalformedInput(
            f"{cursor.what}: domainSize is {domain_size}, expected a power of two up to 2^{curve.Fr.two_adicity}"
        )
    points = {}
    for name in ("alpha1", "beta1", "beta2", "gamma2", "delta1", "delta2"):
        group = curve.g1 if name.endswith("1") else curve.g2
        points[f"{name}_mont"] = point = cursor.words(group.point_shape, name)
        _require_canonical(curve.Fq, point[np.newaxis], f"{cursor.what}: {name}", 0)
    cursor.finish()
    return {"curve": curve, "n_vars": n_vars, "n_public": n_public, "domain_size": domain_size, **points}


def _read_curve(cursor: Cursor) -> Curve:
    primes = []
    for name in ("q", "r"):
        size = cursor.u32(f"{name}'s size")
        if size not in (32, 48):
            raise MalformedInput(f"{cursor.what}: {name} takes {size} bytes, expected 32 or 48")
        primes.append((size, cursor.integer(size, name)))
    for curve in CURVES.values():
        if primes == [(curve.Fq.n_bytes, curve.q), (curve.Fr.n_bytes, curve.r)]:
            return curve
    (_, q), (_, r) = primes
    raise MalformedInput(f"{cursor.what}: no curve known here ({', '.join(CURVES)}) has q = {q:#x} and r = {r:#x}")


def _read_points(file: BinFile, number: int, group: Group, count: int) -> Array:
    cursor = file.section(number, _TITLES[number])
    points = cursor.words((count, *group.point_shape), f"{count} {group.name} points")
    cursor.finish()
    return points


def _read_coefficients(file: BinFile) -> NDArray[np.void]:
    cursor = file.section(4, _TITLES[4])
    count = cursor.u32("the count")
    coefficients = cursor.records(COEFFICIENT, count, f"{count} coefficients")
    cursor.finish()
    return coefficients


def _require_canonical(field: Field, elements: Array, where: str, first: int) -> None:
    canonical = is_canonical(field, elements)
    if not canonical.all():
        index = first + int(np.argwhere(~canonical)[0][0])
        raise MalformedInput(f"{where}: entry {index} is not below the modulus of {field.name}")


def write_zkey(path: str | os.PathLike[str], zkey: Zkey) -> None:
    """Write a proving key as ``snarkjs groth16 setup`` lays it out: sections 1 2 4 3 9 8 5 6 7 10.

    Arrays must have the shapes of :class:`Zkey`; raises :class:`MalformedInput` where they have not. Streams from the
    arrays' own memory into a temporary file that is renamed at the end.
    """
    _require_shapes(zkey)
    points = zkey._points()
    with create(path, "zkey", 1, 10 if zkey.contributions else 9) as out:
        with out.section(1):
            out.u32(GROTH16)
        with out.section(2):
            for field in (zkey.curve.Fq, zkey.curve.Fr):
                out.u32(field.n_bytes)
                out.integer(field.modulus, field.n_bytes)
            for count in (zkey.n_vars, zkey.n_public, zkey.domain_size):
                out.u32(count)
            for point in (zkey.alpha1_mont, zkey.beta1_mont, zkey.beta2_mont, zkey.gamma2_mont):
                out.array(point)
            out.array(zkey.delta1_mont)
            out.array(zkey.delta2_mont)
        with out.section(4):
            out.u32(len(zkey.coefficients))
            out.array(zkey.coefficients)
        for number in (3, 9, 8, 5, 6, 7):
            with out.section(number):
                out.array(points[number])
        if zkey.contributions:
            with out.section(10):
                out.raw(zkey.contributions)


def _require_shapes(zkey: Zkey) -> None:
    g1, g2 = zkey.curve.g1.point_shape, zkey.curve.g2.point_shape
    expected = {
        "alpha1_mont": g1,
        "beta1_mont": g1,
        "beta2_mont": g2,
        "gamma2_mont": g2,
        "delta1_mont": g1,
        "delta2_mont": g2,
        "ic_mont": (zkey.n_public + 1, *g1),
        "a_mont": (zkey.n_vars, *g1),
        "b1_mont": (zkey.n_vars, *g1),
        "b2_mont": (zkey.n_vars, *g2),
        "c_mont": (zkey.n_vars - zkey.n_public - 1, *g1),
        "h_mont": (zkey.domain_size, *g1),
    }
    for name, shape in expected.items():
        array: Array = getattr(zkey, name)
        if array.dtype != np.uint64 or array.shape != shape:
            raise MalformedInput(f"{name}: expected uint64{list(shape)}, got {array.dtype}{list(array.shape)}")
    if zkey.coefficients.dtype != COEFFICIENT:
        raise MalformedInput(f"coefficients: expected records of COEFFICIENT, got {zkey.coefficients.dtype}")
