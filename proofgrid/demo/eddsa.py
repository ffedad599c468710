"""EdDSA-Poseidon on Baby Jubjub: what circomlib's EdDSAPoseidonVerifier accepts.

A signature (R, S) on a field element M under a key K satisfies S B = R + 8 h K, h = Poseidon(R, K, M). How keys
and nonces are derived from a secret is ours (BLAKE2b), since no verifier sees it.

Source: Bernstein et al., "High-speed high-security signatures", with h from Poseidon, as in circomlib.
"""

from dataclasses import dataclass
from hashlib import blake2b

from proofgrid.demo.babyjubjub import BASE, IDENTITY, SUBGROUP_ORDER, Point, add, multiply, require_point
from proofgrid.demo.poseidon import poseidon
from proofgrid.errors import InvalidProof, MalformedInput


@dataclass(frozen=True)
class Signature:
    """A point R and a scalar S below the subgroup's order."""

    r: Point
    s: int


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A 32-byte secret; everything else is derived from it."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise MalformedInput(f"a signing key is 32 bytes, not {len(self.secret)}")

    @property
    def public_key(self) -> Point:
        return multiply(self._scalar)

    def sign(self, message: int) -> Signature:
        """Sign a field element; deterministic; about 2 ms."""
        key = self.public_key
        nonce = _hash_to_scalar(b"nonce", self.secret + message.to_bytes(32, "little"))
        r = multiply(nonce)
        s = (nonce + 8 * poseidon([*r, *key, message]) * self._scalar) % SUBGROUP_ORDER
        return Signature(r, s)

    @property
    def _scalar(self) -> int:
        return _hash_to_scalar(b"key", self.secret)


def verify(public_key: Point, message: int, signature: Signature) -> None:
    """Raise :class:`InvalidProof` unless the signature is the key's on this message.

    Raises :class:`MalformedInput` for a point off the curve, a key of small order or S outside [0, l). About 3 ms.
    """
    if multiply(8, require_point(public_key, "the public key")) == IDENTITY:
        raise MalformedInput("the public key has a small order: anyone can sign for it")
    require_point(signature.r, "the signature's R")
    if not 0 <= signature.s < SUBGROUP_ORDER:
        raise MalformedInput("the signature's S is not below the subgroup's order")
    challenge = poseidon([*signature.r, *public_key, message])
    if multiply(signature.s, BASE) != add(signature.r, multiply(8 * challenge, public_key)):
        raise InvalidProof("the signature does not match the key and the message")


def _hash_to_scalar(purpose: bytes, data: bytes) -> int:
    """In [1, l); 512 bits are reduced, so the bias is below 2^-256."""
    digest = blake2b(data, person=b"proofgrid demo", salt=purpose).digest()
    return int.from_bytes(digest, "little") % (SUBGROUP_ORDER - 1) + 1
