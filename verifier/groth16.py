"""Groth16 verification (Groth, eprint 2016/260, section 3.2), of one proof and of many at once."""

import secrets
from collections.abc import Sequence
from operator import mul

import numpy as np
from numpy.typing import NDArray

from proofgrid.kernels.arrays import Array, decode_elements, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Group
from proofgrid.kernels.prepared import PairingLines
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.points import negate, refusal_of_points
from proofgrid.verifier.prepared import prepare
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof

Entry = tuple[Sequence[int], Proof]

BATCH_SCALAR_BYTES = 16
"""Weights are drawn from [1, 2^128): a batch with a false proof passes with a probability of about 2^-128."""

SMALLEST_BATCH = 4
"""As many proofs or fewer of a false batch are verified one by one, which costs no more than their products would."""


def verify(
    verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof, *, backend: Backend | None = None
) -> None:
    """Return if the proof is true for these inputs: e(A, B) = e(alpha, beta) e(IC, gamma) e(C, delta).

    IC = ic[0] + sum of input[i] * ic[i + 1]. Raises :class:`RefusedInput` for what is not a proof for this key
    (another curve, a wrong number of inputs, an input outside [0, r), a point off the curve or outside the
    subgroup) and :class:`RefusedProof` if the equation fails or A or B is the point at infinity. Cost: one
    product of three pairings, of which two are with the key's prepared points, an MSM of n_public, and the checks of A
    and C (B's subgroup check costs nothing beside its lines). A key's first verification prepares it.
    """
    backend = backend or select()
    _require_inputs(verifying_key, public_inputs, proof)
    b_lines = backend.pairing_lines(verifying_key.curve, proof.b[np.newaxis])
    for reason, point in _refused_points(verifying_key, [proof], backend, b_lines.valid).values():
        raise _refusal(reason, point)
    if not _equation_holds(verifying_key, public_inputs, proof, b_lines, backend):
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
    included. Cost of n true proofs: n subgroup checks, n multiplications by 128 bits and one product of n + 3
    pairings, by a random linear combination with weights from the operating system. k false ones are found by halving:
    at most 2 k log2(n / k) smaller products and 4 k single verifications, and never more than log2(n) products of n and
    n single ones; malformed ones cost no product.
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
    """Those of ``indices`` whose equation fails, by halving with fresh weights in each half."""
    if not indices or _holds(verifying_key, [entries[index] for index in indices], backend):
        return []
    return _named(verifying_key, entries, indices, backend)


