"""What admission's checks cost beside the answers they check: ``python -m benchmarks.admission [--log-n 14 ...]``.

Both by this process, on every core that it may use; CPU seconds are those of all threads. Writes
``results/<date>-<machine>-admission.json``.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import RESULTS, write_results
from proofgrid.bench.machine import describe
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.prepared import PreparedBases
from proofgrid.network.admission.checks import CHECKED_STEPS, check_msm, check_ntt, check_proof
from proofgrid.network.admission.trapdoor import Trapdoor, inner_product
from proofgrid.prover.challenges import squares
from proofgrid.prover.challenges.expansion import expand
from proofgrid.prover.challenges.kernels import CURVE, chain_msm, chain_ntt, decode_points, decode_values
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.lagrange import geometric, lagrange_at
from proofgrid.prover.groth16.prepared import prepare_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup

SECRET, SEED = bytes(32), bytes(range(32))
Timed = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--log-n", type=int, nargs="+", default=[14, 16, 18])
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    backend, rows = select(), list[dict[str, Any]]()
    for log_n in options.log_n:
        rows += [_msm(backend, log_n, max(4, options.steps >> (log_n - 14)), options.runs)]
    rows += [_ntt(backend, log_n, 16 * options.steps, options.runs) for log_n in (13, 14)]
    rows += [_proof(backend, 12, options.runs)]
    for row in rows:
        print(f"{row['kind']:5} 2^{row['log_n']:<2} x {row['steps']:<4} answer {_ms(row['answer'])}  check "
              f"{_ms(row['check'])}  ratio (CPU) {row['answer'][1] / row['check'][1]:6.0f}")  # fmt: skip
        for name, value in row["notes"].items():
            print(f"{'':8}{name}: {value:.4g}")
    machine = describe(backend.name, backend.isa)
    known = write_results(machine, " ".join(["python -m benchmarks.admission", *sys.argv[1:]]), rows, _target(machine))
    print(known)


def _msm(backend: Backend, log_n: int, steps: int, runs: int) -> dict[str, Any]:
    trapdoor = Trapdoor(SECRET, 0, log_n, backend)
    made_s = _time(trapdoor.points, 1)[0]
    points = decode_points(trapdoor.points())
    answer = chain_msm(points, SEED, steps, backend=backend)
    scalars = expand(SEED, 1 << log_n)
    with_table = {}
    for multiples in (1, 8, 17):
        prepared: PreparedBases = backend.prepare(
            CURVE.g1, backend.to_mont(CURVE.Fq, points.reshape(-1, 4)).reshape(points.shape), multiples=multiples
        )
        with_table[prepared.multiples] = _time(lambda bases=prepared: backend.msm(CURVE.g1, bases, scalars), runs)[0]
    return {
        "kind": "msm",
        "log_n": log_n,
        "steps": steps,
        "checked": CHECKED_STEPS,
        "answer": _time(lambda: chain_msm(points, SEED, steps, backend=backend), max(2, runs // 2)),
        "check": _time(lambda: check_msm(trapdoor, SEED, steps, answer), runs),
        "notes": {
            "making the set of points, s": made_s,
            "scalars of a step, ms": 1e3 * _time(lambda: expand(SEED, 1 << log_n), runs)[0],
            "inner product, ms": 1e3 * _time(lambda: inner_product(scalars, trapdoor.logs, backend), runs)[0],
            "one sum, ms": 1e3 * _time(lambda: backend.msm(CURVE.g1, points, scalars), runs)[0],
            **{f"one sum over {count} kept multiples, ms": 1e3 * seconds for count, seconds in with_table.items()},
        },
    }


def _ntt(backend: Backend, log_n: int, steps: int, runs: int) -> dict[str, Any]:
    trapdoor = Trapdoor(SECRET, 0, log_n, backend)
    answer = chain_ntt(SEED, log_n, steps, backend=backend)
    values, elements = decode_values(answer, log_n), expand(SEED, 1 << log_n)
    first_s = _time(lambda: trapdoor.functional(log_n, steps), 1)[0]

    def at_a_point() -> None:
        """The check without a secret, of one transform alone: at a point drawn after the answer came."""
        point = 12345678901234567890
        shifted = point * pow(CURVE.Fr.non_residue, -1, CURVE.r) % CURVE.r
        inner_product(values, lagrange_at(CURVE.Fr, shifted, log_n, backend), backend)
        inner_product(elements, geometric(CURVE.Fr, 1, point, log_n, backend), backend)

    return {
        "kind": "ntt",
        "log_n": log_n,
        "steps": steps,
        "answer": _time(lambda: chain_ntt(SEED, log_n, steps, backend=backend), runs),
        "check": _time(lambda: check_ntt(trapdoor, SEED, log_n, steps, answer), runs),
        "notes": {
            "the functional, once for a set, ms": 1e3 * first_s,
            "one transform, ms": 1e3 * _time(lambda: chain_ntt(SEED, log_n, 1, backend=backend), runs)[0],
            "check of one transform at a point drawn afterwards, ms": 1e3 * _time(at_a_point, runs)[0],
        },
    }


def _proof(backend: Backend, log_n: int, runs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "squares.zkey"
        made_s = _time(lambda: setup(squares.circuit(log_n), path, backend=backend), 1)[0]
        zkey = read_zkey(path)
    key, prepared = verifying_key(zkey, backend=backend), prepare_key(zkey, backend=backend)
    proof, _ = prove(prepared, squares.witness(squares.start(SEED), log_n), backend=backend)
    return {
        "kind": "proof",
        "log_n": log_n,
        "steps": 1,
        "answer": _time(lambda: prove(prepared, squares.witness(squares.start(SEED), log_n), backend=backend), runs),
        "check": _time(lambda: check_proof(key, SEED, log_n, proof, backend), runs),
        "notes": {"the setup, once, s": made_s},
    }


def _time(work: Callable[[], object], runs: int) -> Timed:
    """Median seconds on the wall and of the CPU, after one run to warm up unless there is to be one run alone."""
    walls, cpus = [], []
    for _ in range(runs + (runs > 1)):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls[-runs:]), statistics.median(cpus[-runs:])


def _ms(timed: Timed) -> str:
    return f"{1e3 * timed[0]:9.2f} ms ({1e3 * timed[1]:9.2f} CPU)"


def _target(machine: dict[str, Any]) -> Path:
    words = [word for word in str(machine["cpu"]).lower().replace("(", " ").split() if word.isalnum()][:2]
    return RESULTS / f"{machine['date']}-{'-'.join(words)}-{machine['cores']}c-{machine['isa']}-admission.json"


if __name__ == "__main__":
    main()
