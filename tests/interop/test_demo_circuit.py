"""The demo's committed circuit is its source, compiled by the pinned compiler, and snarkjs agrees on its witness."""

import json
from pathlib import Path

from proofgrid.demo.rollup import generate_inputs, unpack
from proofgrid.kernels.curves import BN254
from proofgrid.prover.formats.wtns import write_wtns
from proofgrid.prover.witness import calculate_witness
from tests.interop import node
from tests.interop.build_demo import RECORD, compile_demo, record


def test_the_committed_circuit_is_its_source_compiled(tmp_path: Path) -> None:
    compiled, packed = compile_demo(), unpack(tmp_path)
    assert record(compiled) == json.loads(RECORD.read_text()), "run python -m tests.interop.build_demo"
    assert compiled.r1cs.read_bytes() == packed.r1cs.read_bytes()
    assert compiled.wasm.read_bytes() == packed.wasm.read_bytes()


def test_snarkjs_calculates_the_same_witness(runner: node.Runner, tmp_path: Path) -> None:
    circuit, inputs = unpack(tmp_path), generate_inputs()
    ours, theirs = tmp_path / "ours.wtns", tmp_path / "theirs.wtns"
    write_wtns(ours, BN254, calculate_witness(circuit.wasm, inputs))
    runner.call("witness", inputs=inputs, wasm=circuit.wasm, wtns=theirs)
    assert ours.read_bytes() == theirs.read_bytes()
