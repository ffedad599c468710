"""Each layer of the native core, by name, makes a key and a proof that snarkjs takes."""

from collections.abc import Callable

import pytest

from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.prepared import prepare_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from tests.interop import node
from tests.interop.circuits import CIRCUITS, Circuit
from tests.interop.conftest import Case
from tests.kernels import backends

SMALL = {str(circuit): circuit for circuit in CIRCUITS if circuit.snarkjs_setup}


@pytest.mark.parametrize("circuit", ["poseidon", "merkle_path", "num2bits-bls12381"])
@pytest.mark.parametrize("layer", backends.NATIVE)
def test_snarkjs_takes_a_proof_by(
    layer: str, circuit: str, make_case: Callable[[Circuit], Case], runner: node.Runner
) -> None:
    backend, case = backends.named(layer), make_case(SMALL[circuit])
    assert f"native-{backend.isa}" == layer
    path = case.wtns.with_name(f"{layer}.zkey")
    setup(read_r1cs(case.compiled.r1cs), path, backend=backend)
    key = prepare_key(read_zkey(path), backend=backend)
    theirs = runner.call("verifying_key", zkey=path)

    proof, public_inputs = prove(key, case.witness, backend=backend)
    assert public_inputs == case.circuit.public_inputs
    inputs = [str(value) for value in public_inputs]
    other_inputs = [str((public_inputs[0] + 1) % case.curve.r), *inputs[1:]]
    assert runner.call("verify", verifying_key=theirs, public_inputs=inputs, proof=proof.to_json())
    assert not runner.call("verify", verifying_key=theirs, public_inputs=other_inputs, proof=proof.to_json())
