"""Solidity to bytecode, once for each source and setting: ``.cache`` keeps what the compiler said."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.interop import node

FOLDER = Path(__file__).parent
CACHE = FOLDER / ".cache"
EVM_VERSION = "paris"  # no PUSH0: what is compiled for it runs on every chain


@dataclass(frozen=True)
class Contract:
    """A compiled contract: what is deployed, and how many bytes of it a chain keeps."""

    creation: bytes
    runtime_size: int


@dataclass(frozen=True)
class Compiled:
    """Contracts by name, and the Keccak-256 of the signatures of their functions, errors and events."""

    contracts: dict[str, Contract]
    names: dict[str, bytes]

    def error(self, selector: bytes) -> str:
        """The signature of the error that a revert's first four bytes stand for."""
        (found,) = {name for name, digest in self.names.items() if digest[:4] == selector}
        return found


def compile_sources(sources: Mapping[str, str], *, package: str = "solc", via_ir: bool = False) -> Compiled:
    """Compile with the pinned compiler, optimised for 200 runs; a warning is a failure."""
    settings = {
        "evmVersion": EVM_VERSION,
        "viaIR": via_ir,
        "optimizer": {"enabled": True, "runs": 200},
        "metadata": {"bytecodeHash": "none"},  # a changed comment changes no byte
        "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}},
    }
    files = {name: {"content": text} for name, text in sources.items()}
    question = {"package": package, "input": {"language": "Solidity", "sources": files, "settings": settings}}
    answer = _answer(json.dumps(question, sort_keys=True))
    complaints = [found["formattedMessage"] for found in answer["output"].get("errors", [])]
    assert not complaints, "\n".join(complaints)
    contracts = {
        name: Contract(
            bytes.fromhex(contract["evm"]["bytecode"]["object"]),
            len(contract["evm"]["deployedBytecode"]["object"]) // 2,
        )
        for file in answer["output"]["contracts"].values()
        for name, contract in file.items()
    }
    return Compiled(contracts, {name: bytes.fromhex(digest) for name, digest in answer["names"].items()})


def _answer(question: str) -> Any:
    script = FOLDER / "compile.mjs"
    key = node.digest(script, FOLDER / "package-lock.json") + question
    kept = CACHE / f"{sha256(key.encode()).hexdigest()[:32]}.json"
    if not kept.is_file():
        node.install(FOLDER)
        done = subprocess.run(
            ["node", script], cwd=FOLDER, input=question, capture_output=True, text=True, timeout=300, check=True
        )
        kept.parent.mkdir(exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(done.stdout)
        fresh.replace(kept)  # whole or not at all
    return json.loads(kept.read_text())
