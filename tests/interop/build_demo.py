"""Compile the demo's circuit and pack it into ``proofgrid/demo/circuits``: ``python -m tests.interop.build_demo``.

Run it after a change of ``rollup.circom`` or of the pinned compiler; ``test_demo_circuit.py`` fails until then.
"""

import json
import lzma
import re
from hashlib import sha256
from typing import Any

from proofgrid.demo import rollup
from tests.interop import node
from tests.interop.circuits import Compiled, compile_circuit

SOURCE = rollup.CIRCUITS / "rollup.circom"
RECORD = rollup.CIRCUITS / "rollup.json"
OPTIMISE = "--O2"  # half the constraints of --O1, hence half the domain, at denser rows


def compile_demo() -> Compiled:
    return compile_circuit(SOURCE, OPTIMISE)


def record(compiled: Compiled) -> dict[str, Any]:
    """What ``rollup.json`` holds: the tools, the circuit's size, and digests of the unpacked files."""
    packages = json.loads((node.FOLDER / "package.json").read_text())["dependencies"]
    sizes = {what: int(count) for what, count in re.findall(r"(constraints|wires): (\d+)", compiled.log)}
    sizes["constraints"] = sum(map(int, re.findall(r"linear constraints: (\d+)", compiled.log)))
    return {
        "compiler": f"circom2 {packages['circom2']} (npm), {OPTIMISE}",
        "library": f"circomlib {packages['circomlib']} (npm; GPL-3.0)",
        **sizes,
        "sha256": {
            SOURCE.name: sha256(SOURCE.read_bytes()).hexdigest(),
            "rollup.r1cs": sha256(compiled.r1cs.read_bytes()).hexdigest(),
            "rollup.wasm": sha256(compiled.wasm.read_bytes()).hexdigest(),
        },
    }


def main() -> None:
    node.install()
    compiled = compile_demo()
    for file in (compiled.r1cs, compiled.wasm):
        packed = lzma.compress(file.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        (rollup.CIRCUITS / f"{file.name}.xz").write_bytes(packed)
        print(f"{file.name}: {file.stat().st_size:,} bytes, packed {len(packed):,}")
    RECORD.write_text(json.dumps(record(compiled), indent=2) + "\n")


if __name__ == "__main__":
    main()
