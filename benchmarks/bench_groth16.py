"""Groth16 over the dense chain x^2 + b: seconds to set up, prove (by phase) and verify.

    python -m benchmarks.bench_groth16 --sizes 14 15 16 --repeat 5 --rapidsnark PATH

Times are medians of ``--repeat`` runs after one warm-up, on an otherwise idle machine if you want to compare them.
The chain is the hard case: every wire is a full-size element, so no MSM scalar is small. Proving does not include
the witness's calculation nor reading the files (they are mapped and warm), and includes no check of the proof.

With a rapidsnark binary named, each proof of ours is followed by one of its own from the same files. Caveats first:
``prove_cli_s`` and ``rapidsnark_s`` are whole processes, start and output included (ours starts a Python, 0.3 s or
more), ``prove_s`` is our prover alone inside a running worker, which is how the network uses it. Both use all cores.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from benchmarks.circuits import square_chain, square_chain_witness
from benchmarks.machine import describe, write_results
from proofgrid.kernels.backend import Backend, Name, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import CURVES, Curve
from proofgrid.prover.formats.wtns import read_wtns, write_wtns
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify, verify_batch

PUBLIC_ROWS = 3  # the chain's: the constant, the output and b


class TimedBackend:
    """A backend that adds up the seconds of each kernel of a proof; MSMs of under 64 terms count as ``blinding``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.seconds: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        if name not in ("quotient", "msm"):
            return method

        def timed(*arguments: Any, **options: Any) -> Any:
            phase = name if name == "quotient" else _phase(arguments)
            start = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start

        return timed


def _phase(arguments: tuple[Any, ...]) -> str:
    group, bases = arguments[0], arguments[1]
    return "blinding" if len(bases) < 64 else f"msm_{group.name}"


def median_seconds(work: Callable[[], object], repeat: int) -> float:
    """The median of ``repeat`` runs after a warm-up."""
    work()
    samples = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def measure_processes(zkey: Path, witness: Path, repeat: int, threads: int, rapidsnark: Path) -> dict[str, float]:
    """Medians of whole processes, interleaved: ``proofgrid prove`` and rapidsnark on the same files."""
    folder = zkey.parent
    ours = [sys.executable, "-c", "import sys; from proofgrid.cli.main import main; sys.exit(main())", "prove"]
    ours += [str(zkey), str(witness), "--no-check", "--threads", str(threads)]
    ours += ["-p", str(folder / "proof.json"), "-u", str(folder / "public.json")]
    theirs = [str(rapidsnark), str(zkey), str(witness), str(folder / "r-proof.json"), str(folder / "r-public.json")]
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    samples: dict[str, list[float]] = {"prove_cli_s": [], "rapidsnark_s": []}
    for _ in range(repeat + 1):
        for name, command in (("prove_cli_s", ours), ("rapidsnark_s", theirs)):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            samples[name].append(time.perf_counter() - start)
    return {name: round(statistics.median(values[1:]), 4) for name, values in samples.items()}


def measure(
    curve: Curve, log_n: int, repeat: int, threads: int, backend: Backend, rapidsnark: Path | None
) -> dict[str, Any]:
    """One row: the chain that fills a domain of 2^log_n."""
    n = (1 << log_n) - PUBLIC_ROWS
    with tempfile.TemporaryDirectory() as folder:
        key_path, witness_path = Path(folder) / "chain.zkey", Path(folder) / "chain.wtns"
        start = time.perf_counter()
        setup(square_chain(n, curve), key_path, backend=backend, control=Control(threads))
        setup_s = time.perf_counter() - start
        write_wtns(witness_path, curve, square_chain_witness(n, 3, 5, curve))
        zkey, witness = read_zkey(key_path), read_wtns(witness_path).values
        prove_s = median_seconds(lambda: prove(zkey, witness, backend=backend, control=Control(threads)), repeat)
        phases = []
        for _ in range(repeat):
            timed = TimedBackend(backend)
            proof, inputs = prove(zkey, witness, backend=cast("Backend", timed), control=Control(threads))
            phases.append(timed.seconds)
        peers = measure_processes(key_path, witness_path, repeat, threads, rapidsnark) if rapidsnark else {}
        key = verifying_key(zkey, backend=backend)
        verify_s = median_seconds(lambda: verify(key, inputs, proof, backend=backend), max(repeat, 20))
        batch_s = median_seconds(lambda: verify_batch(key, [(inputs, proof)] * 16, backend=backend), repeat)
    return {
        "circuit": "square_chain",
        "curve": curve.name,
        "constraints": n,
        "log_domain": log_n,
        "threads": threads,
        "repeat": repeat,
        "setup_s": round(setup_s, 4),
        "prove_s": round(prove_s, 4),
        **peers,
        "phases_s": {name: round(statistics.median(run[name] for run in phases), 4) for name in phases[0]},
        "verify_ms": round(1000 * verify_s, 3),
        "verify_batch_of_16_ms": round(1000 * batch_s, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[14, 15, 16], help="log2 of the domain")
    parser.add_argument("--curves", nargs="+", default=["bn254"], choices=list(CURVES))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: one for each core")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rapidsnark", type=Path, help="a rapidsnark `prover` binary to measure beside ours")
    parser.add_argument("--output", type=Path, help="file to write instead of results/<date>-<machine>.json")
    options = parser.parse_args()
    backend, rows = select(cast("Name", options.backend)), []
    for name in options.curves:
        for log_n in options.sizes:
            row = measure(CURVES[name], log_n, options.repeat, options.threads, backend, options.rapidsnark)
            phases = "  ".join(f"{phase} {seconds:.3f}" for phase, seconds in row["phases_s"].items())
            print(
                f"{name} 2^{log_n}: setup {row['setup_s']:.2f} s  prove {row['prove_s']:.3f} s ({phases})  "
                + (f"rapidsnark {row['rapidsnark_s']:.3f} s  " if "rapidsnark_s" in row else "")
                + f"verify {row['verify_ms']:.2f} ms  batch of 16 {row['verify_batch_of_16_ms']:.2f} ms",
                flush=True,
            )
            rows.append(row)
    print(write_results("groth16", describe(backend.name, backend.isa), rows, options.output))


if __name__ == "__main__":
    main()
