"""The Groth16 prover (eprint 2016/260, section 3.2, with the quotient taken in the Lagrange basis as snarkjs does)."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import Group
from proofgrid.kernels.prepared import MsmJob
from proofgrid.prover.formats.wtns import require_form
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.prover.groth16.prepared import PreparedKey, prepare_key
from proofgrid.verifier.keys import Proof

_PREPARATION, _QUOTIENT, _SUMS = 2, 5, 95
"""Percent of a dense proof's time."""

OnPhase = Callable[[str, float], None]
"""Told the name of each phase and its seconds when it ends."""


def prove(
    key: PreparedKey | Zkey,
    witness: Array,
    *,
    backend: Backend | None = None,
    control: Control | None = None,
    on_phase: OnPhase | None = None,
) -> tuple[Proof, list[int]]:
    """A proof and its public inputs, from a key and a witness ``uint64[n_vars, 4]`` (canonical, wire 0 is one).

    A key that is not prepared is prepared for this one proof. Zero-knowledge: blinded by two scalars from the operating
    system's randomness, so no two proofs are equal. It does **not** check that the witness satisfies the circuit; a
    false witness gives a false proof (:func:`~proofgrid.prover.groth16.keys.require_true` tells). Cost: six NTTs of the
    domain, four MSMs in G1, one in G2; the witness is read where it lies. Memory: below 400 bytes a constraint beside
    the prepared key. Variable time. ``on_phase`` hears of ``preparation`` (if there was one), ``quotient``, ``sums``
    and ``blinding``. Raises :class:`MalformedInput` and :class:`~proofgrid.errors.Cancelled`.
    """
    r = key.curve.r
    blinding = secrets.randbelow(r), secrets.randbelow(r)
    return _prove(key, witness, blinding, backend or select(), control or Control(), on_phase)


def _prove(
    key: PreparedKey | Zkey,
    witness: Array,
    blinding: tuple[int, int],
    backend: Backend,
    control: Control,
    on_phase: OnPhase | None = None,
) -> tuple[Proof, list[int]]:
    """:func:`prove` with its two blinding scalars given; only tests may fix them."""
    zkey = key.zkey if isinstance(key, PreparedKey) else key
    _require_length(zkey, witness)
    control.expect(_QUOTIENT + _SUMS)
    if isinstance(key, Zkey):
        control.expect(_PREPARATION)
        with control.share(_PREPARATION) as part, _timed("preparation", on_phase):
            key = prepare_key(key, backend=backend, control=part)
    with control.share(_QUOTIENT) as part, _timed("quotient", on_phase):
        h_scalars = backend.quotient(zkey.curve.Fr, zkey.coefficients, witness, zkey.log_domain, control=part)
    with control.share(_SUMS) as part, _timed("sums", on_phase):
        sums = _sums(key, witness, h_scalars, blinding, backend, part)
    del h_scalars
    with _timed("blinding", on_phase):
        proof = _blind(key, sums, blinding, backend)
    return proof, decode_elements(witness[1 : zkey.n_public + 1])


@contextmanager
def _timed(phase: str, on_phase: OnPhase | None) -> Iterator[None]:
    start = time.perf_counter()
    yield
    if on_phase:
        on_phase(phase, time.perf_counter() - start)


def _sums(
    key: PreparedKey,
    witness: Array,
    h_scalars: Array,
    blinding: tuple[int, int],
    backend: Backend,
    control: Control,
) -> dict[str, Array]:
    """The five MSMs, by the names of their bases; what A and B1 share is in ``plus`` and ``minus`` (see alike.py).

    Beside them the parts of the blinding that need none of them: ``blind_a``, ``blind_b``, ``blind_c``.
    """
    r, s = blinding
    g1, g2, alike = key.curve.g1, key.curve.g2, key.alike
    jobs = {
        "b2": MsmJob(g2, key.b2, witness),
        "a": MsmJob(g1, key.a, witness, chosen=alike.others),
        "b1": MsmJob(g1, key.b1, witness, chosen=alike.others),
        "c": MsmJob(g1, key.c, witness[key.zkey.n_public + 1 :]),
        "h": MsmJob(g1, key.h, h_scalars),
    }
    shared = {"plus": alike.plus, "minus": alike.minus}
    jobs |= {name: MsmJob(g1, key.a, witness, chosen=bits) for name, bits in shared.items() if bits is not None}
    jobs |= {
        "blind_a": _combination(g1, [(key.alpha1, 1), (key.delta1, r)]),
        "blind_b": _combination(g2, [(key.beta2, 1), (key.delta2, s)]),
        "blind_c": _combination(g1, [(key.alpha1, s), (key.beta1, r), (key.delta1, r * s)]),
    }
    return dict(zip(jobs, backend.msm_many(list(jobs.values()), control=control), strict=True))


def _blind(key: PreparedKey, sums: dict[str, Array], blinding: tuple[int, int], backend: Backend) -> Proof:
    """A = alpha + a + r delta, B = beta + b + s delta in both groups, C = c + h + s A + r B - r s delta.

    Written out in the sums, so that the three are independent of each other: C takes s a + r b1 + (s alpha + r beta +
    r s delta). ``plus`` counts for a and for b1, ``minus`` for a and against b1.
    """
    r, s = blinding
    g1, g2 = key.curve.g1, key.curve.g2
    a = [(sums["a"], 1), (sums["blind_a"], 1)]
    b = [(sums["b2"], 1), (sums["blind_b"], 1)]
    c = [(sums["c"], 1), (sums["h"], 1), (sums["blind_c"], 1), (sums["a"], s), (sums["b1"], r)]
    for name, sign in (("plus", 1), ("minus", -1)):
        if name in sums:
            a.append((sums[name], 1))
            c.append((sums[name], s + sign * r))
    jobs = [_combination(group, terms) for group, terms in ((g1, a), (g2, b), (g1, c))]
    return Proof(key.curve, *backend.msm_many(jobs))


def _combination(group: Group, terms: list[tuple[Array, int]]) -> MsmJob:
    """sum of factor * point over a few canonical points."""
    factors = [factor % group.scalar.modulus for _, factor in terms]
    return MsmJob(group, np.stack([point for point, _ in terms]), encode_elements(group.scalar, factors))


def _require_length(zkey: Zkey, witness: Array) -> None:
    require_form(zkey.curve, witness, "witness")
    if len(witness) != zkey.n_vars:
        raise MalformedInput(
            f"witness: {len(witness)} values, the proving key's circuit has {zkey.n_vars}; are they of one circuit?"
        )
