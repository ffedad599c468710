"""What the contracts cost: ``python -m tests.evm.gas`` prints the table of docs/evm.md, which a test compares.

Gas is deterministic: the same bytes cost the same in every EVM of the same rules.
"""

from pathlib import Path

from proofgrid.kernels.curves import BN254
from proofgrid.settlement.evm import calldata, contract_sources, render_verifier, router_calldata
from proofgrid.verifier.keys import Proof
from tests.evm.conftest import GUARDIAN, OWNER, STRANGER, funded
from tests.evm.machine import word
from tests.evm.solidity import compile_sources
from tests.evm.statements import key
from tests.evm.test_receipts import make_registry, place, verify_call
from tests.interop import node
from tests.settlement.instances import instance

DOCUMENT = Path(__file__).parents[2] / "docs" / "evm.md"
COUNTS = (1, 2, 4, 8, 32)
COLD_SLOT, COLD_ACCOUNT = 2_000, 2_500
"""The EVM of the tests keeps warm what earlier transactions touched. On a chain every transaction starts cold and pays
this more for each slot and account (EIP-2929); how many there are is counted from a trace and stands at each row."""


def beside_snarkjs() -> str:
    """Our verifier and the one that snarkjs exports for the same keys, compiled alike, with the same true proofs."""
    sources = {f"Ours{n}.sol": render_verifier(key(n), f"Ours{n}") for n in COUNTS}
    with node.Runner() as runner:
        for n in COUNTS:
            theirs = runner.call("solidity_verifier", verifying_key=key(n).to_json())
            sources[f"Theirs{n}.sol"] = theirs.replace("contract Groth16Verifier", f"contract Theirs{n}")
    chain = funded(compile_sources(sources))
    rows = []
    for n in COUNTS:
        given = instance(n)
        ours, theirs = (chain.deploy(f"{whose}{n}", by=OWNER) for whose in ("Ours", "Theirs"))
        gas = chain.call(ours.address, calldata(Proof.decode(BN254, given.proof), given.inputs), by=STRANGER).gas
        name = f"verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[{n}])"
        answer = theirs.send(name, given.proof, *map(word, given.inputs), by=STRANGER)
        assert answer.data == word(1)
        deployments = (ours.deployment_gas, theirs.deployment_gas)
        rows.append((str(n), *(f"{figure:,}" for figure in (gas, answer.gas, *deployments))))
    return _table(("inputs", "verify", "snarkjs 0.7.6", "deployment", "snarkjs 0.7.6"), rows)


def of_the_others() -> str:
    """The router and the registry, each call as a transaction of its own."""
    chain = funded(compile_sources(contract_sources() | {"Verifier.sol": render_verifier(key(2), "Verifier")}))
    verifier = chain.deploy("Verifier", by=OWNER)
    router = chain.deploy("ProofgridRouter", word(OWNER), word(GUARDIAN), by=OWNER)
    added = router.send("addVerifier(address)", verifier.word, by=OWNER).gas
    proof, inputs = Proof.decode(BN254, instance(2).proof), instance(2).inputs
    direct = chain.call(verifier.address, calldata(proof, inputs), by=STRANGER).gas
    routed = chain.call(router.address, router_calldata(key(2), proof, inputs), by=STRANGER).gas
    rows = [
        ("verifier: verify, 2 inputs", direct),
        ("router: verify, 2 inputs", routed + 2 * COLD_SLOT + COLD_ACCOUNT),
        ("router: addVerifier", added + COLD_SLOT + COLD_ACCOUNT),
        ("router: deployment", router.deployment_gas),
    ]
    registry = make_registry(chain)
    for depth in (0, 10, 14):
        true, batch = place(0, 1 << depth), bytes([depth]) * 32
        attested = registry.attest(true.root, true.n_leaves, batch=batch).gas
        asked = chain.call(registry.contract.address, verify_call(true, batch), by=STRANGER).gas
        leaves = "1 leaf" if depth == 0 else f"{1 << depth:,} leaves"
        rows.append((f"receipts: verifyReceipt, {leaves}", asked + 3 * COLD_SLOT))
    rows += [("receipts: attest", attested + 2 * COLD_SLOT), ("receipts: deployment", registry.contract.deployment_gas)]
    return _table(("call", "gas"), [(name, f"{figure:,}") for name, figure in rows])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rule = tuple("---" if i == 0 else "---:" for i in range(len(head)))
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows)) + "\n"


def main() -> None:
    print(beside_snarkjs(), of_the_others(), sep="\n")


if __name__ == "__main__":
    main()
