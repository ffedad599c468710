"""Witnesses: circom's ``.wtns``, memory-mapped. A witness is a secret: files are written for their owner alone.

Source: iden3/snarkjs, src/wtns_utils.js; iden3/circom, witness_calculator.js. The layout is in ``docs/formats.md``.
"""

import os
from dataclasses import dataclass, field

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, is_canonical
from proofgrid.kernels.curves import Curve
from proofgrid.prover.formats.binfile import Source, create, curve_of_scalar_field, open_sections


@dataclass(frozen=True)
class Wtns:
    """The value of every wire: ``uint64[n, limbs]`` canonical over Fr, wire 0 is one; perhaps unaligned, read-only."""

    curve: Curve
    values: Array = field(repr=False)


def read_wtns(source: Source) -> Wtns:
    """Open a witness, a path (mapped) or bytes, and check that its values are below r and the first is one.

    Cost: one pass over the values, about 1 GB/s. Raises :class:`MalformedInput`.
    """
    file = open_sections(source, "wtns", range(1, 3))
    header = file.section(1, "header")
    size = header.u32("the prime's size")
    if size != 32:
        raise MalformedInput(f"{header.what}: the prime takes {size} bytes, expected 32")
    curve = curve_of_scalar_field(header.integer(size, "the prime"), header.what)
    count = header.u32("the count")
    header.finish()
    body = file.section(2, "values")
    values = body.words((count, curve.Fr.limbs), f"{count} values")
    body.finish()
    require_witness(curve, values, body.what)
    return Wtns(curve, values)


def require_witness(curve: Curve, values: Array, where: str) -> None:
    """Demand ``uint64[n, limbs]`` with every value below r and the constant wire at one."""
    _require_shape(curve, values, where)
    canonical = is_canonical(curve.Fr, values)
    if not canonical.all():
        index = int(np.flatnonzero(~canonical)[0])
        raise MalformedInput(f"{where}: the value of wire {index} is not below the modulus of {curve.Fr.name}")
    _require_one(values, where)


def require_form(curve: Curve, values: Array, where: str) -> None:
    """:func:`require_witness` in constant time: the values' range is for the kernels to check, which read them all."""
    _require_shape(curve, values, where)
    _require_one(values, where)


def _require_shape(curve: Curve, values: Array, where: str) -> None:
    if values.dtype != np.uint64 or values.ndim != 2 or values.shape[1] != curve.Fr.limbs or not len(values):
        raise MalformedInput(
            f"{where}: expected uint64[n, {curve.Fr.limbs}] with n > 0, got {values.dtype}{list(values.shape)}"
        )


def _require_one(values: Array, where: str) -> None:
    if values[0, 0] != 1 or values[0, 1:].any():
        raise MalformedInput(f"{where}: wire 0 is not one")


def write_wtns(path: str | os.PathLike[str], curve: Curve, values: Array) -> None:
    """Write a witness ``uint64[n, limbs]`` as ``snarkjs wtns calculate`` does, byte for byte; mode 0600."""
    require_witness(curve, values, "witness")
    with create(path, "wtns", 2, 2, secret=True) as out:
        with out.section(1):
            out.u32(curve.Fr.n_bytes)
            out.integer(curve.r, curve.Fr.n_bytes)
            out.u32(len(values))
        with out.section(2):
            out.array(values)
