"""Witnesses and inputs, sealed to a prover's key (NaCl sealed box: X25519, XSalsa20-Poly1305).

The sealed bytes name the circuit they are for. Without that, whoever learnt an artifact's name could ask for a
proof of a circuit that publishes its private inputs, and read somebody else's witness.
"""

import os
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey

from proofgrid.errors import MalformedInput
from proofgrid.models import InputKind

_TAG = b"proofgrid.sealed.v1\0"
_KINDS = {InputKind.WITNESS: b"W", InputKind.INPUTS: b"I"}
_HEAD_BYTES = len(_TAG) + 32 + 1
OVERHEAD_BYTES = _HEAD_BYTES + 48
"""Bytes that sealing adds."""


def seal(fleet_key: str, circuit_id: str, kind: InputKind, payload: bytes) -> bytes:
    """``payload`` sealed to the holder of ``fleet_key`` (ed25519 public key, hex) for one circuit.

    Raises :class:`MalformedInput` for a key that is none. Cost: one pass, and a copy.
    """
    try:
        receiver = VerifyKey(bytes.fromhex(fleet_key)).to_curve25519_public_key()
    except (ValueError, TypeError, CryptoError, RuntimeError) as error:
        raise MalformedInput("the network's fleet key is not an ed25519 public key in hex") from error
    return bytes(SealedBox(receiver).encrypt(_TAG + bytes.fromhex(circuit_id) + _KINDS[kind] + payload))


class FleetKey:
    """The fleet's ed25519 key: it names the prover, and its X25519 form opens what was sealed to it."""

    def __init__(self, signing_key: SigningKey) -> None:
        self._signing_key = signing_key

    @classmethod
    def load(cls, path: Path) -> "FleetKey":
        """Raises :class:`MalformedInput` for another content; the message never holds it."""
        try:
            return cls(SigningKey(bytes.fromhex(path.read_text().strip())))
        except ValueError as error:
            raise MalformedInput(f"{path} does not hold a fleet key (32 bytes in hex)") from error

    @classmethod
    def load_or_create(cls, path: Path) -> "FleetKey":
        """The key in ``path``; a fresh one, readable by its owner alone, if there is none."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls.load(path)
        with os.fdopen(descriptor, "w") as file:
            file.write(SigningKey.generate().encode().hex() + "\n")
            file.flush()
            os.fsync(descriptor)
        return cls.load(path)

    @property
    def public(self) -> bytes:
        """The ed25519 public key, 32 bytes."""
        return bytes(self._signing_key.verify_key)

    def unseal(self, sealed: bytes, circuit_id: str, kind: InputKind) -> bytes:
        """What was sealed, if it is for this circuit and of this kind; raises :class:`MalformedInput`."""
        try:
            plain: bytes = SealedBox(self._signing_key.to_curve25519_private_key()).decrypt(sealed)
        except (CryptoError, ValueError, TypeError) as error:
            raise MalformedInput("the witness is not sealed to this fleet's key; read GET /v1/network again") from error
        if plain[:_HEAD_BYTES] != _TAG + bytes.fromhex(circuit_id) + _KINDS[kind]:
            raise MalformedInput(f"what was sealed is not the {kind} of circuit {circuit_id}")
        return plain[_HEAD_BYTES:]
