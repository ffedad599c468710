"""The two kernel challenges: a chain of MSMs over one set of points, and a chain of NTTs.

Each step needs the one before, so a chain measures one machine's speed, not how many can be rented for a second; the
steps of an answer can be checked one by one.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import CURVES, Curve
from proofgrid.prover.challenges.expansion import ELEMENT_BYTES, expand

CURVE: Curve = CURVES["bn254"]
POINT_BYTES = 2 * CURVE.Fq.n_bytes
"""x and y, little-endian, canonical; all zeros for infinity."""

_TAG = b"proofgrid-challenge-msm-v1"


def step_seed(seed: bytes, step: int, before: bytes) -> bytes:
    """The seed of a step's scalars: SHA-256 of tag, seed, step (8 bytes, little-endian) and the sum before it.

    ``before`` is ``POINT_BYTES`` zeros for step 0.
    """
    return hashlib.sha256(_TAG + seed + step.to_bytes(8, "little") + before).digest()


def chain_msm(points: Array, seed: bytes, steps: int, *, backend: Backend, control: Control | None = None) -> bytes:
    """The sums of all steps, ``POINT_BYTES`` each: sum j is over all ``points`` with scalars from its step's seed.

    Cost: ``steps`` MSMs in G1 of ``len(points)``. Raises Cancelled.
    """
    control = control or Control()
    control.expect(steps)
    sums, before = [], bytes(POINT_BYTES)
    for step in range(steps):
        with control.share(1) as part:
            scalars = expand(step_seed(seed, step, before), len(points))
            before = encode_point(backend.msm(CURVE.g1, points, scalars, control=part))
        sums.append(before)
    return b"".join(sums)


def chain_ntt(seed: bytes, log_n: int, steps: int, *, backend: Backend, control: Control | None = None) -> bytes:
    """The last of ``steps`` transforms of the seed's 2^log_n elements, 32 bytes little-endian each.

    A step takes its input as coefficients and gives the values on the coset shift * <w>, in natural order; shift is
    the smallest non-residue and w the root of unity of :class:`~proofgrid.kernels.curves.Field`. Raises Cancelled.
    """
    control = control or Control()
    control.expect(steps)
    values = expand(seed, 1 << log_n)
    for _ in range(steps):
        with control.share(1) as part:
            values = backend.ntt(CURVE.Fr, values, shift=CURVE.Fr.non_residue, control=part)
    return encode_elements(values)


def encode_point(point: Array) -> bytes:
    """An affine canonical point as its bytes."""
    return np.ascontiguousarray(point, dtype="<u8").tobytes()


def encode_elements(values: Array) -> bytes:
    return np.ascontiguousarray(values, dtype="<u8").tobytes()


def decode_points(data: bytes) -> Array:
    """A set of points from its artifact, ``uint64[n, 2, 4]``; raises MalformedInput for a length that is none."""
    if not data or len(data) % POINT_BYTES:
        raise MalformedInput(f"a set of points has {POINT_BYTES} bytes a point, got {len(data)} bytes")
    return np.frombuffer(data, dtype="<u8").reshape(-1, *CURVE.g1.point_shape).astype(np.uint64)


def split_sums(data: bytes, steps: int) -> Sequence[bytes]:
    """The sums of an answer; raises MalformedInput for another length."""
    if len(data) != steps * POINT_BYTES:
        raise MalformedInput(f"an answer of {steps} sums has {steps * POINT_BYTES} bytes, got {len(data)}")
    return [data[at : at + POINT_BYTES] for at in range(0, len(data), POINT_BYTES)]


def decode_values(data: bytes, log_n: int) -> Array:
    """The vector of an answer, not range-checked; raises MalformedInput for another length."""
    if len(data) != ELEMENT_BYTES << log_n:
        raise MalformedInput(f"an answer of 2^{log_n} values has {ELEMENT_BYTES << log_n} bytes, got {len(data)}")
    return np.frombuffer(data, dtype="<u8").reshape(-1, 4).astype(np.uint64)
