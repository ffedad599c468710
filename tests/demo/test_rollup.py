"""The demo's circuit: the packed files, generated inputs, and a proof."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from proofgrid.demo import rollup
from proofgrid.demo.babyjubjub import SUBGROUP_ORDER
from proofgrid.demo.ledger import Ledger
from proofgrid.demo.rollup import CircuitFiles, Signals, batch_inputs, generate_inputs, public_inputs, unpack
from proofgrid.errors import MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import decode_elements
from proofgrid.kernels.curves import BN254
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.prover.witness import calculate_witness
from proofgrid.verifier.groth16 import verify

INPUTS = generate_inputs(b"tests")


def test_a_seed_gives_the_same_inputs_and_no_seed_gives_new_ones() -> None:
    assert generate_inputs(b"tests") == INPUTS
    assert generate_inputs(b"other")["old_root"] != INPUTS["old_root"]
    assert generate_inputs()["old_root"] != generate_inputs()["old_root"]


def test_inputs_are_plain_json_that_changes_the_root() -> None:
    assert json.loads(json.dumps(INPUTS)) == INPUTS
    old_root, new_root, _ = public_inputs(INPUTS)
    assert old_root != new_root


def test_the_unpacked_circuit_is_the_recorded_one(circuit: CircuitFiles) -> None:
    recorded = json.loads((rollup.CIRCUITS / "rollup.json").read_text())
    r1cs = read_r1cs(circuit.r1cs)
    assert (r1cs.n_constraints, r1cs.n_wires) == (recorded["constraints"], recorded["wires"])
    assert (r1cs.curve, r1cs.n_public) == (BN254, len(rollup.PUBLIC_INPUTS))


def test_unpacking_mends_a_damaged_file_and_leaves_a_good_one(circuit: CircuitFiles) -> None:
    before = circuit.r1cs.stat().st_mtime_ns
    good = circuit.wasm.read_bytes()
    circuit.wasm.write_bytes(good[:-1])
    assert unpack(circuit.wasm.parent) == circuit
    assert circuit.wasm.read_bytes() == good
    assert circuit.r1cs.stat().st_mtime_ns == before
    assert sorted(file.name for file in circuit.wasm.parent.iterdir()) == ["rollup.r1cs", "rollup.wasm"]


def test_a_package_whose_files_were_exchanged_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packed = tmp_path / "package"
    packed.mkdir()
    (packed / "rollup.json").write_bytes((rollup.CIRCUITS / "rollup.json").read_bytes())
    (packed / "rollup.r1cs.xz").write_bytes((rollup.CIRCUITS / "rollup.wasm.xz").read_bytes())
    monkeypatch.setattr(rollup, "CIRCUITS", packed)
    with pytest.raises(MalformedInput, match=r"rollup\.r1cs\.xz"):
        unpack(tmp_path / "out")


def test_a_batch_must_be_full_and_fit_the_tree() -> None:
    for ledger in (Ledger(rollup.DEPTH), Ledger(rollup.DEPTH + 1)):
        with pytest.raises(MalformedInput, match="depth 8"):
            batch_inputs(ledger, [])


def test_a_proof_of_the_batch(circuit: CircuitFiles, tmp_path: Path) -> None:
    witness = calculate_witness(circuit.wasm, INPUTS)
    r1cs = read_r1cs(circuit.r1cs)
    r1cs.check_satisfied(witness)
    assert decode_elements(witness[1:4]) == public_inputs(INPUTS)
    setup(r1cs, tmp_path / "rollup.zkey")
    zkey = read_zkey(tmp_path / "rollup.zkey")
    proof, proven = prove(zkey, witness)
    assert proven == public_inputs(INPUTS)
    verify(verifying_key(zkey), proven, proof)


def _cells(value: object, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    if isinstance(value, list):
        return [cell for i, item in enumerate(value) for cell in _cells(item, (*path, i))]
    return [path]


def _add(inputs: Signals, name: str, cell: tuple[int, ...], amount: int) -> Signals:
    changed = deepcopy(inputs)
    holder, key = changed, name
    for step in cell:
        holder, key = holder[key], step
    holder[key] = str((int(holder[key]) + amount) % BN254.r)
    return changed


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_can_be_changed(name: str, wasm: Path) -> None:
    cells = _cells(INPUTS[name])
    for cell in {cells[0], cells[len(cells) // 2], cells[-1]}:
        with pytest.raises(UnsatisfiedCircuit):
            calculate_witness(wasm, _add(INPUTS, name, cell, 1))


def test_a_signature_cannot_be_written_in_two_ways(wasm: Path) -> None:
    with pytest.raises(UnsatisfiedCircuit):
        calculate_witness(wasm, _add(INPUTS, "signature", (0, 2), SUBGROUP_ORDER))
