"""A single-party Groth16 setup, for DEVELOPMENT: this process knows the trapdoor and could forge proofs.

The key it writes is one that snarkjs reads. Production keys come from a multi-party ceremony; every other part of
the package takes either kind.

Source: Groth, eprint 2016/260, section 3.2; the domain, the public rows, gamma = 1 and the basis of the H points are
those of snarkjs' ``zkey_new.js``. delta is random, as after a contribution: with delta = gamma anybody could forge.
"""

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from proofgrid.kernels.arrays import Array, encode_elements, encode_points
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Curve, Group
from proofgrid.prover.formats.r1cs import R1cs
from proofgrid.prover.formats.zkey import Zkey, write_zkey
from proofgrid.prover.groth16.keys import mont_points
from proofgrid.prover.groth16.lagrange import odd_lagrange_at, scaled
from proofgrid.prover.groth16.qap import coefficients, evaluate, log_domain

_WEIGHT = {"g1": 1, "g2": 3}  # a point's share of the time
WARNING = "development setup: whoever ran it could forge proofs for this key; use a ceremony's key in production"


@dataclass(frozen=True)
class Trapdoor:
    """The toxic waste. Whoever knows it can prove anything; it never leaves :func:`setup`."""

    tau: int
    alpha: int
    beta: int
    delta: int

    def __repr__(self) -> str:
        return "Trapdoor(<secret>)"


def setup(
    r1cs: R1cs,
    path: str | os.PathLike[str],
    *,
    backend: Backend | None = None,
    control: Control | None = None,
) -> None:
    """Make a proving key for ``r1cs`` and write it to ``path``. DEVELOPMENT ONLY: see the module and ``WARNING``.

    Cost: at most 3 n_wires + 2^log_domain fixed-base multiplications in G1 and n_wires in G2, none for a zero.
    Memory: the key, 32 bytes a point besides, some 300 bytes a constraint and a table of up to 16 MB. Raises
    :class:`~proofgrid.errors.MalformedInput` for a circuit too large for the curve, and
    :class:`~proofgrid.errors.Cancelled`.
    """
    write_zkey(path, _make(r1cs, _random_trapdoor(r1cs), backend or select(), control or Control()))


def _random_trapdoor(r1cs: R1cs) -> Trapdoor:
    """Four uniform non-zero scalars; tau outside every domain used, so that no Lagrange polynomial vanishes there."""
    r, order = r1cs.curve.r, 2 << log_domain(r1cs)
    while True:
        tau, alpha, beta, delta = (1 + secrets.randbelow(r - 1) for _ in range(4))
        if pow(tau, order, r) != 1:
            return Trapdoor(tau, alpha, beta, delta)


def _make(r1cs: R1cs, trapdoor: Trapdoor, backend: Backend, control: Control) -> Zkey:
    """The key for a given trapdoor; only tests may fix it."""
    curve, n_public, log_n = r1cs.curve, r1cs.n_public, log_domain(r1cs)
    field, by_delta = curve.Fr, pow(trapdoor.delta, -1, curve.r)
    qap = evaluate(r1cs, trapdoor.tau, backend)
    control.check()
    mixed = scaled(field, qap.a, trapdoor.beta, backend)
    mixed = backend.field(field, "add", mixed, scaled(field, qap.b, trapdoor.alpha, backend))
    mixed = backend.field(field, "add", mixed, qap.c)
    header = encode_elements(field, [trapdoor.alpha, trapdoor.beta, trapdoor.delta])
    h_scalars = scaled(field, odd_lagrange_at(field, trapdoor.tau, log_n, backend), by_delta, backend)
    private = scaled(field, mixed[n_public + 1 :], by_delta, backend)
    squared = (qap.a == qap.b).all(axis=1)  # the wire is in A as in B, mostly for a square: one point serves both
    b_alone = np.where(squared[:, np.newaxis], np.uint64(0), qap.b)
    in_g1 = [header, mixed[: n_public + 1], qap.a, b_alone, private, h_scalars]
    in_g2 = [header[1:], qap.b]
    control.expect(_WEIGHT["g1"] * sum(map(len, in_g1)) + _WEIGHT["g2"] * sum(map(len, in_g2)))
    with ThreadPoolExecutor(1) as beside:  # the kernels leave the GIL
        records = beside.submit(coefficients, r1cs, backend)
        (alpha1, beta1, delta1), ic, a, b1, c, h = _points(curve.g1, in_g1, backend, control)
        b1[squared] = a[squared]
        (beta2, delta2), b2 = _points(curve.g2, in_g2, backend, control)
    return Zkey(
        curve=curve,
        n_vars=r1cs.n_wires,
        n_public=n_public,
        domain_size=1 << log_n,
        alpha1_mont=alpha1,
        beta1_mont=beta1,
        beta2_mont=beta2,
        gamma2_mont=mont_points(curve.g2, generator(curve.g2), backend),
        delta1_mont=delta1,
        delta2_mont=delta2,
        ic_mont=ic,
        coefficients=records.result(),
        a_mont=a,
        b1_mont=b1,
        b2_mont=b2,
        c_mont=c,
        h_mont=h,
    )


def _points(group: Group, scalars: list[Array], backend: Backend, control: Control) -> list[Array]:
    """scalars[k][i] * generator in Montgomery form, one array for each of ``scalars``: by one call, for one table."""
    flat = np.concatenate(scalars)
    with control.share(_WEIGHT[group.name] * len(flat)) as part:
        points_mont = backend.scale(group, generator(group), flat, result_mont=True, control=part)
    return np.split(points_mont, np.cumsum([len(array) for array in scalars])[:-1])


def generator(group: Group) -> Array:
    """The group's generator as one canonical point ``[*point_shape]``."""
    curve: Curve = group.curve
    affine = curve.g1_generator if group.name == "g1" else curve.g2_generator
    point: Array = encode_points(group, [affine])[0]
    return point
