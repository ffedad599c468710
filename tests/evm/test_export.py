"""``proofgrid export solidity``: what it writes compiles and verifies, and what it will not write."""

import json
from pathlib import Path

import pytest

from proofgrid.settlement.evm import contract_sources
from proofgrid.verifier.keys import load_verifying_key
from proofgrid.verifier.receipts import dump_receipt
from tests.cli.test_files import VECTORS, answer, run
from tests.evm.conftest import GUARDIAN, OWNER, STRANGER, funded
from tests.evm.machine import word
from tests.evm.solidity import compile_sources
from tests.evm.test_receipts import make_receipt, make_registry
from tests.house.test_imports import HEAVY
from tests.house.test_imports import _loaded as loaded

BN254 = VECTORS / "bn254"
KEY = BN254 / "verification_key.json"
STATEMENT = ["--proof", BN254 / "proof.json", "--public", BN254 / "public.json"]


def export(folder: Path, *words: object, key: Path = KEY) -> list[object]:
    return ["export", "solidity", "--key", key, "-o", folder, *words]


def refused(*words: object) -> str:
    """The message of a command that ends with 2 and one JSON object."""
    result = run(*words, "--json")
    assert result.returncode == 2, result.stdout + result.stderr
    error = json.loads(result.stdout)["error"]
    assert error["code"] in {"malformed_input", "usage"}
    return str(error["message"])


def test_what_is_written_compiles_and_verifies(node_packages: None, tmp_path: Path) -> None:
    receipt = make_receipt(5, 11)
    dump_receipt(receipt, tmp_path / "receipt.json")
    folder = tmp_path / "a" / "contracts"
    told = answer(*export(folder, "--name", "Steps", *STATEMENT, "--receipt", tmp_path / "receipt.json"))
    assert sorted(told["files"]) == sorted(path.name for path in folder.iterdir())
    assert told["files"] == ["Steps.sol", *contract_sources(), "calldata.json"]
    assert told["key_digest"] == "0x" + load_verifying_key(KEY).digest().hex()

    chain = funded(compile_sources({path.name: path.read_text() for path in folder.glob("*.sol")}))
    verifier = chain.deploy("Steps", by=OWNER)
    assert verifier.view("SELECTOR()")[:4].hex() == told["selector"][2:]
    router = chain.deploy("ProofgridRouter", word(OWNER), word(GUARDIAN), by=OWNER)
    router.send("addVerifier(address)", verifier.word, by=OWNER)
    registry = make_registry(chain)
    registry.attest(receipt.root, receipt.n_leaves, batch=b"\1" * 32)
    calls = json.loads((folder / "calldata.json").read_text())
    addresses = {"verifier": verifier, "router": router, "receipts": registry.contract}
    assert calls.keys() == addresses.keys()
    for name, call in calls.items():
        data = bytes.fromhex(call["calldata"][2:])
        assert data[:4] == chain.compiled.names[call["function"]][:4]
        answered = chain.call(addresses[name].address, data, by=STRANGER, static=True).data
        assert answered == (word(1) if name == "receipts" else b"")


def test_keys_come_in_three_forms(tmp_path: Path) -> None:
    (tmp_path / "key.bin").write_bytes(load_verifying_key(KEY).encode())
    sources = set()
    for number, key in enumerate((KEY, BN254 / "steps.zkey", tmp_path / "key.bin")):
        result = run(*export(tmp_path / str(number), key=key))
        assert result.returncode == 0, result.stderr
        assert "constructor" in result.stdout
        sources.add((tmp_path / str(number) / "ProofgridVerifier.sol").read_text())
    assert len(sources) == 1


def test_files_are_not_overwritten_unless_they_are_the_same(tmp_path: Path) -> None:
    answer(*export(tmp_path))
    answer(*export(tmp_path))
    edited = tmp_path / "ProofgridRouter.sol"
    edited.write_text("mine")
    (tmp_path / "ProofgridVerifier.sol").unlink()
    assert "ProofgridRouter.sol is there with other content" in refused(*export(tmp_path))
    assert edited.read_text() == "mine"
    assert not (tmp_path / "ProofgridVerifier.sol").exists()  # all or nothing
    answer(*export(tmp_path, "--force"))
    assert edited.read_text() == contract_sources()["ProofgridRouter.sol"]


@pytest.mark.parametrize(
    ("words", "key", "message"),
    [
        ([], VECTORS / "bls12_381" / "verification_key.json", "bls12_381"),
        ([], BN254 / "initial.zkey", "gamma and delta coincide"),
        ([], BN254 / "public.json", "nor a key's encoding"),
        ([], BN254 / "proof.json", "members"),
        (["--name", "1st"], KEY, "no contract's name"),
        (["--name", "ProofgridRouter"], KEY, "another of the contracts"),
        (["--proof", BN254 / "proof.json"], KEY, "go together"),
        (["--public", BN254 / "public.json"], KEY, "go together"),
        (["--receipt", BN254 / "proof.json"], KEY, "receipt"),
        ([], Path("/nowhere"), "does not exist"),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path: Path, words: list[object], key: Path, message: str) -> None:
    folder = tmp_path / "contracts"
    assert message in refused(*export(folder, *words, key=key))
    assert not folder.exists()


def test_false_proof_gets_no_calldata(tmp_path: Path) -> None:
    inputs = json.loads((BN254 / "public.json").read_text())
    (tmp_path / "public.json").write_text(json.dumps([*inputs[:-1], "7"]))
    words = export(tmp_path / "out", "--proof", BN254 / "proof.json", "--public", tmp_path / "public.json")
    result = run(*words, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["error"]["code"] == "invalid_proof"
    assert not (tmp_path / "out").exists()


def test_exporting_needs_none_of_the_node() -> None:
    assert not loaded("import proofgrid.settlement.evm, proofgrid.cli.export") & HEAVY
