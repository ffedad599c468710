"""Whole provers of others as peers of ``proofgrid bench groth16``: ``python benchmarks/provers.py NAME [PATH] …``.

    rapidsnark PATH   its ``prover`` binary, a process for each proof
    snarkjs           of tests/interop/node_modules, a process for each proof; up to 2^16
    groth16py         arkworks behind Python, in this process, its key read once
    proofgrid-cli     our own ``proofgrid prove``, a process for each proof

Speaks the protocol of ``proofgrid/bench/peers.py`` and needs the standard library alone, so that it runs in whatever
environment has the prover. It leaves the number of threads to the prover, which sees the cores it is held to.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SNARKJS = Path(__file__).parents[1] / "tests" / "interop" / "node_modules" / ".bin" / "snarkjs"
SNARKJS_LARGEST = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("prover", choices=["rapidsnark", "snarkjs", "groth16py", "proofgrid-cli"])
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("kind")
    for name in ("log-n", "threads", "curve", "group", "zkey", "witness", "verifying-key", "public", "proof"):
        parser.add_argument(f"--{name}")
    options = parser.parse_args(_with_path(sys.argv[1:]))
    if (options.kind, options.curve) != ("groth16", "bn254"):
        sys.exit(f"{options.prover} is measured for groth16 over bn254")
    if options.prover == "groth16py":
        _answer(_groth16py(options.zkey, options.witness))
        return
    if options.prover == "snarkjs" and int(options.log_n) > SNARKJS_LARGEST:
        sys.exit(f"snarkjs is measured up to 2^{SNARKJS_LARGEST}: beyond, a proof takes minutes")
    with tempfile.TemporaryDirectory() as folder:
        results = [f"{folder}/proof.json", f"{folder}/public.json"]
        ours = [sys.executable, "-c", "import sys; from proofgrid.cli.main import main; sys.exit(main())", "prove"]
        ours += [options.zkey, options.witness, "--no-check", "--threads", options.threads]
        command = {
            "rapidsnark": [str(options.path), options.zkey, options.witness, *results],
            "snarkjs": [str(SNARKJS), "groth16", "prove", options.zkey, options.witness, *results],
            "proofgrid-cli": [*ours, "-p", results[0], "-u", results[1]],
        }[options.prover]
        _answer(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def _with_path(words: list[str]) -> list[str]:
    """Only rapidsnark is named by a path; argparse would take the kind for it."""
    return words if words[:1] == ["rapidsnark"] or not words else [words[0], "-", *words[1:]]


def _groth16py(zkey: str, witness: str) -> Callable[[], object]:
    import groth16py

    key, _ = groth16py.import_zkey(zkey)
    return lambda: groth16py.prove_wtns(key, witness)


def _answer(run: Callable[[], object]) -> None:
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(f"{time.perf_counter() - start:.6f}", flush=True)


if __name__ == "__main__":
    main()
