"""The Backend protocol over one layer of the native core: shapes and dtypes are checked here, values in C++."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, encode_elements, require_output
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

if TYPE_CHECKING:
    from proofgrid.kernels.native._core import Layer

_MAX_THREADS = 1024

_CACHE_LINE, _HUGE_PAGE = 64, 2 << 20  # bytes


class NativeBackend:
    """See :class:`proofgrid.kernels.backend.Backend`; every kernel releases the GIL."""

    name = "native"

    def __init__(self, layer: "Layer") -> None:
        self._layer = layer
        self.isa = layer.name
        self._lines_form = f"native {layer.name}"

    def field(self, field: Field, op: FieldOp, a: Array, b: Array | None = None) -> Array:
        a = _elements(field, a, "a")
        out = np.empty_like(a, subok=False)
        if op in ("add", "sub", "mul"):
            if not isinstance(b, np.ndarray) or b.shape != a.shape:
                raise MalformedInput(f"{op}: b must have the shape of a, {list(a.shape)}")
            self._layer.binary(field.name, op, a, _elements(field, b, "b"), out, 0)
        elif op in ("neg", "square", "inv"):
            if b is not None:
                raise MalformedInput(f"{op}: takes one operand, got two")
            self._layer.unary(field.name, op, a, out, 0)
        else:
            raise MalformedInput(f"no field operation is called {op!r}")
        return out

    def to_mont(self, field: Field, values: Array) -> Array:
        values = _elements(field, values, "values")
        out = np.empty(values.shape, np.uint64)
        self._layer.unary(field.name, "to_mont", values, out, 0)
        return out

    def from_mont(self, field: Field, values_mont: Array) -> Array:
        values_mont = _elements(field, values_mont, "values_mont")
        out = np.empty(values_mont.shape, np.uint64)
        self._layer.unary(field.name, "from_mont", values_mont, out, 0)
        return out

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
        values = _elements(field, values, "values")
        if not isinstance(shift, int) or not 0 < shift < field.modulus:
            raise MalformedInput(f"shift: expected an integer with 0 < shift < {field.name}'s modulus")
        out = _new_elements(values.shape) if out is None else require_output(out, values.shape)
        shift_words = encode_elements(field, [shift])
        self._layer.ntt(field.name, values, out, bool(inverse), shift_words, *_run(control))
        return out

    def msm(
        self,
        group: Group,
        bases: Array | PreparedBases,
        scalars: Array,
        *,
        bases_mont: bool = False,
        control: Control | None = None,
        window: int = 0,
    ) -> Array:
        """As the protocol says; ``window`` (2..16, 0: the cost model's choice) is for tests and benchmarks."""
        return self.msm_many([MsmJob(group, bases, scalars, bases_mont)], control=control, window=window)[0]

    def msm_many(self, jobs: Sequence[MsmJob], *, control: Control | None = None, window: int = 0) -> list[Array]:
        """As the protocol says; ``window`` as for :meth:`msm`, the same for all jobs."""
        if window not in (0, *range(2, 17)):
            raise MalformedInput(f"window: expected 0 or 2 to 16, got {window!r}")
        if len({job.group.curve_name for job in jobs}) > 1:
            raise MalformedInput("msm_many: the jobs are over several curves; call once for each")
        sums = [np.empty(job.group.point_shape, np.uint64) for job in jobs]
        arguments = [
            (*self._job(job), int(window), out, job.chosen_bits()) for job, out in zip(jobs, sums, strict=True)
        ]
        if jobs:
            self._layer.msm_many(jobs[0].group.curve_name, arguments, *_run(control))
        return sums

    def _job(self, job: MsmJob) -> tuple[str, str, NDArray[Any], int, Array]:
        """Of a job the group, the form, the bases, how many multiples of each, and the scalars, as the core takes."""
        group, bases = job.group, job.bases
        scalars = _elements(group.scalar, job.scalars, "scalars")
        if isinstance(bases, PreparedBases):
            multiples = bases.multiples
            n_bytes = self._layer.prepared_bytes(group.curve_name, group.name, bases.n, multiples)
            form, data = "prepared", cast(NDArray[Any], require_form(bases, group, self.prepared_form(group), n_bytes))
        else:
            multiples, form = 1, ("mont" if job.bases_mont else "canonical")
            data = _points(group, bases, "bases")
        if len(bases) != len(scalars):
            raise MalformedInput(f"msm: {len(bases)} bases and {len(scalars)} scalars")
        return group.name, form, data, multiples, scalars

    def prepared_form(self, group: Group) -> str:
        return self._layer.prepared_form(group.curve_name, group.name)

    def prepare(
        self, group: Group, bases_mont: Array, *, multiples: int = 1, control: Control | None = None
    ) -> PreparedBases:
        points, names = _points(group, bases_mont, "bases_mont"), (group.curve_name, group.name)
        multiples = min(require_multiples(multiples), self._layer.most_multiples(*names))
        data = aligned_bytes(self._layer.prepared_bytes(*names, len(points), multiples))
        self._layer.prepare(*names, points, multiples, data, *_run(control))
        return PreparedBases(group, self.prepared_form(group), len(points), data, multiples)

    def checksum(self, data: NDArray[np.uint8], *, control: Control | None = None) -> int:
        return self._layer.checksum(np.ascontiguousarray(data, np.uint8), _run(control)[1])

    def scale(
        self, group: Group, base: Array, scalars: Array, *, result_mont: bool = False, control: Control | None = None
    ) -> Array:
        base = np.copy(_points(group, base[None] if _is_array(base) else base, "base"))
        scalars = _elements(group.scalar, scalars, "scalars")
        out = np.empty((len(scalars), *group.point_shape), np.uint64)
        self._layer.scale(group.curve_name, group.name, base, scalars, bool(result_mont), out, *_run(control))
        return out

    def scale_each(self, group: Group, bases: Array, scalars: Array, *, control: Control | None = None) -> Array:
        bases, scalars = _points(group, bases, "bases"), _elements(group.scalar, scalars, "scalars")
        if len(bases) != len(scalars):
            raise MalformedInput(f"scale_each: {len(bases)} bases and {len(scalars)} scalars")
        out = np.empty(bases.shape, np.uint64)
        self._layer.scale_each(group.curve_name, group.name, bases, scalars, out, *_run(control))
        return out

    def add_points(self, group: Group, a: Array, b: Array) -> Array:
        a, b = _points(group, a, "a"), _points(group, b, "b")
        if len(a) != len(b):
            raise MalformedInput(f"add_points: {len(a)} and {len(b)} points")
        out = np.empty(a.shape, np.uint64)
        self._layer.add_points(group.curve_name, group.name, a, b, out, 0)
        return out

    def check_points(self, group: Group, points: Array) -> NDArray[np.bool_]:
        points = _points(group, points, "points")
        ok = np.empty(len(points), np.bool_)
        self._layer.check_points(group.curve_name, group.name, points, ok, 0)
        return ok

    def pairing_product(self, curve: Curve, g1: Array, g2: Array) -> Array:
        g1, g2 = _points(curve.g1, g1, "g1"), _points(curve.g2, g2, "g2")
        if len(g1) != len(g2):
            raise MalformedInput(f"pairing_product: {len(g1)} points of g1 and {len(g2)} of g2")
        out = np.empty((12, curve.Fq.limbs), np.uint64)
        self._layer.pairing_product(curve.name, g1, g2, out, 0)
        return out

    def pairing_lines(self, curve: Curve, g2: Array) -> PairingLines:
        points = _points(curve.g2, g2, "g2")
        data = aligned_bytes(len(points) * self._layer.lines_bytes(curve.name))
        valid = np.empty(len(points), np.bool_)
        self._layer.prepare_lines(curve.name, points, data, valid, 0)
        return PairingLines(curve, self._lines_form, valid, data)

    def pairing_of_lines(self, curve: Curve, g1: Array, lines: Sequence[PairingLines]) -> Array:
        points, n_bytes = _points(curve.g1, g1, "g1"), self._layer.lines_bytes(curve.name)
        buffers = [cast(NDArray[Any], require_lines(part, curve, self._lines_form, n_bytes)) for part in lines]
        out = np.empty((12, curve.Fq.limbs), np.uint64)
        self._layer.pairing_of_lines(curve.name, points, buffers, out, 0)
        return out

    def quotient(
        self,
        field: Field,
        coefficients: NDArray[np.void],
        witness: Array,
        log_n: int,
        *,
        control: Control | None = None,
    ) -> Array:
        if not _is_array(coefficients) or coefficients.dtype != COEFFICIENT or coefficients.ndim != 1:
            raise MalformedInput("coefficients: expected records of COEFFICIENT in one dimension")
        curve_name, _, kind = field.name.partition(".")
        if kind != "Fr":
            raise MalformedInput(f"quotient: expected the scalar field of a curve, got {field.name}")
        witness = _elements(field, witness, "witness")
        if not isinstance(log_n, int | np.integer) or not 0 <= log_n < field.two_adicity:
            raise MalformedInput(f"log_n: expected an integer in [0, {field.two_adicity}), got {log_n!r}")
        out = _new_elements((1 << int(log_n), field.limbs))
        self._layer.quotient(curve_name, np.ascontiguousarray(coefficients), witness, int(log_n), out, *_run(control))
        return out


def _new_elements(shape: tuple[int, ...]) -> Array:
    """``uint64[shape]``, uninitialised, from a cache line on; 4 MB and more from a huge page on, given whole.

    Transforms step by powers of two: pieces that share lines, and small pages, cost them a tenth of their time.
    """
    size = 8 * math.prod(shape)
    boundary = _HUGE_PAGE if size >= 2 * _HUGE_PAGE else _CACHE_LINE
    memory = np.empty(size + boundary, np.uint8)
    start = -memory.ctypes.data % boundary
    return memory[start : start + size].view(np.uint64).reshape(shape)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _elements(field: Field, array: Array, what: str) -> Array:
    if not _is_array(array) or array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != field.limbs:
        raise MalformedInput(f"{what}: expected uint64[n, {field.limbs}] for {field.name}, got {_describe(array)}")
    return np.ascontiguousarray(array)


def _points(group: Group, array: Array, what: str) -> Array:
    if not _is_array(array) or array.dtype != np.uint64 or array.ndim == 0 or array.shape[1:] != group.point_shape:
        shape = ", ".join(map(str, group.point_shape))
        raise MalformedInput(
            f"{what}: expected uint64[n, {shape}] for {group.curve_name}.{group.name}, got {_describe(array)}"
        )
    return np.ascontiguousarray(array)


def _describe(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}" if _is_array(value) else type(value).__name__


def _run(control: Control | None) -> tuple[NDArray[np.uint64] | None, int]:
    """The control's words and its number of threads, as the core takes them."""
    if control is None:
        return None, 0
    threads = control.threads
    if not isinstance(threads, int) or not 0 <= threads <= _MAX_THREADS:
        raise MalformedInput(f"threads: expected an integer in [0, {_MAX_THREADS}], got {threads!r}")
    return control.words, threads
