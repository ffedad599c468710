"""From the prover's key to the verifier's."""

import numpy as np

from proofgrid.errors import InvalidProof, MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array, encode_points
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Group
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.verifier.groth16 import is_one, verify
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.points import is_infinity, negate


def verifying_key(zkey: Zkey, *, backend: Backend | None = None) -> VerifyingKey:
    """The verifying key inside a proving key, checked; as ``snarkjs zkey export verificationkey`` has it.

    The two deltas must be one, so that a proof that passes ``verify`` hides its witness whoever made the key.
    Cost: as :class:`VerifyingKey`, and a product of two pairings. Raises :class:`~proofgrid.errors.MalformedInput`.
    """
    backend = backend or select()
    g1, g2 = zkey.curve.g1, zkey.curve.g2
    key = VerifyingKey(
        zkey.curve,
        canonical_points(g1, zkey.alpha1_mont, backend),
        canonical_points(g2, zkey.beta2_mont, backend),
        canonical_points(g2, zkey.gamma2_mont, backend),
        canonical_points(g2, zkey.delta2_mont, backend),
        canonical_points(g1, zkey.ic_mont, backend),
        backend=backend,
    )
    _require_blinding(zkey, key, backend)
    return key


def _require_blinding(zkey: Zkey, key: VerifyingKey, backend: Backend) -> None:
    """delta1 and delta2 have one logarithm, not zero: e(delta1, G2) = e(G1, delta2).

    Then r delta1 and s delta2 make A and B uniform, and the equation leaves one C, whatever the rest of the key says.
    With delta1 at infinity a key can be made whose proofs pass and carry an A that only the witness determines.
    """
    curve = key.curve
    delta1 = canonical_points(curve.g1, zkey.delta1_mont, backend)[np.newaxis]
    one1, one2 = encode_points(curve.g1, [curve.g1_generator]), encode_points(curve.g2, [curve.g2_generator])
    left = np.concatenate([delta1, negate(curve.g1, one1)])
    right = np.concatenate([one2, key.delta2[np.newaxis]])
    sound = not is_infinity(delta1) and backend.check_points(curve.g1, delta1).all()
    if not sound or not is_one(backend.pairing_product(curve, left, right)):
        raise MalformedInput(
            "proving key: delta1 and delta2 do not belong together, so its proofs would not hide their witnesses; "
            "do not use this key"
        )


def require_true(key: VerifyingKey, public_inputs: list[int], proof: Proof, *, backend: Backend | None = None) -> None:
    """The prover's own check: :class:`UnsatisfiedCircuit` if a proof just made is false. Cost: one ``verify``."""
    try:
        verify(key, public_inputs, proof, backend=backend)
    except InvalidProof as error:
        raise UnsatisfiedCircuit(
            "the proof made from this witness is false: the witness does not satisfy the circuit of this proving "
            "key; calculate it again with the .wasm that belongs to the key"
        ) from error


def canonical_points(group: Group, points_mont: Array, backend: Backend) -> Array:
    """``uint64[..., *point_shape]`` out of Montgomery form, same shape."""
    limbs = group.coordinate.limbs
    return backend.from_mont(group.coordinate, points_mont.reshape(-1, limbs)).reshape(points_mont.shape)


def mont_points(group: Group, points: Array, backend: Backend) -> Array:
    """The inverse of :func:`canonical_points`."""
    return backend.to_mont(group.coordinate, points.reshape(-1, group.coordinate.limbs)).reshape(points.shape)
