"""The network's secret behind its challenges: logs of a public set of points, and linear functionals.

Both come from one secret of 32 bytes and the set's number, so that nothing secret lies in the database. Whoever knows
the secret answers MSM challenges for nothing; it lies in a file of its own (mode 0600).
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from proofgrid.kernels.arrays import Array, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.prover.challenges.expansion import expand
from proofgrid.prover.challenges.kernels import CURVE, encode_point
from proofgrid.prover.groth16.lagrange import geometric

_FR = CURVE.Fr


@dataclass(frozen=True)
class Trapdoor:
    """One numbered set: 2^log_n points P_i = d_i G, and for each chain of NTTs the functional that answers for it."""

    secret: bytes = field(repr=False)
    number: int
    log_n: int
    backend: Backend = field(repr=False)
    _functionals: dict[int, dict[int, Array]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def logs(self) -> Array:
        """d_i, ``uint64[2^log_n, 4]``. Secret."""
        return expand(self._derive(b"logs"), 1 << self.log_n)

    @property
    def tag(self) -> str:
        """Tells this secret's set from another's, and nothing more."""
        return self._derive(b"tag").hex()[:32]

    def points(self) -> bytes:
        """The public set as its artifact. Cost: 2^log_n fixed-base multiplications, 0.5 to 1 us each on two cores."""
        base = encode_points(CURVE.g1, [CURVE.g1_generator])[0]
        return encode_point(self.backend.scale(CURVE.g1, base, self.logs))

    def functional(self, log_n: int, steps: int) -> tuple[Array, Array]:
        """(rho, sigma) with <rho, chain(x)> = <sigma, x> for every x; rho uniform, secret, kept.

        The chain is M^steps with M = F D: D multiplies coefficient j by shift^j, F is the NTT, whose matrix is its own
        transpose, so sigma = (D F)^steps rho. Cost, once: ``steps`` NTTs and products by a vector, less those of a
        shorter chain that is kept.
        """
        kept = self._functionals.setdefault(log_n, {0: expand(self._derive(b"functional %d" % log_n), 1 << log_n)})
        if steps not in kept:
            done = max(known for known in list(kept) if known < steps)
            sigma, shifts = kept[done], geometric(_FR, 1, _FR.non_residue, log_n, self.backend)
            for _ in range(steps - done):
                sigma = self.backend.field(_FR, "mul", self.backend.ntt(_FR, sigma), shifts)
            kept[steps] = sigma
        return kept[0], kept[steps]

    def _derive(self, what: bytes) -> bytes:
        return hmac.new(self.secret, b"proofgrid-admission-v1 %d " % self.number + what, hashlib.sha256).digest()


def inner_product(a: Array, b: Array, backend: Backend) -> int:
    """sum a[i] b[i] mod r. Cost: 17 ns an element on one core with AVX-512; fewer than 2^32 elements."""
    products = backend.field(_FR, "mul", a, b)
    digits = np.ascontiguousarray(products).view("<u4").astype(np.uint64).sum(axis=0)
    return sum(int(digit) << (32 * place) for place, digit in enumerate(digits)) % _FR.modulus
