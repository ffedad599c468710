"""Our witnesses are snarkjs', byte for byte."""

import json
from pathlib import Path

import pytest

from proofgrid.errors import UnsatisfiedCircuit
from proofgrid.kernels.curves import BN254
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.wtns import write_wtns
from proofgrid.prover.witness import calculate_witness
from tests.interop import node
from tests.interop.circuits import CIRCUITS
from tests.interop.conftest import Case

BY_NAME = {circuit.name: circuit for circuit in CIRCUITS}


def test_the_witness_is_snarkjs_own(case: Case, runner: node.Runner) -> None:
    theirs = case.wtns.with_name("theirs.wtns")
    runner.call("witness", inputs=case.circuit.inputs, wasm=case.compiled.wasm, wtns=theirs)
    assert case.wtns.read_bytes() == theirs.read_bytes()


def test_the_witness_satisfies_the_constraints(case: Case) -> None:
    read_r1cs(case.compiled.r1cs).check_satisfied(case.witness)


@pytest.mark.parametrize(
    ("name", "change"),
    [("num2bits", {"in": 2**32}), ("eddsa", {"M": "1234568"}), ("merkle_path", {"selectors": [0, 2, 1, 0]})],
)
def test_both_refuse_inputs_that_break_an_assertion(
    name: str, change: dict, runner: node.Runner, tmp_path: Path
) -> None:
    circuit = BY_NAME[name]
    compiled, inputs = circuit.compile(), circuit.inputs | change
    with pytest.raises(UnsatisfiedCircuit):
        calculate_witness(compiled.wasm, inputs)
    with pytest.raises(node.NodeError, match="Assert Failed"):
        runner.call("witness", inputs=inputs, wasm=compiled.wasm, wtns=tmp_path / "none.wtns")


def test_the_command_line_calculates_the_same_and_checks_ours(tmp_path: Path) -> None:
    circuit = BY_NAME["comparators"]
    compiled = circuit.compile()
    (tmp_path / "input.json").write_text(json.dumps(circuit.inputs))
    write_wtns(tmp_path / "ours.wtns", BN254, calculate_witness(compiled.wasm, circuit.inputs))
    node.command("snarkjs", "wtns", "calculate", compiled.wasm, tmp_path / "input.json", tmp_path / "theirs.wtns")
    assert (tmp_path / "ours.wtns").read_bytes() == (tmp_path / "theirs.wtns").read_bytes()
    assert "WITNESS IS CORRECT" in node.command("snarkjs", "wtns", "check", compiled.r1cs, tmp_path / "ours.wtns")
