"""What a verifying key alone decides of every verification, computed once."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.prepared import PairingLines
from proofgrid.verifier.keys import VerifyingKey
from proofgrid.verifier.points import negate

MOST_KEYS = 64
"""As many keys are kept as were used last, 60 to 80 kB each."""


@dataclass(frozen=True, eq=False)
class PreparedVerifyingKey:
    """e(alpha, beta) ``[12, limbs]``, and the lines of -gamma and -delta."""

    alpha_beta: Array
    minus_gamma_delta: PairingLines


@lru_cache(maxsize=MOST_KEYS)
def prepare(verifying_key: VerifyingKey, backend: Backend) -> PreparedVerifyingKey:
    """The key's constants in the backend's form; kept for the same object, which cannot change.

    Equal keys that were loaded twice are prepared twice: nothing is found by a name that another key could bear.
    Cost: a pairing and two walks the first time.
    """
    curve = verifying_key.curve
    alpha_beta = backend.pairing_product(curve, verifying_key.alpha1[np.newaxis], verifying_key.beta2[np.newaxis])
    alpha_beta.setflags(write=False)
    fixed = negate(curve.g2, np.stack([verifying_key.gamma2, verifying_key.delta2]))
    return PreparedVerifyingKey(alpha_beta, backend.pairing_lines(curve, fixed))
