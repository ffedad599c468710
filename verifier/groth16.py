"""Groth16 verification (Groth, eprint 2016/260, section 3.2), of one proof and of many at once."""

import secrets
from collections.abc import Sequence

import numpy as np

from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Group
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.points import is_infinity, negate_g1, refusal_of_points
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof

Entry = tuple[Sequence[int], Proof]

BATCH_SCALAR_BITS = 128
"""A batch with a false proof passes with probability 2^-128."""


def verify(
    verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof, *, backend: Backend | None = None
) -> None:
    """Return if the proof is true for these inputs: e(A, B) = e(alpha, beta) e(IC, gamma) e(C, delta).

    IC = ic[0] + sum of input[i] * ic[i + 1]. Raises :class:`RefusedInput` for what is not a proof for this key
    (another curve, a wrong number of inputs, an input outside [0, r), a point off the curve or outside the
    subgroup) and :class:`RefusedProof` if the equation fails or A or B is the point at infinity. Cost: one
    product of four pairings, an MSM of n_public, two subgroup checks.
    """
    backend = backend or select()
    _require_inputs(verifying_key, public_inputs, proof)
    for reason, point in _refused_points(verifying_key, [proof], backend).values():
        raise _refusal(reason, point)
    if not _holds(verifying_key, [(public_inputs, proof)], [1], backend):
        raise RefusedProof("the proof is false for this key and these public inputs", Reason.EQUATION)


def is_valid(
    verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof, *, backend: Backend | None = None
) -> bool:
    """:func:`verify` as a question: False where it raises :class:`RefusedProof`, but malformed input still raises."""
    try:
        verify(verifying_key, public_inputs, proof, backend=backend)
    except RefusedProof:
        return False
    return True


def verify_batch(verifying_key: VerifyingKey, entries: Sequence[Entry], *, backend: Backend | None = None) -> None:
    """Return if every (public inputs, proof) is true; else raise :class:`RefusedProof` that names each that is not.

    ``error.indices`` are the positions of the refused entries and ``error.reasons`` says why, malformed ones
    included. Cost: one product of n + 3 pairings for n true proofs, by a random linear combination with
    128-bit scalars from the operating system; each false one adds about 2 log2(n) smaller products.
    """
    backend = backend or select()
    reasons: dict[int, Reason] = {}
    for index, (public_inputs, proof) in enumerate(entries):
        try:
            _require_inputs(verifying_key, public_inputs, proof)
        except RefusedInput as error:
            reasons[index] = error.reason
    sound = [index for index in range(len(entries)) if index not in reasons]
    refused = _refused_points(verifying_key, [entries[index][1] for index in sound], backend)
    reasons |= {sound[position]: reason for position, (reason, _) in refused.items()}
    sound = [index for index in sound if index not in reasons]
    reasons |= dict.fromkeys(_false_entries(verifying_key, entries, sound, backend), Reason.EQUATION)
    if reasons:
        names = ", ".join(f"{index} ({reasons[index].value})" for index in sorted(reasons)[:16])
        more = f" and {len(reasons) - 16} more" if len(reasons) > 16 else ""
        raise RefusedProof(f"{len(reasons)} of {len(entries)} proofs are refused: {names}{more}", Reason.BATCH, reasons)


def _false_entries(
    verifying_key: VerifyingKey, entries: Sequence[Entry], indices: list[int], backend: Backend
) -> list[int]:
    """Those of ``indices`` whose equation fails, by bisection with fresh randomness in each half."""
    if not indices:
        return []
    weights = [1] if len(indices) == 1 else [1 + secrets.randbits(BATCH_SCALAR_BITS) for _ in indices]
    if _holds(verifying_key, [entries[index] for index in indices], weights, backend):
        return []
    if len(indices) == 1:
        return indices
    middle = len(indices) // 2
    return [
        index
        for half in (indices[:middle], indices[middle:])
        for index in _false_entries(verifying_key, entries, half, backend)
    ]


