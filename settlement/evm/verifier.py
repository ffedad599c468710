"""The verifier contract of one key: ``contracts/Verifier.template.sol`` with the key's constants."""

import hashlib
import re
from importlib import resources
from string import Template

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.verifier.keys import VerifyingKey
from proofgrid.verifier.points import encode_point_be, negate

WORD = 32
"""Bytes of a word of the EVM."""

MAX_INPUTS = 160
"""With more the contract may pass the 24,576 bytes that a chain keeps of one (EIP-170): 140 an input by solc's IR."""

_TEMPLATE = "Verifier.template.sol"
_REPEATED = re.compile(r"^ *// for each input\n(.*?)^ *// end\n", re.MULTILINE | re.DOTALL)
_SELECTOR_TAG = b"proofgrid.evm-verifier.v1".ljust(32, b"\0")  # v1 is the template's: another template, other selectors
_NAME = re.compile(r"[A-Z][A-Za-z0-9_]{0,63}", re.ASCII)


def render_verifier(key: VerifyingKey, name: str = "ProofgridVerifier") -> str:
    """The Solidity source of the contract ``name`` that verifies proofs for ``key``; it needs no other file.

    Raises :class:`MalformedInput` for a key of another curve, more than ``MAX_INPUTS`` public inputs, and a name that
    is not a capital and then letters, digits and underscores.
    """
    require_bn254(key)
    if key.n_public > MAX_INPUTS:
        raise MalformedInput(
            f"the key has {key.n_public} public inputs; a contract verifies at most {MAX_INPUTS} (EIP-170 limits its "
            "size): make one public input of their hash in the circuit"
        )
    if not _NAME.fullmatch(name):
        raise MalformedInput(f"{name!r} is no contract's name: a capital, then at most 63 letters, digits, underscores")
    ic = [_words(encode_point_be(BN254.g1, point)) for point in key.ic]
    inputs = [
        {"number": str(i), "offset": f"0x{(i - 1) * WORD:04x}", "ic_x": x, "ic_y": y}
        for i, (x, y) in enumerate(ic[1:], start=1)
    ]
    source = _REPEATED.sub(
        lambda block: "".join(Template(block[1]).substitute(values) for values in inputs),
        resources.files(__package__).joinpath("contracts", _TEMPLATE).read_text(encoding="utf-8"),
    )
    return Template(source).substitute(
        _constants(key),
        name=name,
        key_digest="0x" + key.digest().hex(),
        selector="0x" + verifier_selector(key).hex(),
        n_public=str(key.n_public),
        r=str(BN254.r),
        ic_x=ic[0][0],
        ic_y=ic[0][1],
    )


def verifier_selector(key: VerifyingKey) -> bytes:
    """The 4 bytes that a seal for this key's verifier begins with: of SHA-256(tag, 32 bytes | key's digest)."""
    return hashlib.sha256(_SELECTOR_TAG + key.digest()).digest()[:4]


def contract_sources() -> dict[str, str]:
    """The contracts that are the same for every key, by file name."""
    folder = resources.files(__package__).joinpath("contracts")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sol")), key=lambda file: file.name)
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.name != _TEMPLATE}


def require_bn254(key: VerifyingKey) -> None:
    """Raise :class:`MalformedInput` for a key of another curve."""
    if key.curve != BN254:
        raise MalformedInput(
            f"the key is of {key.curve.name}; the EVM contracts are of bn254, whose precompiles every EVM chain has: "
            "compile the circuit with circom --prime bn128"
        )


def _constants(key: VerifyingKey) -> dict[str, str]:
    """The template's constants for the fixed points; -alpha, -gamma and -delta, so that a proof is taken as it is."""
    (minus_alpha,) = negate(BN254.g1, key.alpha1[np.newaxis])
    minus_gamma, minus_delta = negate(BN254.g2, np.stack([key.gamma2, key.delta2]))
    constants = dict(
        zip(("minus_alpha_x", "minus_alpha_y"), _words(encode_point_be(BN254.g1, minus_alpha)), strict=True)
    )
    for name, point in (("beta", key.beta2), ("minus_gamma", minus_gamma), ("minus_delta", minus_delta)):
        words = _words(encode_point_be(BN254.g2, point))
        constants |= {f"{name}_{part}": word for part, word in zip(("x1", "x0", "y1", "y0"), words, strict=True)}
    return constants


def _words(data: bytes) -> list[str]:
    """Hexadecimal literals of 32 bytes each."""
    return ["0x" + data[i : i + WORD].hex() for i in range(0, len(data), WORD)]
