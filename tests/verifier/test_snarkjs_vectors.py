"""snarkjs' keys, proofs and inputs (tests/vectors/circom): what it made we accept, and make the same."""

import json
from pathlib import Path

import pytest

from proofgrid.errors import InvalidProof
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import CURVES
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.qap import coefficients, log_domain
from proofgrid.verifier.groth16 import verify, verify_batch
from proofgrid.verifier.keys import load_proof, load_public_inputs, load_verifying_key

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"

pytestmark = pytest.mark.parametrize("folder", [VECTORS / name for name in CURVES], ids=list(CURVES))


def test_snarkjs_proof_is_true(folder: Path) -> None:
    key = load_verifying_key(folder / "verification_key.json")
    inputs, proof = load_public_inputs(folder / "public.json"), load_proof(folder / "proof.json")
    verify(key, inputs, proof)
    for i in range(len(inputs)):
        with pytest.raises(InvalidProof):
            verify(key, [value ^ (i == j) for j, value in enumerate(inputs)], proof)


def test_our_proof_is_true_under_snarkjs_key(folder: Path) -> None:
    key = load_verifying_key(folder / "verification_key.json")
    proof, inputs = prove(read_zkey(folder / "steps.zkey"), read_wtns(folder / "steps.wtns").values)
    assert inputs == load_public_inputs(folder / "public.json")
    verify_batch(key, [(inputs, proof), (inputs, load_proof(folder / "proof.json"))])


def test_documents_are_snarkjs_to_the_letter(folder: Path) -> None:
    written = json.loads((folder / "verification_key.json").read_text())
    del written["vk_alphabeta_12"]
    key = verifying_key(read_zkey(folder / "steps.zkey"))
    assert json.dumps(key.to_json()) == json.dumps(written)
    proof = json.loads((folder / "proof.json").read_text())
    assert json.dumps(load_proof(folder / "proof.json").to_json()) == json.dumps(proof)


def test_coefficients_are_snarkjs_to_the_byte(folder: Path) -> None:
    r1cs, zkey = read_r1cs(folder / "steps.r1cs"), read_zkey(folder / "steps.zkey")
    assert 1 << log_domain(r1cs) == zkey.domain_size
    ours = coefficients(r1cs, select())
    assert ours.tobytes() == zkey.coefficients.tobytes()
