"""What a proof takes beside its prepared key, as the system counts it, in a process of its own."""

import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgrid.kernels.arrays import Array, encode_points
from proofgrid.kernels.backend import COEFFICIENT, Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, Group
from proofgrid.prover.formats.zkey import Zkey
from proofgrid.prover.groth16.prepared import PreparedKey, prepare_key
from proofgrid.prover.groth16.prove import prove
from tests.kernels.test_native_runtime import random_scalars

LOG_N = 16
BYTES_A_CONSTRAINT = 400


def some_points(group: Group, n: int, backend: Backend) -> Array:
    """``n`` points of the curve in Montgomery form, 2^10 different ones."""
    generator = group.curve.g1_generator if group.name == "g1" else group.curve.g2_generator
    points = backend.scale(group, encode_points(group, [generator])[0], random_scalars(1 << 10))
    mont = backend.to_mont(group.coordinate, points.reshape(-1, group.coordinate.limbs)).reshape(points.shape)
    return np.resize(mont, (n, *group.point_shape))


def dense_key(log_n: int, backend: Backend) -> Zkey:
    """2^log_n constraints over as many wires, two products each: false proofs, as dear as true ones."""
    n, g1, g2 = 1 << log_n, BN254.g1, BN254.g2
    coefficients = np.zeros(2 * n, COEFFICIENT)
    coefficients["matrix"] = np.arange(2 * n) % 2
    coefficients["constraint"] = coefficients["signal"] = np.arange(2 * n) // 2
    coefficients["value"][:, 0] = 1
    one, two = some_points(g1, n, backend), some_points(g2, n, backend)
    header = {f"{name}_mont": one[i] for i, name in enumerate(("alpha1", "beta1", "delta1"))}
    header |= {f"{name}_mont": two[i] for i, name in enumerate(("beta2", "gamma2", "delta2"))}
    bases = {"a_mont": one, "b1_mont": one, "b2_mont": two, "c_mont": one[2:], "h_mont": one, "ic_mont": one[:2]}
    return Zkey(BN254, n, 1, n, coefficients=coefficients, **header, **bases)


def resident(name: str) -> int:
    """``VmRSS`` or ``VmHWM``, its peak, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def _prove_in_child(threads: int, results: Any) -> None:
    backend = select("native")
    witness = random_scalars(1 << LOG_N)
    witness[0] = (1, 0, 0, 0)
    key: PreparedKey = prepare_key(dense_key(LOG_N, backend), backend=backend)
    small = prepare_key(dense_key(4, backend), backend=backend)
    prove(small, witness[:16], backend=backend, control=Control(threads))  # what Python loads once is not the proof's
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    prove(key, witness, backend=backend, control=Control(threads))
    results.put(resident("VmHWM") - before)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_proof_takes_at_most_400_bytes_a_constraint() -> None:
    context = get_context("spawn")
    results = context.Queue()
    child = context.Process(target=_prove_in_child, args=(2, results))
    child.start()
    peak = results.get(timeout=300)
    child.join(30)
    assert 32 << LOG_N < peak <= BYTES_A_CONSTRAINT << LOG_N
