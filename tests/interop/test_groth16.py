"""Keys and proofs cross the border both ways: ours are good for snarkjs, snarkjs' are good for us.

Every circuit gets a key from our development setup. The small ones also get one from snarkjs: its own
powers of tau, phase two and contribution.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from proofgrid.errors import InvalidProof
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify, verify_batch
from proofgrid.verifier.keys import (
    Proof,
    VerifyingKey,
    dump_proof,
    dump_public_inputs,
    dump_verifying_key,
    load_proof,
    load_public_inputs,
    load_verifying_key,
)
from tests.interop import node
from tests.interop.circuits import CIRCUITS, Circuit
from tests.interop.conftest import Case

Maker = Literal["ours", "snarkjs"]


class Key:
    """A proving key for a case, with its verifying key in both tongues."""

    def __init__(self, case: Case, path: Path, runner: node.Runner) -> None:
        self.case, self.path, self.runner = case, path, runner
        self.ours: VerifyingKey = verifying_key(read_zkey(path))
        self.theirs: dict[str, Any] = runner.call("verifying_key", zkey=path)

    def prove(self, maker: Maker) -> tuple[dict[str, Any], list[str]]:
        """A proof and its public inputs as snarkjs' JSON, by our prover or by snarkjs'."""
        if maker == "ours":
            proof, public_inputs = prove(read_zkey(self.path), self.case.witness)
            return proof.to_json(), [str(value) for value in public_inputs]
        made = self.runner.call("prove", zkey=self.path, wtns=self.case.wtns)
        return made["proof"], made["public_inputs"]

    def accepted_by_us(self, proof: dict[str, Any], public_inputs: list[str]) -> bool:
        try:
            verify(self.ours, [int(value) for value in public_inputs], Proof.from_json(proof))
        except InvalidProof:
            return False
        return True

    def accepted_by_snarkjs(self, proof: dict[str, Any], public_inputs: list[str]) -> bool:
        return self.runner.call("verify", verifying_key=self.theirs, public_inputs=public_inputs, proof=proof)


KEYS = [(circuit, "ours") for circuit in CIRCUITS] + [
    (circuit, "snarkjs") for circuit in CIRCUITS if circuit.snarkjs_setup
]


@pytest.fixture(scope="module", params=KEYS, ids=lambda param: f"{param[0]}-{param[1]}_setup")
def key(
    request: pytest.FixtureRequest,
    make_case: Callable[[Circuit], Case],
    runner: node.Runner,
    powers_of_tau: Callable[[str], Path],
) -> Key:
    circuit, maker = request.param
    case = make_case(circuit)
    path = case.wtns.with_name(f"{maker}.zkey")
    if maker == "ours":
        setup(read_r1cs(case.compiled.r1cs), path)
    else:
        tau = powers_of_tau(circuit.prime)
        runner.call("setup", r1cs=case.compiled.r1cs, ptau=tau, folder=path.parent, zkey=path)
    return Key(case, path, runner)


def test_both_read_the_same_verifying_key_from_it(key: Key) -> None:
    ours = key.ours.to_json()
    # snarkjs adds the pairing e(alpha, beta), which follows from the rest.
    assert {name: value for name, value in key.theirs.items() if name != "vk_alphabeta_12"} == ours
    assert VerifyingKey.from_json(key.theirs).digest() == key.ours.digest()


@pytest.mark.parametrize("maker", ["ours", "snarkjs"])
def test_both_accept_each_proof_and_refuse_it_tampered(key: Key, maker: Maker) -> None:
    proof, public_inputs = key.prove(maker)
    assert [int(value) for value in public_inputs] == key.case.circuit.public_inputs
    assert key.accepted_by_us(proof, public_inputs)
    assert key.accepted_by_snarkjs(proof, public_inputs)

    other_input = [str((int(public_inputs[0]) + 1) % key.case.curve.r), *public_inputs[1:]]
    swapped = proof | {"pi_a": proof["pi_c"], "pi_c": proof["pi_a"]}
    for false_proof, inputs in [(proof, other_input), (swapped, public_inputs)]:
        assert not key.accepted_by_us(false_proof, inputs)
        assert not key.accepted_by_snarkjs(false_proof, inputs)


def test_a_batch_of_both_makers_proofs(key: Key) -> None:
    entries = []
    for proof, public_inputs in (key.prove("ours"), key.prove("snarkjs")):
        entries.append(([int(value) for value in public_inputs], Proof.from_json(proof)))
    verify_batch(key.ours, entries)


def test_the_command_line_takes_our_files_and_we_take_its(make_case: Callable[[Circuit], Case], tmp_path: Path) -> None:
    case = make_case(next(circuit for circuit in CIRCUITS if circuit.name == "comparators"))
    zkey, ours, theirs = tmp_path / "ours.zkey", tmp_path / "ours", tmp_path / "theirs"
    setup(read_r1cs(case.compiled.r1cs), zkey)
    for folder in (ours, theirs):
        folder.mkdir()
    proof, public_inputs = prove(read_zkey(zkey), case.witness)
    dump_verifying_key(verifying_key(read_zkey(zkey)), ours / "verification_key.json")
    dump_proof(proof, ours / "proof.json")
    dump_public_inputs(public_inputs, ours / "public.json")
    node.command("snarkjs", "zkey", "export", "verificationkey", zkey, theirs / "verification_key.json")
    node.command("snarkjs", "groth16", "prove", zkey, case.wtns, theirs / "proof.json", theirs / "public.json")

    for folder in (ours, theirs):
        names = [folder / f"{name}.json" for name in ("verification_key", "public", "proof")]
        assert "OK" in node.command("snarkjs", "groth16", "verify", *names)
        verify(load_verifying_key(names[0]), load_public_inputs(names[1]), load_proof(names[2]))

    (ours / "public.json").write_text(json.dumps(["1"] * len(public_inputs)))
    with pytest.raises(node.NodeError, match="Invalid proof"):
        node.command(
            "snarkjs", "groth16", "verify", *(ours / f"{name}.json" for name in ("verification_key", "public", "proof"))
        )
