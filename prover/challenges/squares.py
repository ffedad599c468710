"""The known-answer proof's circuit: x is squared again and again, a constant added. Whoever has x knows the end.

x_0 = x,  x_{i+1} = x_i^2 + 5,  public: the end x_n (output) and x (input), one constraint a step
"""

import numpy as np

from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.curves import Curve
from proofgrid.prover.challenges.kernels import CURVE
from proofgrid.prover.formats.matrices import Matrix
from proofgrid.prover.formats.r1cs import R1cs

_ADDED = 5


def steps_of(log_n: int) -> int:
    """Squarings of the circuit whose domain is 2^log_n: the public rows take three."""
    return (1 << log_n) - 3


def start(seed: bytes) -> int:
    """x, from a challenge's seed: its 32 bytes little-endian without the lowest three bits."""
    return int.from_bytes(seed, "little") >> 3


def circuit(log_n: int) -> R1cs:
    """Its constraint system. Wires: one, the end, x_0, x_1, ..., x_{n-1}."""
    n = steps_of(log_n)
    before = np.arange(2, n + 2, dtype=np.uint32)
    after = np.append(before[1:], np.uint32(1))
    # Row i: x_i * x_i = x_{i+1} - 5 * one
    single = Matrix(np.arange(n + 1, dtype=np.int64), before, _constants(CURVE, [1], n))
    minus = Matrix(
        2 * np.arange(n + 1, dtype=np.int64),
        np.stack([np.zeros(n, np.uint32), after], axis=1).ravel(),
        _constants(CURVE, [CURVE.r - _ADDED, 1], n),
    )
    return R1cs(
        curve=CURVE,
        n_wires=n + 2,
        n_outputs=1,
        n_public_inputs=1,
        n_private_inputs=0,
        n_labels=n + 2,
        n_constraints=n,
        a=single,
        b=single,
        c=minus,
        labels=np.arange(n + 2, dtype=np.uint64),
    )


def public_inputs(x: int, log_n: int) -> list[int]:
    """The end, then x. Cost: a squaring a step, 0.4 us each in Python."""
    return [_values(x, log_n)[-1], x]


def witness(x: int, log_n: int) -> Array:
    """The circuit's wires for x: ``uint64[n + 2, 4]``."""
    values = _values(x, log_n)
    return encode_elements(CURVE.Fr, [1, values[-1], *values[:-1]])


def _values(x: int, log_n: int) -> list[int]:
    values = [x]
    for _ in range(steps_of(log_n)):
        values.append((values[-1] * values[-1] + _ADDED) % CURVE.r)
    return values


def _constants(curve: Curve, values: list[int], times: int) -> Array:
    return np.tile(encode_elements(curve.Fr, values), (times, 1))