def _holds(verifying_key: VerifyingKey, entries: Sequence[Entry], weights: Sequence[int], backend: Backend) -> bool:
    """Is the product over i of (e(-A_i, B_i) e(alpha, beta) e(IC_i, gamma) e(C_i, delta))^weights[i] one?

    Pairs share alpha, gamma and delta, so there are n + 3 of them. Sums of scalars are taken mod r.
    """
    curve, proofs = verifying_key.curve, [proof for _, proof in entries]
    total = sum(weights) % curve.r
    columns = zip(*(inputs for inputs, _ in entries), strict=True)
    sums = [sum(w * x for w, x in zip(weights, column, strict=True)) % curve.r for column in columns]
    a, c = np.stack([proof.a for proof in proofs]), np.stack([proof.c for proof in proofs])
    if len(entries) == 1 and total == 1:
        alpha, c_sum = verifying_key.alpha1, proofs[0].c
        # ic[0] has the factor one: it costs an addition, not a multiplication.
        ic = _msm(curve.g1, verifying_key.ic[1:], sums, backend)[np.newaxis]
        ic = backend.add_points(curve.g1, ic, verifying_key.ic[:1])[0]
    else:
        a = np.stack([_msm(curve.g1, a[i : i + 1], [weights[i]], backend) for i in range(len(a))])
        alpha = _msm(curve.g1, verifying_key.alpha1[np.newaxis], [total], backend)
        c_sum = _msm(curve.g1, c, weights, backend)
        ic = _msm(curve.g1, verifying_key.ic, [total, *sums], backend)
    g1 = np.concatenate([negate_g1(curve, a), np.stack([alpha, ic, c_sum])])
    g2 = np.stack([*(proof.b for proof in proofs), verifying_key.beta2, verifying_key.gamma2, verifying_key.delta2])
    return is_one(backend.pairing_product(curve, g1, g2))


def _msm(group: Group, bases: Array, scalars: Sequence[int], backend: Backend) -> Array:
    return backend.msm(group, bases, encode_elements(group.scalar, scalars))


def is_one(value: Array) -> bool:
    """Is an element ``uint64[12, limbs]`` of the target group one?"""
    return bool(value[0, 0] == 1 and not value[0, 1:].any() and not value[1:].any())


def _require_inputs(verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof) -> None:
    """The proof is of the key's curve and the inputs are n_public integers in [0, r)."""
    if proof.curve != verifying_key.curve:
        raise RefusedInput(
            f"the key is of {verifying_key.curve.name}, the proof of {proof.curve.name}", Reason.WRONG_CURVE
        )
    if len(public_inputs) != verifying_key.n_public:
        raise RefusedInput(
            f"the key takes {verifying_key.n_public} public inputs, got {len(public_inputs)}", Reason.INPUT_COUNT
        )
    for index, value in enumerate(public_inputs):
        if type(value) is not int or not 0 <= value < verifying_key.curve.r:
            raise RefusedInput(f"public input {index} is not an integer in [0, r)", Reason.INPUT_RANGE)


def _refused_points(
    verifying_key: VerifyingKey, proofs: Sequence[Proof], backend: Backend
) -> dict[int, tuple[Reason, str]]:
    """By position, the proofs with a point off the curve, outside the subgroup, or A or B at infinity, and which.

    With A or B at infinity e(A, B) is one whatever the other is, so the proof says nothing of a witness; an
    honest prover's blinding gives that with probability 1/r. C may be infinity: A and B still carry the check.
    """
    if not proofs:
        return {}
    curve, refused = verifying_key.curve, {}
    for index, proof in enumerate(proofs):
        for name, point in (("A", proof.a), ("B", proof.b)):
            if is_infinity(point):
                refused[index] = (Reason.POINT_AT_INFINITY, name)
    in_g1 = np.stack([point for proof in proofs for point in (proof.a, proof.c)])
    in_g2 = np.stack([proof.b for proof in proofs])
    for index, reason in refusal_of_points(curve.g1, in_g1, backend).items():
        refused[index // 2] = (reason, "AC"[index % 2])
    for index, reason in refusal_of_points(curve.g2, in_g2, backend).items():
        refused[index] = (reason, "B")
    return refused


def _refusal(reason: Reason, point: str) -> RefusedInput | RefusedProof:
    kind = RefusedProof if reason is Reason.POINT_AT_INFINITY else RefusedInput
    return kind(f"the proof's point {point} is refused: {reason.words}", reason)
