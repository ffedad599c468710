"""Circuits of circomlib, compiled and packed: ``sha`` (SHA-256 of 512 bits) and ``pos`` (268 chained Poseidon(2)).

Both fill a domain of 2^16 over BN254. The witness of ``sha`` is almost all 0 and 1, that of ``pos`` is full-size.
``python -m tests.interop.build_bench`` makes the packed files anew.
"""

import json
import lzma
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.prover.formats.r1cs import R1cs, read_r1cs
from proofgrid.prover.witness import calculate_witness

CIRCUITS = Path(__file__).parent / "circuits"
RECORD = CIRCUITS / "circuits.json"
INPUTS: dict[str, dict[str, Any]] = {
    "sha": {"in": [(i * i // 3) % 2 for i in range(512)]},
    "pos": {"start": "3", "salt": "5"},
}


def load_packed(name: Literal["sha", "pos"]) -> tuple[R1cs, Array]:
    """The circuit and a witness of it; cost: a second or two. Raises :class:`MalformedInput` for a damaged file."""
    return read_r1cs(_unpack(f"{name}.r1cs")), calculate_witness(_unpack(f"{name}.wasm"), INPUTS[name])


def _unpack(file: str) -> bytes:
    content = lzma.decompress((CIRCUITS / f"{file}.xz").read_bytes())
    if sha256(content).hexdigest() != json.loads(RECORD.read_text())["sha256"][file]:
        raise MalformedInput(
            f"{file}.xz in the package is not the file that circuits.json records; reinstall proofgrid"
        )
    return content
