"""What ``proofgrid inspect`` says about a file; its kind is read from its first bytes, not from its name."""

import hashlib
from pathlib import Path
from typing import Any

from proofgrid.errors import MalformedInput

Facts = dict[str, Any]


def describe(path: Path) -> Facts:
    """The facts about a file as a flat mapping; raises :class:`MalformedInput` for an unknown kind."""
    with path.open("rb") as file:
        head = file.read(4)
    kinds = {b"r1cs": _r1cs, b"wtns": _wtns, b"zkey": _zkey, b"\0asm": _wasm}
    if head in kinds:
        facts = kinds[head](path)
    elif head.lstrip()[:1] in (b"{", b"["):
        facts = _json(path)
    else:
        raise MalformedInput(
            f"{path}: begins with {head!r}; expected circom's .r1cs, .wtns, .zkey or .wasm, or JSON of a verifying "
            "key, a proof, public inputs or a receipt"
        )
    return facts | {"bytes": path.stat().st_size, "sha256": _sha256(path)}


def _r1cs(path: Path) -> Facts:
    from proofgrid.prover.formats.r1cs import read_r1cs_header

    header = read_r1cs_header(path)
    return {
        "kind": "circom constraint system (.r1cs)",
        "curve": header.curve.name,
        "constraints": header.n_constraints,
        "wires": header.n_wires,
        "public_outputs": header.n_outputs,
        "public_inputs": header.n_public_inputs,
        "private_inputs": header.n_private_inputs,
        "labels": header.n_labels,
    }


def _wtns(path: Path) -> Facts:
    from proofgrid.prover.formats.wtns import read_wtns

    witness = read_wtns(path)
    return {"kind": "witness (.wtns)", "curve": witness.curve.name, "signals": len(witness.values)}


def _zkey(path: Path) -> Facts:
    from proofgrid.prover.formats.zkey import read_zkey
    from proofgrid.prover.groth16.keys import verifying_key

    key = read_zkey(path)
    key.check()
    return {
        "kind": "Groth16 proving key (.zkey)",
        "curve": key.curve.name,
        "signals": key.n_vars,
        "public_signals": key.n_public,
        "domain": f"2^{key.log_domain}",
        "coefficients": len(key.coefficients),
        "contributions": int.from_bytes(key.contributions[64:68], "little"),
        "verifying_key_digest": verifying_key(key).digest().hex(),
    }


def _wasm(path: Path) -> Facts:
    from proofgrid.prover.witness import describe as describe_circuit

    circuit = describe_circuit(path)
    return {
        "kind": "circom witness calculator (.wasm)",
        "circom": ".".join(map(str, circuit.version)),
        "curve": circuit.curve.name,
        "signals": circuit.witness_size,
        "input_values": circuit.input_size,
        "input_names": "not in the .wasm, which holds only their hashes",
    }


def _json(path: Path) -> Facts:
    from proofgrid.verifier.keys import load_proof, load_public_inputs, load_verifying_key
    from proofgrid.verifier.receipts import load_receipt

    first_word = path.read_bytes()[:4096]
    if first_word.lstrip()[:1] == b"[":
        inputs = load_public_inputs(path)
        return {"kind": "public inputs", "count": len(inputs), "values": [str(value) for value in inputs]}
    if b'"pi_a"' in first_word:
        proof = load_proof(path)
        return {"kind": "Groth16 proof", "curve": proof.curve.name, "digest": proof.digest().hex()}
    if b'"protocol"' in first_word:
        key = load_verifying_key(path)
        return {
            "kind": "Groth16 verifying key",
            "curve": key.curve.name,
            "public_inputs": key.n_public,
            "digest": key.digest().hex(),
        }
    receipt = load_receipt(path)
    return {
        "kind": "receipt",
        "request": receipt.leaf.request_id.hex(),
        "price_lamports": receipt.leaf.price_lamports,
        "batch": receipt.batch,
        "root": receipt.root.hex(),
        "transaction": receipt.transaction,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
