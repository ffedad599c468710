"""From the prover's key to the verifier's."""

from proofgrid.errors import InvalidProof, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import Group
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import Proof, VerifyingKey


def verifying_key(zkey: Zkey, *, backend: Backend | None = None) -> VerifyingKey:
    """The verifying key inside a proving key, checked; as ``snarkjs zkey export verificationkey`` has it.

    Cost: as :class:`VerifyingKey`. Raises :class:`~proofgrid.errors.MalformedInput`.
    """
    backend = backend or select()
    g1, g2 = zkey.curve.g1, zkey.curve.g2
    return VerifyingKey(
        zkey.curve,
        canonical_points(g1, zkey.alpha1_mont, backend),
        canonical_points(g2, zkey.beta2_mont, backend),
        canonical_points(g2, zkey.gamma2_mont, backend),
        canonical_points(g2, zkey.delta2_mont, backend),
        canonical_points(g1, zkey.ic_mont, backend),
        backend=backend,
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