def _named(verifying_key: VerifyingKey, entries: Sequence[Entry], indices: list[int], backend: Backend) -> list[int]:
    """Those of ``indices`` whose equation fails, of which there is at least one."""
    if len(indices) == 1:
        return indices
    if len(indices) <= SMALLEST_BATCH:
        return [index for index in indices if not _holds(verifying_key, [entries[index]], backend)]
    left, right = indices[: len(indices) // 2], indices[len(indices) // 2 :]
    found = _false_entries(verifying_key, entries, left, backend)
    # Where the left half is true the false one is in the right: no need to ask.
    return found + (_false_entries if found else _named)(verifying_key, entries, right, backend)


def _holds(verifying_key: VerifyingKey, entries: Sequence[Entry], backend: Backend) -> bool:
    """Is the equation true of one entry, or of all of several but for a chance of 2^-128?"""
    if len(entries) > 1:
        return _product_is_one(verifying_key, entries, _draw_weights(len(entries)), backend)
    ((public_inputs, proof),) = entries
    b_lines = backend.pairing_lines(verifying_key.curve, proof.b[np.newaxis])
    return _equation_holds(verifying_key, public_inputs, proof, b_lines, backend)


def _equation_holds(
    verifying_key: VerifyingKey, public_inputs: Sequence[int], proof: Proof, b_lines: PairingLines, backend: Backend
) -> bool:
    """Is e(A, B) e(IC, -gamma) e(C, -delta) = e(alpha, beta)? ``b_lines`` are B's."""
    curve, key = verifying_key.curve, prepare(verifying_key, backend)
    ic = _msm(curve.g1, verifying_key.ic, [1, *public_inputs], backend)
    g1 = _stack(curve.g1, [proof.a, ic, proof.c])
    product = backend.pairing_of_lines(curve, g1, [b_lines, key.minus_gamma_delta])
    return bool((product == key.alpha_beta).all())


def _product_is_one(verifying_key: VerifyingKey, entries: Sequence[Entry], weights: Array, backend: Backend) -> bool:
    """Is the product over i of (e(A_i, B_i) e(-alpha, beta) e(-IC_i, gamma) e(-C_i, delta))^weights[i] one?

    Weights are ``uint64[n, 4]``, canonical in Fr. Pairs share beta, gamma and delta, so there are n + 3 of them. Sums
    of scalars are taken mod r.
    """
    curve, proofs = verifying_key.curve, [proof for _, proof in entries]
    a, c = _stack(curve.g1, [proof.a for proof in proofs]), _stack(curve.g1, [proof.c for proof in proofs])
    numbers = decode_elements(weights)
    total = sum(numbers) % curve.r
    columns = zip(*(inputs for inputs, _ in entries), strict=True)
    sums = [sum(map(mul, numbers, column)) % curve.r for column in columns]
    a = backend.scale_each(curve.g1, a, weights)
    alpha = _msm(curve.g1, verifying_key.alpha1[np.newaxis], [total], backend)
    c_sum = backend.msm(curve.g1, c, weights)
    ic = _msm(curve.g1, verifying_key.ic, [total, *sums], backend)
    g1 = np.concatenate([a, negate(curve.g1, np.stack([alpha, ic, c_sum]))])
    fixed = np.stack([verifying_key.beta2, verifying_key.gamma2, verifying_key.delta2])
    g2 = np.concatenate([_stack(curve.g2, [proof.b for proof in proofs]), fixed])
    return is_one(backend.pairing_product(curve, g1, g2))


def _draw_weights(n: int) -> Array:
    """n numbers from [1, 2^128) as elements of Fr, ``uint64[n, 4]``, by the operating system's generator."""
    weights = np.zeros((n, 4), dtype=np.uint64)
    while (missing := np.flatnonzero(~weights.any(axis=1))).size:
        drawn = np.frombuffer(secrets.token_bytes(BATCH_SCALAR_BYTES * missing.size), dtype="<u8")
        weights[missing, : BATCH_SCALAR_BYTES // 8] = drawn.reshape(missing.size, -1)
    return weights


def _stack(group: Group, points: Sequence[Array]) -> Array:
    """Points ``[*point_shape]`` as one array; np.stack takes several times as long."""
    return np.concatenate(points).reshape(len(points), *group.point_shape)


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
    verifying_key: VerifyingKey,
    proofs: Sequence[Proof],
    backend: Backend,
    b_valid: NDArray[np.bool_] | None = None,
) -> dict[int, tuple[Reason, str]]:
    """By position, the proofs with a point off the curve, outside the subgroup, or A or B at infinity, and which.

    With A or B at infinity e(A, B) is one whatever the other is, so the proof says nothing of a witness; an
    honest prover's blinding gives that with probability 1/r. C may be infinity: A and B still carry the check.
    ``b_valid`` is what ``check_points`` says of each B, where that is known.
    """
    if not proofs:
        return {}
    curve = verifying_key.curve
    in_g1 = _stack(curve.g1, [point for proof in proofs for point in (proof.a, proof.c)])
    in_g2 = _stack(curve.g2, [proof.b for proof in proofs])
    refused: dict[int, tuple[Reason, str]] = {}
    for name, points in (("A", in_g1[::2]), ("B", in_g2)):
        infinite = np.flatnonzero(~points.reshape(len(proofs), -1).any(axis=1))
        refused |= {int(index): (Reason.POINT_AT_INFINITY, name) for index in infinite}
    for index, reason in refusal_of_points(curve.g1, in_g1, backend).items():
        refused[index // 2] = (reason, "AC"[index % 2])
    if b_valid is None or not b_valid.all():
        for index, reason in refusal_of_points(curve.g2, in_g2, backend).items():
            refused[index] = (reason, "B")
    return refused


def _refusal(reason: Reason, point: str) -> RefusedInput | RefusedProof:
    kind = RefusedProof if reason is Reason.POINT_AT_INFINITY else RefusedInput
    return kind(f"the proof's point {point} is refused: {reason.words}", reason)
