"""The protocol :class:`proofgrid.kernels.backend.Backend`, one line of mathematics per method."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels import arrays
from proofgrid.kernels.arrays import AffinePoint, Array
from proofgrid.kernels.backend import COEFFICIENT, FieldOp
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Curve, Field, Group
from proofgrid.kernels.prepared import (
    MsmJob,
    PairingLines,
    PreparedBases,
    aligned_bytes,
    require_form,
    require_lines,
    require_multiples,
)
from proofgrid.kernels.reference import fields, groups, ntt, pairing, quotient

_LINES_FORM = "reference"


class ReferenceBackend:
    """Arrays to integers, the definition, integers to arrays. Stateless."""

    name = "reference"
    isa = "python"

    def field(self, field: Field, op: FieldOp, a: Array, b: Array | None = None) -> Array:
        """See :meth:`Backend.field`. Cost: about 1 us per element, 30 us for ``inv``."""
        left = _elements(field, a, "a")
        if op in fields.BINARY:
            if b is None or len(b) != len(a):
                raise MalformedInput(f"{op} needs a and b of equal length")
            result = fields.BINARY[op](field, left, _elements(field, b, "b"))
        elif op in fields.UNARY:
            if b is not None:
                raise MalformedInput(f"{op} takes one operand, got two")
            result = fields.UNARY[op](field, left)
        else:
            raise MalformedInput(f"no field operation is called {op!r}; choose {', '.join(fields.OPERATIONS)}")
        return arrays.encode_elements(field, result)

    def ntt(
        self,
        field: Field,
        values: Array,
        *,
        inverse: bool = False,
        shift: int = 1,
        out: Array | None = None,
        control: Control | None = None,
    ) -> Array:
        """See :meth:`Backend.ntt`. Cost: n log n multiplications at 1 us."""
        numbers = _elements(field, values, "values")
        _start(control)
        result = ntt.transform(field, numbers, shift, inverse=inverse)
        _finish(control)
        encoded = arrays.encode_elements(field, result)
        if out is None:
            return encoded
        out = arrays.require_output(out, encoded.shape)
        out[:] = encoded
        return out

    def msm(
        self,
        group: Group,
        bases: Array | PreparedBases,
        scalars: Array,
        *,
        bases_mont: bool = False,
        control: Control | None = None,
    ) -> Array:
        """See :meth:`Backend.msm`. Cost: one scalar multiplication (7 ms in G1, 30 ms in G2) per term."""
        if isinstance(bases, PreparedBases):
            bases, bases_mont = self._unprepared(group, bases), True
        if bases_mont:
            bases = self._points_from_mont(group, bases)
        points, numbers = _points(group, bases, "bases"), _elements(group.scalar, scalars, "scalars")
        if len(points) != len(numbers):
            raise MalformedInput(f"msm: {len(points)} bases and {len(numbers)} scalars")
        total: Array = arrays.encode_points(group, [groups.lincomb(group, points, numbers, control)])[0]
        return total

    def msm_many(self, jobs: Sequence[MsmJob], *, control: Control | None = None) -> list[Array]:
        """See :meth:`Backend.msm_many`: one after the other."""
        if len({job.group.curve_name for job in jobs}) > 1:
            raise MalformedInput("msm_many: the jobs are over several curves; call once for each")
        return [
            self.msm(job.group, job.bases, _chosen_scalars(job), bases_mont=job.bases_mont, control=control)
            for job in jobs
        ]

    def prepared_form(self, group: Group) -> str:
        """See :meth:`Backend.prepared_form`: the array as it was given."""
        return f"{group.curve_name}.{group.name} plain v1"

    def prepare(
        self, group: Group, bases_mont: Array, *, multiples: int = 1, control: Control | None = None
    ) -> PreparedBases:
        """See :meth:`Backend.prepare`; makes no multiples."""
        require_multiples(multiples)
        _start(control)
        self._points_from_mont(group, bases_mont)
        data = aligned_bytes(bases_mont.nbytes)
        data[:] = np.ascontiguousarray(bases_mont).view(np.uint8).reshape(-1)
        _finish(control)
        return PreparedBases(group, self.prepared_form(group), len(bases_mont), data)

    def checksum(self, data: NDArray[np.uint8], *, control: Control | None = None) -> int:
        """See :meth:`Backend.checksum`."""
        content = data.tobytes()
        words = arrays.decode_elements(np.frombuffer(content + bytes(-len(content) % 16), np.uint64).reshape(-1, 1))
        total = len(content)
        for i, (x, y) in enumerate(zip(words[::2], words[1::2], strict=True), start=1):
            k = i * 0x9E3779B97F4A7C15 % 2**64
            product = (x + k) % 2**64 * (y ^ k)
            total += product % 2**64 ^ product >> 64
        return total % 2**64

    def scale(
        self, group: Group, base: Array, scalars: Array, *, result_mont: bool = False, control: Control | None = None
    ) -> Array:
        """See :meth:`Backend.scale`. Cost: as :meth:`msm`."""
        (point,) = _points(group, base[None], "base")
        numbers = _elements(group.scalar, scalars, "scalars")
        points = arrays.encode_points(group, groups.scale(group, point, numbers, control))
        if not result_mont:
            return points
        return self.to_mont(group.coordinate, points.reshape(-1, group.coordinate.limbs)).reshape(points.shape)

    def scale_each(self, group: Group, bases: Array, scalars: Array, *, control: Control | None = None) -> Array:
        """See :meth:`Backend.scale_each`. Cost: as :meth:`msm`."""
        points, numbers = _points(group, bases, "bases"), _elements(group.scalar, scalars, "scalars")
        if len(points) != len(numbers):
            raise MalformedInput(f"scale_each: {len(points)} bases and {len(numbers)} scalars")
        _start(control)
        products = [groups.lincomb(group, [point], [k]) for point, k in zip(points, numbers, strict=True)]
        _finish(control)
        return arrays.encode_points(group, products)

    def add_points(self, group: Group, a: Array, b: Array) -> Array:
        """See :meth:`Backend.add_points`."""
        left, right = _points(group, a, "a"), _points(group, b, "b")
        if len(left) != len(right):
            raise MalformedInput(f"add_points: {len(left)} and {len(right)} points")
        return arrays.encode_points(group, [groups.add(group, p, q) for p, q in zip(left, right, strict=True)])

    def check_points(self, group: Group, points: Array) -> NDArray[np.bool_]:
        """See :meth:`Backend.check_points`: multiplication by the order r, not an endomorphism."""
        array = arrays.require_points(group, points, "points")
        coordinates = tuple(range(1, array.ndim - 1))
        canonical = np.all(arrays.is_canonical(group.coordinate, array), axis=coordinates)
        answers = [
            bool(ok and groups.is_in_subgroup(group, point))
            for ok, point in zip(canonical, arrays.decode_points(group, array), strict=True)
        ]
        return np.array(answers, dtype=np.bool_)

    def to_mont(self, field: Field, values: Array) -> Array:
        """See :meth:`Backend.to_mont`."""
        numbers = _elements(field, values, "values")
        return arrays.encode_elements(field, fields.scaled(field, numbers, field.montgomery_radix))

    def from_mont(self, field: Field, values_mont: Array) -> Array:
        """See :meth:`Backend.from_mont`."""
        numbers = _elements(field, values_mont, "values_mont")
        inverse = pow(field.montgomery_radix, -1, field.modulus)
        return arrays.encode_elements(field, fields.scaled(field, numbers, inverse))

    def pairing_product(self, curve: Curve, g1: Array, g2: Array) -> Array:
        """See :meth:`Backend.pairing_product`. Cost: 0.1 s per pair and 0.5 s for the final exponentiation."""
        left, right = _points(curve.g1, g1, "g1"), _points(curve.g2, g2, "g2")
        if len(left) != len(right):
            raise MalformedInput(f"pairing_product: {len(left)} points of g1 and {len(right)} of g2")
        return arrays.encode_elements(curve.Fq, pairing.product(curve, left, right))

    def pairing_lines(self, curve: Curve, g2: Array) -> PairingLines:
        """See :meth:`Backend.pairing_lines`: the points as they were given."""
        points = arrays.require_points(curve.g2, g2, "g2")
        data = np.frombuffer(points.tobytes(), np.uint8)
        return PairingLines(curve, _LINES_FORM, self.check_points(curve.g2, points), data)

    def pairing_of_lines(self, curve: Curve, g1: Array, lines: Sequence[PairingLines]) -> Array:
        """See :meth:`Backend.pairing_of_lines`. Cost: as :meth:`pairing_product`."""
        n_bytes = 8 * math.prod(curve.g2.point_shape)
        parts = [require_lines(part, curve, _LINES_FORM, n_bytes).view(np.uint64) for part in lines]
        g2 = np.concatenate([np.empty(0, np.uint64), *parts]).reshape(-1, *curve.g2.point_shape)
        if len(g1) == len(g2) and not all(part.valid.all() for part in lines):
            return np.zeros((12, curve.Fq.limbs), np.uint64)
        return self.pairing_product(curve, g1, g2)

    def quotient(
        self,
        field: Field,
        coefficients: NDArray[np.void],
        witness: Array,
        log_n: int,
        *,
        control: Control | None = None,
    ) -> Array:
        """See :meth:`Backend.quotient`."""
        if coefficients.dtype != COEFFICIENT or coefficients.ndim != 1:
            raise MalformedInput(f"coefficients: expected records of {COEFFICIENT}, got {coefficients.dtype}")
        signals = _elements(field, witness, "witness")
        values = _elements(field, coefficients["value"].astype(np.uint64), "coefficients")
        entries = [
            quotient.Entry(int(record["matrix"]), int(record["constraint"]), int(record["signal"]), value)
            for record, value in zip(coefficients, values, strict=True)
        ]
        _start(control)
        result = quotient.quotient(field, entries, signals, log_n)
        _finish(control)
        return arrays.encode_elements(field, result)

    def _unprepared(self, group: Group, bases: PreparedBases) -> Array:
        n_bytes = bases.n * 8 * math.prod(group.point_shape)
        data = require_form(bases, group, self.prepared_form(group), n_bytes)
        return data.view(np.uint64).reshape(bases.n, *group.point_shape)

    def _points_from_mont(self, group: Group, points_mont: Array) -> Array:
        array = arrays.require_points(group, points_mont, "bases")
        return self.from_mont(group.coordinate, array.reshape(-1, group.coordinate.limbs)).reshape(array.shape)


def _elements(field: Field, array: Array, what: str) -> list[int]:
    return arrays.decode_elements(arrays.require_elements(field, array, what))


def _chosen_scalars(job: MsmJob) -> Array:
    """The scalars, zeros for the terms that are left out."""
    scalars = arrays.require_elements(job.group.scalar, job.scalars, "scalars")
    if (bits := job.chosen_bits()) is None:
        return scalars
    return scalars * np.unpackbits(bits, count=len(scalars), bitorder="little")[:, None]


def _points(group: Group, array: Array, what: str) -> list[AffinePoint]:
    points = arrays.require_points(group, array, what)
    arrays.require_elements(group.coordinate, points.reshape(-1, group.coordinate.limbs), what)
    return arrays.decode_points(group, points)


def _start(control: Control | None) -> None:
    if control is not None:
        control.expect(1)
        control.check()


def _finish(control: Control | None) -> None:
    if control is not None:
        control.step()
