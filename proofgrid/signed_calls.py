"""HTTP calls signed with an ed25519 key: what a prover's hot key, or a wallet that signs in, puts over a call.

    proofgrid-call-v1 \\n audience \\n METHOD \\n path?query \\n SHA-256 of the body \\n time \\n nonce

The audience is the network's name, so that a call for one network is none for another. The gateway keeps each nonce
for as long as its time is good, so that a call counts once; that memory is the caller's (``proofgrid/network``).
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from proofgrid.errors import AccessDenied

KEY_HEADER, TIME_HEADER = "Proofgrid-Key", "Proofgrid-Time"
NONCE_HEADER, SIGNATURE_HEADER = "Proofgrid-Nonce", "Proofgrid-Signature"
GOOD_FOR_S = 60
"""How far a call's time may lie from the gateway's, before or after."""

_TAG = "proofgrid-call-v1"
_FORMS = {
    KEY_HEADER: re.compile(r"[0-9a-f]{64}"),
    TIME_HEADER: re.compile(r"[1-9][0-9]{0,11}"),
    NONCE_HEADER: re.compile(r"[0-9a-f]{32}"),
    SIGNATURE_HEADER: re.compile(r"[0-9a-f]{128}"),
}


@dataclass(frozen=True)
class Call:
    """What is signed of a call; ``target`` is the path with its query, as it stands in the request line."""

    audience: str
    method: str
    target: str
    body: bytes = b""

    def _bytes(self, time: str, nonce: str) -> bytes:
        digest = hashlib.sha256(self.body).hexdigest()
        return "\n".join((_TAG, self.audience, self.method.upper(), self.target, digest, time, nonce)).encode()


@dataclass(frozen=True)
class Signed:
    """Who signed a call, and its one-time name."""

    key: str
    """ed25519 public key, hex."""
    nonce: str
    time: int


def sign_call(key: SigningKey, call: Call, now: float) -> dict[str, str]:
    """The four headers that sign ``call`` at ``now`` (seconds since 1970), under a fresh nonce."""
    time, nonce = str(int(now)), secrets.token_hex(16)
    return {
        KEY_HEADER: bytes(key.verify_key).hex(),
        TIME_HEADER: time,
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: key.sign(call._bytes(time, nonce)).signature.hex(),
    }


def check_call(headers: Mapping[str, str], call: Call, now: float) -> Signed:
    """Who signed ``call``. Raises :class:`AccessDenied` for a header that is missing or no such thing, a time further
    than ``GOOD_FOR_S`` from ``now``, and a signature that does not hold. Cost: one ed25519 verification, last.

    ``headers`` is looked up by the names above; pass a mapping that ignores case.
    """
    found = {name: headers.get(name, "") for name in _FORMS}
    for name, form in _FORMS.items():
        if form.fullmatch(found[name]) is None:
            raise AccessDenied(f"this door wants a signed call: header {name} is missing or not of its form")
    time = int(found[TIME_HEADER])
    if abs(time - now) > GOOD_FOR_S:
        raise AccessDenied(f"the call's time is {time - now:+.0f} s off this network's; set the clock and sign again")
    try:
        message = call._bytes(found[TIME_HEADER], found[NONCE_HEADER])
        VerifyKey(bytes.fromhex(found[KEY_HEADER])).verify(message, bytes.fromhex(found[SIGNATURE_HEADER]))
    except (BadSignatureError, CryptoError, ValueError) as error:
        raise AccessDenied("the call's signature does not hold for its key, method, target, body and time") from error
    return Signed(found[KEY_HEADER], found[NONCE_HEADER], time)
