"""The seam between the kernels and everything above: one protocol, three implementations.

``reference`` is the living definition (py_ecc, galois), ``native`` runs on CPUs (C++), ``cuda`` on GPUs
(CuPy). All take and give the forms of :mod:`proofgrid.kernels.arrays`; each result is equal, bit for bit.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Literal, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Curve, Field, Group
from proofgrid.kernels.prepared import MsmJob, PairingLines, PreparedBases

FieldOp = Literal["add", "sub", "mul", "neg", "square", "inv"]
Name = Literal["auto", "cuda", "native", "reference"]

COEFFICIENT = np.dtype([("matrix", "<u4"), ("constraint", "<u4"), ("signal", "<u4"), ("value", "<u8", (4,))])
"""One non-zero entry of the R1CS matrices A (0) and B (1), as it lies in a zkey; ``value`` is v * R^2 mod r."""


@runtime_checkable
class Backend(Protocol):
    """What the kernels can do. Arrays are canonical unless an argument ends in ``_mont``.

    Every method validates shapes and ranges and raises :class:`~proofgrid.errors.MalformedInput`; none checks
    that points lie on the curve (``check_points`` does). Functions that take a ``Control`` release the GIL,
    report progress and may raise :class:`~proofgrid.errors.Cancelled`.
    """

    name: str
    isa: str

    def __hash__(self) -> int:
        """A backend is one object for as long as a process lives; what is prepared for it is kept beside it."""

    def field(self, field: Field, op: FieldOp, a: Array, b: Array | None = None) -> Array:
        """Elementwise arithmetic, ``[n, limbs]`` (x) ``[n, limbs] -> [n, limbs]``; inv(0) = 0."""

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
        """The NTT over shift * <w>, w = field.root_of_unity(log2 n), in natural order; ``[2^k, limbs]``.

        Forward: coefficients to values at shift * w^i. Inverse: values at shift * w^i to coefficients. ``out``, a
        contiguous array of the same shape, takes the result and is returned; it may be ``values`` itself. Values that
        are refused stay as they were; a transform that is cancelled leaves ``out`` undefined.
        """

    def msm(
        self,
        group: Group,
        bases: Array | PreparedBases,
        scalars: Array,
        *,
        bases_mont: bool = False,
        control: Control | None = None,
    ) -> Array:
        """sum of scalars[i] * bases[i] as one affine canonical point ``[*point_shape]``; empty gives infinity.

        ``bases_mont`` says that the coordinates are in Montgomery form (a zkey's). Variable time.
        """

    def msm_many(self, jobs: Sequence[MsmJob], *, control: Control | None = None) -> list[Array]:
        """The sum of each job, all over one curve, their work mixed over the threads. Variable time.

        Jobs whose scalars are one array, or parts of one, have them checked once.
        """

    def prepared_form(self, group: Group) -> str:
        """The name and version of the layout that :meth:`prepare` gives; equal names mean equal bytes."""

    def prepare(
        self, group: Group, bases_mont: Array, *, multiples: int = 1, control: Control | None = None
    ) -> PreparedBases:
        """Bases in Montgomery form ``[n, *point_shape]``, checked once and laid out for many MSMs.

        ``multiples`` of each, up to 17, make sums cheaper and take as many times the memory; a backend that has no use
        for them, or not for so many, makes fewer. Cost, with several: 15 to 250 doublings a base in all.
        """

    def checksum(self, data: NDArray[np.uint8], *, control: Control | None = None) -> int:
        """64 bits over ``uint8[n]`` that show accidental damage; equal on all backends, not cryptographic.

        n + sum of fold((x_i + k_i) * (y_i ^ k_i)) mod 2^64 over the pairs of little-endian 64-bit words, the last
        filled up with zeros; k_i = (i + 1) * 0x9e3779b97f4a7c15 mod 2^64, fold xors the halves of the 128-bit product.
        Of the control only the number of threads counts.
        """

    def scale(
        self, group: Group, base: Array, scalars: Array, *, result_mont: bool = False, control: Control | None = None
    ) -> Array:
        """scalars[i] * base for one fixed base ``[*point_shape]``: ``[n, *point_shape]``. Variable time.

        ``result_mont`` asks for coordinates in Montgomery form (a zkey's); the base is canonical in any case.
        """

    def scale_each(self, group: Group, bases: Array, scalars: Array, *, control: Control | None = None) -> Array:
        """scalars[i] * bases[i], points of the curve: ``[n, *point_shape]``. Variable time; short ones cost less."""

    def add_points(self, group: Group, a: Array, b: Array) -> Array:
        """a[i] + b[i] by the complete group law: ``[n, *point_shape]``."""

    def check_points(self, group: Group, points: Array) -> NDArray[np.bool_]:
        """For each point: canonical coordinates, on the curve and in the subgroup of order r (infinity is)."""

    def to_mont(self, field: Field, values: Array) -> Array:
        """x to x * R mod p, elementwise on ``[n, limbs]``."""

    def from_mont(self, field: Field, values_mont: Array) -> Array:
        """The inverse of :meth:`to_mont`."""

    def pairing_product(self, curve: Curve, g1: Array, g2: Array) -> Array:
        """prod e(g1[i], g2[i]), optimal ate, as ``[12, limbs]``; a pair with infinity counts as one.

        Coefficients lie in tower order: w-degree, then v-degree, then u-degree, the lowest first. The points
        must have passed ``check_points``. The final exponent is 3 * (q^12 - 1) / r for bls12_381 and
        (q^12 - 1) / r for bn254 (the exponents of the reference are brought to these).
        """

    def pairing_lines(self, curve: Curve, g2: Array) -> PairingLines:
        """Points ``[n, 2, 2, limbs]`` as :meth:`pairing_of_lines` takes them, and what ``check_points`` says of each.

        Cost: half of what a pairing costs without its final exponentiation; a key's points are prepared once.
        """

    def pairing_of_lines(self, curve: Curve, g1: Array, lines: Sequence[PairingLines]) -> Array:
        """:meth:`pairing_product` with the points of G2 given by their lines, one after the other in ``lines``.

        A product with a point that is not ``valid`` is zero, which no pairing is.
        """

    def quotient(
        self,
        field: Field,
        coefficients: NDArray[np.void],
        witness: Array,
        log_n: int,
        *,
        control: Control | None = None,
    ) -> Array:
        """Groth16's quotient in snarkjs' basis: ``[2^log_n, limbs]``.

        The values of (A w)(B w) - C w at the odd 2^(log_n + 1)-th roots of unity.

        ``coefficients`` are records of ``COEFFICIENT`` (a zkey's section 4), C w is taken as (A w) o (B w) on the
        domain; the result is the scalars for the zkey's H points. Cost: six NTTs of 2^log_n.
        """


_MODULES = {
    "native": "proofgrid.kernels.native",
    "cuda": "proofgrid.kernels.cuda",
    "reference": "proofgrid.kernels.reference",
}


def select(name: Name = "auto") -> Backend:
    """The backend of that name; ``auto`` takes the first of cuda, native, reference that runs here.

    An explicit choice never falls back: it raises :class:`~proofgrid.errors.BackendUnavailable` with the reason.
    """
    if name != "auto":
        return _load(name)
    reasons = []
    for candidate in ("cuda", "native", "reference"):
        try:
            return _load(candidate)
        except BackendUnavailable as error:
            reasons.append(f"{candidate}: {error}")
    raise BackendUnavailable("no backend runs here: " + "; ".join(reasons))


def _load(name: str) -> Backend:
    if name not in _MODULES:
        raise BackendUnavailable(f"no backend is called {name!r}; choose auto, {', '.join(_MODULES)}")
    try:
        module = import_module(_MODULES[name])
    except ImportError as error:
        raise BackendUnavailable(f"the {name} backend cannot be imported: {error}") from error
    load = cast(Callable[[], Backend], module.load)
    return load()
