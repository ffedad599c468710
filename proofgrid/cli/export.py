"""``proofgrid export``: keys, proofs and receipts in the forms that other chains take."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.output import Output
from proofgrid.errors import MalformedInput

if TYPE_CHECKING:
    from proofgrid.verifier.keys import VerifyingKey

DEPLOYMENT = {
    "solc": "0.8.24 or newer, optimizer on with 200 runs, EVM version paris or newer",
    "ProofgridRouter": "constructor(address firstOwner, address firstGuardian), then addVerifier(verifier's address)",
    "ProofgridReceipts": "constructor(address firstOwner, address firstGuardian, address firstAttester, uint256 "
    "delaySeconds), a delay of 10 minutes to 30 days",
}
"""How each contract is built and deployed; the verifier's constructor takes nothing."""


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    export = typer.Typer(help="Write keys, proofs and receipts for other chains.", no_args_is_help=True)
    export.callback()(_about)  # with one command only, typer would leave its name out
    export.command()(solidity)
    app.add_typer(export, name="export")


def _about() -> None:
    """Write keys, proofs and receipts for other chains."""


def solidity(
    key: Annotated[
        Path,
        typer.Option(
            "--key", "-k", exists=True, dir_okay=False, help="verification_key.json, a .zkey, or a key's encoding."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder to write to.")],
    name: Annotated[str, typer.Option("--name", help="The verifier contract's name.")] = "ProofgridVerifier",
    proof: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="proof.json to write calldata for.")
    ] = None,
    public: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="public.json that the proof is for.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Receipt to write calldata for.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> None:
    """Write Solidity for EVM chains: a verifier of this key (BN254), a router, and a registry of receipts.

    With --proof and --public also calldata.json with the calls that verify them; a false proof is refused, here
    and not for gas. With --receipt also the call that checks it. docs/evm.md says what the contracts trust.
    """
    from proofgrid.settlement.evm import contract_sources, render_verifier, verifier_selector

    out = Output(as_json)
    if (proof is None) != (public is None):
        raise MalformedInput("--proof and --public go together: the calldata holds both")
    loaded = _load_key(key)
    shared = contract_sources()
    if f"{name}.sol" in shared:
        raise MalformedInput(f"--name {name}: {name}.sol is another of the contracts; choose another name")
    files = {f"{name}.sol": render_verifier(loaded, name), **shared}
    if calls := _calls(loaded, proof, public, receipt):
        files["calldata.json"] = json.dumps(calls, indent=1) + "\n"
    _write(output, files, force)
    deployment = {name: "constructor()"} | DEPLOYMENT
    facts = {
        "folder": str(output),
        "files": list(files),
        "contract": name,
        "key_digest": "0x" + loaded.digest().hex(),
        "selector": "0x" + verifier_selector(loaded).hex(),
        "public_inputs": loaded.n_public,
        "deployment": deployment,
    }
    lines = [f"{output}: {', '.join(files)}", f"key {facts['key_digest']}, selector {facts['selector']}"]
    lines += [f"{what}: {how}" for what, how in deployment.items()]
    out.result(facts, "\n".join(lines))


def _load_key(path: Path) -> "VerifyingKey":
    """A verifying key from snarkjs' JSON, a .zkey or its own bytes, by the file's first bytes."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"zkey":
        from proofgrid.prover.formats.zkey import read_zkey
        from proofgrid.prover.groth16.keys import verifying_key

        return verifying_key(read_zkey(path))
    if head.lstrip()[:1] == b"{":
        from proofgrid.verifier.keys import load_verifying_key

        return load_verifying_key(path)
    from proofgrid.kernels.curves import BN254
    from proofgrid.verifier.keys import MAX_KEY_BYTES, VerifyingKey

    with path.open("rb") as file:
        data = file.read(MAX_KEY_BYTES + 1)
    try:
        return VerifyingKey.decode(BN254, data)
    except MalformedInput as error:
        raise MalformedInput(
            f"{path}: not a verification_key.json, nor a .zkey, nor a key's encoding of bn254 ({error})"
        ) from error


def _calls(
    key: "VerifyingKey", proof: Path | None, public: Path | None, receipt: Path | None
) -> dict[str, dict[str, object]]:
    """What ``calldata.json`` holds: by contract and function, the arguments and the bytes of the call."""
    from proofgrid.settlement.evm import calldata, encode_seal, receipt_calldata, router_calldata

    calls: dict[str, dict[str, object]] = {}
    if proof is not None and public is not None:
        from proofgrid.verifier.groth16 import verify
        from proofgrid.verifier.keys import load_proof, load_public_inputs

        made, inputs = load_proof(proof), load_public_inputs(public)
        verify(key, inputs, made)
        words, numbers = made.encode(), [str(value) for value in inputs]
        calls["verifier"] = {
            "function": "verify(uint256[8],uint256[])",
            "proof": [_hex(words[i : i + 32]) for i in range(0, len(words), 32)],
            "inputs": numbers,
            "calldata": _hex(calldata(made, inputs)),
        }
        calls["router"] = {
            "function": "verify(bytes32,bytes,uint256[])",
            "key": _hex(key.digest()),
            "seal": _hex(encode_seal(key, made)),
            "inputs": numbers,
            "calldata": _hex(router_calldata(key, made, inputs)),
        }
    if receipt is not None:
        from proofgrid.verifier.receipts import load_receipt

        calls["receipts"] = {
            "function": "verifyReceipt(bytes32,(bytes32,bytes32,bytes32,bytes32,bytes32,uint64),uint256,bytes32[])",
            "calldata": _hex(receipt_calldata(load_receipt(receipt))),
        }
    return calls


def _write(folder: Path, files: dict[str, str], force: bool) -> None:
    """Write all files or, where one stands with other content and without ``force``, none."""
    for name, content in files.items():
        path = folder / name
        if path.exists() and not force and path.read_bytes() != content.encode():
            raise MalformedInput(f"{path} is there with other content; write to another folder or add --force")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
