"""``python -m tests.interop.build_bench`` compiles the benchmark's circuits and packs them.

Run it after a change of their sources or of the pinned compiler; ``test_bench_circuits.py`` fails until then.
"""

import json
import lzma
from hashlib import sha256
from pathlib import Path
from typing import Any

from proofgrid.bench.packed import CIRCUITS, INPUTS, RECORD
from tests.interop import node
from tests.interop.circuits import compile_circuit

OPTIMISE = "--O2"  # with --O1 the chain of Poseidon does not fit a domain of 2^16


def compile_all() -> dict[str, Path]:
    """The compiled files by the names under which they are packed."""
    files = {}
    for name in INPUTS:
        compiled = compile_circuit(CIRCUITS / f"{name}.circom", OPTIMISE)
        files |= {f"{name}.r1cs": compiled.r1cs, f"{name}.wasm": compiled.wasm}
    return files


def record(files: dict[str, Path]) -> dict[str, Any]:
    """What ``circuits.json`` holds: the tools and digests of the unpacked files."""
    packages = json.loads((node.FOLDER / "package.json").read_text())["dependencies"]
    return {
        "compiler": f"circom2 {packages['circom2']} (npm), {OPTIMISE}",
        "library": f"circomlib {packages['circomlib']} (npm; GPL-3.0)",
        "sha256": {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
    }


def main() -> None:
    node.install()
    files = compile_all()
    for name, path in files.items():
        packed = lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        (CIRCUITS / f"{name}.xz").write_bytes(packed)
        print(f"{name}: {path.stat().st_size:,} bytes, packed {len(packed):,}")
    RECORD.write_text(json.dumps(record(files), indent=2) + "\n")


if __name__ == "__main__":
    main()
