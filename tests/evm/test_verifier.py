"""The verifier contract: it says of every proof what the off-chain verifier says."""

import re
from pathlib import Path

import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.evm import calldata, calls, render_verifier, verifier_selector
from proofgrid.settlement.evm.verifier import MAX_INPUTS
from proofgrid.verifier.keys import Proof, VerifyingKey, load_proof, load_public_inputs, load_verifying_key
from tests.evm.conftest import OWNER, STRANGER, all_sources, funded
from tests.evm.machine import Deployed, Machine, Reverted
from tests.evm.solidity import Compiled, compile_sources
from tests.evm.statements import COUNTS, Case, cases, key
from tests.settlement.instances import instance

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
VERDICTS = {
    "WrongInputCount()": "malformed",
    "InputOutOfRange()": "malformed",
    "MalformedProof()": "malformed",
    "InvalidProof()": "invalid",
}
FORKS = ["ISTANBUL", "BERLIN", "LONDON", "MERGE", "SHANGHAI", "CANCUN"]
"""Since Istanbul the precompiles cost what they cost now (EIP-1108)."""


def ask(verifier: Deployed, call: bytes, gas: int = 1_000_000) -> str:
    """The contract's verdict: true, malformed, invalid, or the name of a refusal that is none."""
    try:
        landed = verifier.machine.call(verifier.address, call, by=STRANGER, gas=gas)
    except Reverted as refused:
        return VERDICTS.get(refused.name, refused.name)
    assert landed.data == b""
    return "true"


def true_call(n_public: int) -> bytes:
    given = instance(n_public)
    return calldata(Proof.decode(BN254, given.proof), given.inputs)


@pytest.mark.parametrize("n_public", COUNTS)
def test_true_proof_is_accepted_by_anyone(machine: Machine, n_public: int) -> None:
    verifier = machine.deploy(f"Verifier{n_public}", by=OWNER)
    assert ask(verifier, true_call(n_public)) == "true"
    assert ask(verifier, true_call(n_public)) == "true"


@pytest.mark.parametrize("n_public", [0, 2])
def test_every_damage_has_the_off_chain_verdict(machine: Machine, n_public: int) -> None:
    verifier, verifying_key = machine.deploy(f"Verifier{n_public}", by=OWNER), key(n_public)
    seen = set()
    for case in cases(n_public):
        verdict = case.verdict(verifying_key)
        assert ask(verifier, case.call) == verdict, case.what
        seen.add(verdict)
    assert seen == {"true", "malformed", "invalid"}


def test_proof_for_another_key_is_false(machine: Machine) -> None:
    verifier = machine.deploy("Verifier2", by=OWNER)
    proof = load_proof(VECTORS / "bn254" / "proof.json")
    assert ask(verifier, calldata(proof, load_public_inputs(VECTORS / "bn254" / "public.json"))) == "invalid"


def test_snarkjs_key_and_proof(node_packages: None) -> None:
    given = load_verifying_key(VECTORS / "bn254" / "verification_key.json")
    chain = funded(compile_sources({"Steps.sol": render_verifier(given, "Steps")}))
    verifier = chain.deploy("Steps", by=OWNER)
    proof, inputs = load_proof(VECTORS / "bn254" / "proof.json"), load_public_inputs(VECTORS / "bn254" / "public.json")
    assert ask(verifier, calldata(proof, inputs)) == "true"
    assert ask(verifier, calldata(proof, [*inputs[:-1], inputs[-1] + 1])) == "invalid"


@pytest.mark.parametrize(
    ("package", "via_ir"), [("solc", True), ("solc-oldest", False)], ids=["by the IR", "by the oldest compiler"]
)
def test_other_compilers_give_the_same_verdicts(node_packages: None, package: str, via_ir: bool) -> None:
    sources = all_sources()
    chain = funded(compile_sources(sources, package=package, via_ir=via_ir))
    verifier, verifying_key = chain.deploy("Verifier1", by=OWNER), key(1)
    for case in cases(1):
        assert ask(verifier, case.call) == case.verdict(verifying_key), case.what


@pytest.mark.parametrize("fork", FORKS)
def test_forks_agree(compiled: Compiled, fork: str) -> None:
    verifier = funded(compiled, fork).deploy("Verifier1", by=OWNER)
    verdicts = {case.what: ask(verifier, case.call) for case in cases(1)}
    assert verdicts["true"] == "true"
    assert verdicts["A off the curve"] == verdicts["a.x: y + q"] == verdicts["B outside the subgroup"] == "malformed"
    assert verdicts["A at infinity"] == verdicts["another C"] == "invalid"


