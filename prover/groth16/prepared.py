"""A proving key as a backend reads it: its five arrays of points laid out once for many proofs."""

import hashlib
from dataclasses import dataclass

import numpy as np

from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Curve, Group
from proofgrid.kernels.prepared import PreparedBases
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.prover.groth16.alike import AlikeWires, alike_wires
from proofgrid.prover.groth16.keys import canonical_points

BASES = {"a": "g1", "b1": "g1", "b2": "g2", "c": "g1", "h": "g1"}
"""The arrays of a key, by the names of :class:`Zkey`'s fields less ``_mont``, and their groups."""

_USEFUL_MULTIPLES = (8, 4, 2)
"""A sum over 2^16 dense scalars takes 0.80, 0.85, 0.94 of the additions that it takes without them."""


@dataclass(frozen=True, eq=False)
class PreparedKey:
    """A :class:`Zkey`, whose coefficients are read where they lie, and its points prepared by one backend.

    ``alike`` says which wires A and B1 share. The bases are checked, their coordinates below q; the header's five
    points are canonical. What a proof over a damaged cache file would be is said at :class:`PreparedBases`.
    """

    zkey: Zkey
    a: PreparedBases
    b1: PreparedBases
    b2: PreparedBases
    c: PreparedBases
    h: PreparedBases
    alike: AlikeWires
    alpha1: Array
    beta1: Array
    delta1: Array
    beta2: Array
    delta2: Array

    @property
    def curve(self) -> Curve:
        return self.zkey.curve

    @property
    def n_bytes(self) -> int:
        """What the prepared bases take."""
        return sum(getattr(self, name).data.nbytes for name in BASES)


def prepare_key(
    zkey: Zkey, *, multiples: int = 1, backend: Backend | None = None, control: Control | None = None
) -> PreparedKey:
    """The key's points in the backend's layout, in memory; see ``key_cache`` for keeping them on a disk.

    ``multiples`` of each point, as :meth:`Backend.prepare` has them, make proofs cheaper: see :func:`multiples_within`.
    Cost: one pass over the points; with several multiples as much as some twenty proofs. Raises
    :class:`~proofgrid.errors.MalformedInput` for a coordinate >= q, and :class:`~proofgrid.errors.Cancelled`.
    """
    backend, control = backend or select(), control or Control()
    expect_preparation(zkey, control)
    bases = {name: prepare_bases(zkey, name, multiples, backend, control) for name in BASES}
    return assemble(zkey, bases, backend)


def multiples_within(zkey: Zkey, n_bytes: int) -> int:
    """How many multiples of the key's points to prepare, so that all take ``n_bytes`` at most; one, if that is more."""
    size = sum(points_of(zkey, name).nbytes for name in BASES)
    return next((multiples for multiples in _USEFUL_MULTIPLES if multiples * size <= n_bytes), 1)


def assemble(zkey: Zkey, bases: dict[str, PreparedBases], backend: Backend) -> PreparedKey:
    """The key over bases that are prepared already, one for each name of ``BASES``."""
    g1 = np.stack([zkey.alpha1_mont, zkey.beta1_mont, zkey.delta1_mont])
    g2 = np.stack([zkey.beta2_mont, zkey.delta2_mont])
    alpha1, beta1, delta1 = canonical_points(zkey.curve.g1, g1, backend)
    beta2, delta2 = canonical_points(zkey.curve.g2, g2, backend)
    alike = alike_wires(zkey, backend)
    return PreparedKey(
        zkey, **bases, alike=alike, alpha1=alpha1, beta1=beta1, delta1=delta1, beta2=beta2, delta2=delta2
    )


def prepare_bases(zkey: Zkey, name: str, multiples: int, backend: Backend, control: Control) -> PreparedBases:
    """One of the key's arrays, with multiples; counts for its size among the steps of :func:`expect_preparation`."""
    points = points_of(zkey, name)
    with control.share(points.nbytes) as part:
        return backend.prepare(group_of(zkey, name), points, multiples=multiples, control=part)


def expect_preparation(zkey: Zkey, control: Control) -> None:
    """Announce the steps of all arrays, one a byte."""
    control.expect(sum(points_of(zkey, name).nbytes for name in BASES))


def points_of(zkey: Zkey, name: str) -> Array:
    points: Array = getattr(zkey, f"{name}_mont")
    return points


def group_of(zkey: Zkey, name: str) -> Group:
    group: Group = getattr(zkey.curve, BASES[name])
    return group


def fingerprint(zkey: Zkey) -> str:
    """SHA-256 over what a key's header says, its points included: no two keys of one ceremony's end share it."""
    sizes = (zkey.n_vars, zkey.n_public, zkey.domain_size)
    digest = hashlib.sha256(f"{zkey.curve.name} {sizes}".encode())
    for name in ("alpha1", "beta1", "beta2", "gamma2", "delta1", "delta2"):
        digest.update(getattr(zkey, f"{name}_mont").tobytes())
    return digest.hexdigest()
