"""The demo's Poseidon and EdDSA against circomlibjs, live; the stored vectors are what it says."""

import json
import secrets

import pytest

from proofgrid.demo.eddsa import Signature, SigningKey, verify
from proofgrid.demo.poseidon import poseidon
from proofgrid.errors import InvalidProof
from proofgrid.kernels.curves import BN254
from tests.interop import node

VECTORS = json.loads((node.FOLDER.parent / "vectors" / "circomlibjs.json").read_text())


def test_the_stored_vectors_are_circomlibjs_own(runner: node.Runner) -> None:
    for vector in VECTORS["poseidon"]:
        assert runner.call("poseidon", inputs=vector["inputs"]) == vector["hash"]
    for vector in VECTORS["eddsa_poseidon"]:
        made = runner.call("eddsa_sign", secret=vector["secret"], message=vector["message"])
        assert made == {name: vector[name] for name in ("key", "r", "s")}


@pytest.mark.parametrize("count", range(1, 8))
def test_poseidon_of_random_elements(count: int, runner: node.Runner) -> None:
    inputs = [secrets.randbelow(BN254.r) for _ in range(count)]
    assert runner.call("poseidon", inputs=[str(value) for value in inputs]) == str(poseidon(inputs))


def test_it_accepts_our_signatures_for_their_message_only(runner: node.Runner) -> None:
    key, message = SigningKey(secrets.token_bytes(32)), secrets.randbelow(BN254.r - 1)
    signature = key.sign(message)
    signed = {"key": _decimal(key.public_key), "r": _decimal(signature.r), "s": str(signature.s)}
    assert runner.call("eddsa_verify", message=str(message), **signed)
    assert not runner.call("eddsa_verify", message=str(message + 1), **signed)


def test_we_accept_its_signatures_for_their_message_only(runner: node.Runner) -> None:
    message = secrets.randbelow(BN254.r - 1)
    made = runner.call("eddsa_sign", secret=secrets.token_hex(32), message=str(message))
    (x, y), (rx, ry) = (map(int, made[name]) for name in ("key", "r"))
    signature = Signature((rx, ry), int(made["s"]))
    verify((x, y), message, signature)
    with pytest.raises(InvalidProof):
        verify((x, y), message + 1, signature)


def _decimal(point: tuple[int, int]) -> list[str]:
    return [str(coordinate) for coordinate in point]
