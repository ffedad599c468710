"""The circuits that both sides prove: their sources, inputs and compiled forms."""

import random
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from proofgrid.demo.eddsa import SigningKey
from proofgrid.demo.poseidon import poseidon
from tests.interop import node

SOURCES = node.FOLDER / "circuits"
Prime = Literal["bn128", "bls12381"]


@dataclass(frozen=True)
class Compiled:
    """A circuit's ``.r1cs`` and ``.wasm``, and what the compiler printed."""

    r1cs: Path
    wasm: Path
    log: str


@dataclass(frozen=True)
class Circuit:
    """A circuit in ``circuits/`` with valid inputs and the public inputs that they give.

    Inputs are decimal text where JavaScript's numbers would lose digits.
    """

    name: str
    inputs: dict[str, Any]
    public_inputs: list[int]
    prime: Prime = "bn128"
    optimise: str = "--O1"
    snarkjs_setup: bool = True  # small enough for the powers of tau that snarkjs makes in a minute?

    def compile(self) -> Compiled:
        return compile_circuit(SOURCES / f"{self.name}.circom", self.optimise, self.prime)

    def __str__(self) -> str:
        return self.name if self.prime == "bn128" else f"{self.name}-{self.prime}"


def compile_circuit(source: Path, optimise: str, prime: Prime = "bn128") -> Compiled:
    """Compile with the pinned circom, once for each source, option and lock file; ``.cache`` keeps the result."""
    options = ["--r1cs", "--wasm", optimise, "--prime", prime, "-l", "node_modules"]
    key = node.digest(source, node.FOLDER / "package-lock.json") + " ".join(options)
    folder = node.CACHE / f"{source.stem}-{sha256(key.encode()).hexdigest()[:16]}"
    log = folder / "circom.log"
    if not log.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text(node.command("circom2", source, *options, "-o", folder))
    return Compiled(
        folder / f"{source.stem}.r1cs", folder / f"{source.stem}_js" / f"{source.stem}.wasm", log.read_text()
    )


def _poseidon() -> Circuit:
    return Circuit("poseidon", {"inputs": [3, 4]}, [poseidon([3, 4])])


def _merkle_path() -> Circuit:
    # -O2, so that 1,024 points of powers of tau are enough.
    leaf, siblings, selectors = 7, [11, 12, 13, 14], [0, 1, 1, 0]
    node = leaf
    for sibling, selector in zip(siblings, selectors, strict=True):
        node = poseidon([sibling, node] if selector else [node, sibling])
    inputs = {"leaf": leaf, "siblings": siblings, "selectors": selectors}
    return Circuit("merkle_path", inputs, [node, leaf], optimise="--O2")


def _eddsa() -> Circuit:
    key, message = SigningKey(bytes(range(32))), 1234567
    (x, y), signature = key.public_key, key.sign(message)
    inputs = {"enabled": 1, "Ax": x, "Ay": y, "S": signature.s, "M": message}
    inputs |= {"R8x": signature.r[0], "R8y": signature.r[1]}
    return Circuit(
        "eddsa",
        {name: str(value) for name, value in inputs.items()},
        [x, y, message],
        optimise="--O2",
        snarkjs_setup=False,
    )


def _sha256_512() -> Circuit:
    message = random.Random(512).randbytes(64)
    return Circuit("sha256_512", {"in": _bits_be(message)}, _bits_be(sha256(message).digest()), snarkjs_setup=False)


def _bits_be(data: bytes) -> list[int]:
    return [byte >> (7 - i) & 1 for byte in data for i in range(8)]


def _num2bits(prime: Prime) -> Circuit:
    value = 0xC0FFEE01
    return Circuit("num2bits", {"in": value}, [value >> i & 1 for i in range(32)] + [value], prime=prime)


def _comparators() -> Circuit:
    return Circuit("comparators", {"a": "5", "b": str(2**64 - 1)}, [1, 1, 0, 0, 0, 0, 2**64 - 1])


CIRCUITS = [
    _num2bits("bn128"),
    _comparators(),
    _poseidon(),
    _merkle_path(),
    _eddsa(),
    _sha256_512(),
    _num2bits("bls12381"),
]
