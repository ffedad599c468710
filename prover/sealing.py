"""Envelopes: witnesses and inputs that only the provers a requester chose can open.

    content     SecretBox(key; head | payload)              one artifact, whatever the number of recipients
    sealed key  SealedBox(recipient; key head | key)        one for each recipient: its ed25519 key in X25519's form

Both heads name the circuit and the kind. Without that, whoever learnt an artifact's name could ask for a proof of a
circuit that publishes its private inputs, and read somebody else's witness. A request without sealed keys is from
before envelopes: its artifact is sealed to the fleet's key itself, and only the fleet opens it.

Source: NaCl's secretbox (XSalsa20-Poly1305) and libsodium's sealed box (X25519).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey
from nacl.utils import random

from proofgrid.errors import MalformedInput
from proofgrid.models import InputKind

_TAG = b"proofgrid.sealed.v1\0"
_KINDS = {InputKind.WITNESS: b"W", InputKind.INPUTS: b"I"}
_HEAD_BYTES = len(_TAG) + 32 + 1
_KEY_TAG = b"proofgrid.envelope.v1\0"
_KEY_BYTES = SecretBox.KEY_SIZE
OVERHEAD_BYTES = _HEAD_BYTES + 48
"""The most that sealing adds to a payload: an envelope's nonce and tag take 40 bytes, a sealed box's 48."""
SEALED_KEY_BYTES = len(_KEY_TAG) + 32 + 1 + _KEY_BYTES + 48


@dataclass(frozen=True)
class Envelope:
    """A payload that its recipients alone can open."""

    content: bytes
    keys: dict[str, str]
    """The content's key, sealed, by recipient; both hex."""


def envelop(recipients: Iterable[str], circuit_id: str, kind: InputKind, payload: bytes) -> Envelope:
    """``payload`` for the holders of ``recipients`` (ed25519 public keys, hex), for one circuit.

    Raises :class:`MalformedInput` for a key that is none, and for no recipient. Cost: one pass over the payload and
    a copy; for each recipient one scalar multiplication and 135 bytes.
    """
    receivers = {key: _receiver(key) for key in dict.fromkeys(recipients)}
    if not receivers:
        raise MalformedInput("no prover may have this request: allow one, or deny fewer")
    secret, about = random(_KEY_BYTES), _about(circuit_id, kind)
    keys = {key: bytes(box.encrypt(_KEY_TAG + about + secret)).hex() for key, box in receivers.items()}
    return Envelope(bytes(SecretBox(secret).encrypt(_TAG + about + payload)), keys)


def seal(fleet_key: str, circuit_id: str, kind: InputKind, payload: bytes) -> bytes:
    """``payload`` sealed to ``fleet_key`` itself, as before envelopes; still opened, no longer sent by the SDK.

    Raises :class:`MalformedInput` for a key that is none. Cost: one pass, and a copy.
    """
    return bytes(_receiver(fleet_key).encrypt(_TAG + _about(circuit_id, kind) + payload))


def _receiver(key: str) -> "SealedBox[PublicKey]":
    try:
        return SealedBox(VerifyKey(bytes.fromhex(key)).to_curve25519_public_key())
    except (ValueError, TypeError, CryptoError, RuntimeError) as error:
        raise MalformedInput("a prover's key (or the fleet key) is not an ed25519 public key in hex") from error


def _about(circuit_id: str, kind: InputKind) -> bytes:
    return bytes.fromhex(circuit_id) + _KINDS[kind]


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

    def open(self, content: bytes, sealed_key: str, circuit_id: str, kind: InputKind) -> bytes:
        """An envelope's payload, if it is for this key, circuit and kind; raises :class:`MalformedInput`."""
        try:
            opened = self._unseal(bytes.fromhex(sealed_key))
        except (CryptoError, ValueError, TypeError) as error:
            raise MalformedInput("the envelope's key is not sealed to this prover") from error
        head = _KEY_TAG + _about(circuit_id, kind)
        if len(opened) != len(head) + _KEY_BYTES or not opened.startswith(head):
            raise MalformedInput(f"the envelope's key is not for the {kind} of circuit {circuit_id}")
        try:
            plain: bytes = SecretBox(opened[len(head) :]).decrypt(content)
        except (CryptoError, ValueError, TypeError) as error:
            raise MalformedInput("the envelope does not open with the key that came with it") from error
        return _payload(plain, circuit_id, kind)

    def unseal(self, sealed: bytes, circuit_id: str, kind: InputKind) -> bytes:
        """What :func:`seal` sealed, if it is for this circuit and of this kind; raises :class:`MalformedInput`."""
        try:
            plain = self._unseal(sealed)
        except (CryptoError, ValueError, TypeError) as error:
            raise MalformedInput("the witness is not sealed to this fleet's key; read GET /v1/network again") from error
        return _payload(plain, circuit_id, kind)

    def _unseal(self, sealed: bytes) -> bytes:
        return bytes(SealedBox(self._signing_key.to_curve25519_private_key()).decrypt(sealed))


def _payload(plain: bytes, circuit_id: str, kind: InputKind) -> bytes:
    if plain[:_HEAD_BYTES] != _TAG + _about(circuit_id, kind):
        raise MalformedInput(f"what was sealed is not the {kind} of circuit {circuit_id}")
    return plain[_HEAD_BYTES:]