def test_too_little_gas_is_no_verdict(machine: Machine) -> None:
    """Whatever the gas, there is the true verdict or none: a true proof is never called false or malformed."""
    verifier = machine.deploy("Verifier2", by=OWNER)
    asked = {"true": "true", "another C": "invalid", "A off the curve": "malformed"}
    for case in (case for case in cases(2) if case.what in asked):
        verdict = asked[case.what]
        answers = {gas: ask(verifier, case.call, gas) for gas in range(28_000, 240_000, 2_000)}
        assert set(answers.values()) == {verdict, "NoVerdict()", "OutOfGas"}
        assert [answers[28_000], answers[150_000], answers[226_000]] == ["OutOfGas", "NoVerdict()", verdict]


@pytest.mark.parametrize("precompile", [6, 7, 8])
def test_chain_without_a_precompile_gives_no_verdict(node_packages: None, precompile: int) -> None:
    """An address without code takes any call and returns nothing: that must not count as an answer."""
    source = render_verifier(key(1), "Lacking")
    lacking = source.replace(f"staticcall(gas(), {precompile},", f"staticcall(gas(), {0x5AFF},")
    assert lacking != source
    verifier = funded(compile_sources({"Lacking.sol": lacking})).deploy("Lacking", by=OWNER)
    verdicts = {ask(verifier, case.call) for case in cases(1)}
    assert verdicts == {"malformed", "NoVerdict()"}  # malformed: what is refused before the first call


def test_damaged_calldata_is_refused(machine: Machine) -> None:
    verifier, call = machine.deploy("Verifier2", by=OWNER), true_call(2)
    for length in (*range(0, len(call), 7), len(call) - 32, len(call) - 1):
        assert ask(verifier, call[:length]) != "true", length
    offset = 4 + 256
    for wrong in (0, 256, 32 * 10, 2**64, 2**256 - 32):
        moved = call[:offset] + wrong.to_bytes(32, "big") + call[offset + 32 :]
        assert ask(verifier, moved) != "true", wrong


def test_every_flipped_bit_of_the_proof_is_refused(machine: Machine) -> None:
    verifier, call = machine.deploy("Verifier0", by=OWNER), true_call(0)
    for byte in range(4, 4 + 256, 5):
        flipped = bytearray(call)
        flipped[byte] ^= 1 << byte % 8
        assert ask(verifier, bytes(flipped)) in {"malformed", "invalid"}, byte


def test_names_are_the_compilers(machine: Machine) -> None:
    names = machine.compiled.names
    assert names["verify(uint256[8],uint256[])"][:4] == calls.VERIFY
    verifier = machine.deploy("Verifier4", by=OWNER)
    assert verifier.view("KEY_DIGEST()") == key(4).digest() == instance(4).digest
    assert verifier.view("SELECTOR()")[:4] == verifier_selector(key(4))
    assert int.from_bytes(verifier.view("INPUT_COUNT()"), "big") == 4


def test_source_holds_nothing_unfilled() -> None:
    source = render_verifier(key(2), "Named")
    assert "contract Named {" in source
    assert source.startswith("// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.24;\n")
    assert not re.search(r"\$|// for each|// end", source)
    assert source.count("accumulate(IC") == 2


def test_keys_that_no_contract_can_hold_are_refused() -> None:
    with pytest.raises(MalformedInput, match="bls12_381"):
        render_verifier(load_verifying_key(VECTORS / "bls12_381" / "verification_key.json"))
    given = key(0)
    many = VerifyingKey(BN254, given.alpha1, given.beta2, given.gamma2, given.delta2, given.ic.repeat(162, axis=0))
    with pytest.raises(MalformedInput, match="161 public inputs"):
        render_verifier(many)


@pytest.mark.parametrize("name", ["", "verifier", "1A", "A B", "A;", "A" * 65, "Ä", "A\n"])
def test_names_that_no_contract_can_have_are_refused(name: str) -> None:
    with pytest.raises(MalformedInput, match="name"):
        render_verifier(key(0), name)


@pytest.mark.parametrize("via_ir", [False, True])
def test_most_inputs_fit_a_contract(node_packages: None, via_ir: bool) -> None:
    given = key(0)
    ic = given.ic.repeat(MAX_INPUTS + 1, axis=0)
    many = VerifyingKey(BN254, given.alpha1, given.beta2, given.gamma2, given.delta2, ic)
    size = compile_sources({"Many.sol": render_verifier(many, "Many")}, via_ir=via_ir).contracts["Many"].runtime_size
    assert size < 24_576


@pytest.mark.parametrize("inputs", [[-1], [BN254.r], [1.0]])
def test_calldata_is_of_inputs_only(inputs: list[int]) -> None:
    with pytest.raises(MalformedInput, match="input 0"):
        calldata(Proof.decode(BN254, instance(1).proof), inputs)


def test_case_is_what_calldata_writes() -> None:
    (true, *_) = cases(2)
    assert isinstance(true, Case)
    assert true.call == true_call(2)
