"""From a seed to field elements: the ChaCha20 key stream, so that any prover can make the same ones.

Element i is bytes 32 i to 32 i + 31 of the key stream of ChaCha20 as in RFC 8439 (key: the seed; nonce: 12 zero bytes;
block counter from 1), read little-endian, its top three bits cleared: below 2^253, and so below r on both curves.
"""

import numpy as np
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array

SEED_BYTES = 32
ELEMENT_BYTES = 32
_TOP = np.uint64((1 << 61) - 1)


def expand(seed: bytes, n: int) -> Array:
    """n elements below 2^253, canonical ``uint64[n, 4]``. Cost: 24 ns an element. Raises MalformedInput."""
    if len(seed) != SEED_BYTES:
        raise MalformedInput(f"a challenge's seed has {SEED_BYTES} bytes, got {len(seed)}")
    # The sealed form of zeros is the key stream, followed by a tag that nobody needs.
    stream = crypto_aead_chacha20poly1305_ietf_encrypt(bytes(ELEMENT_BYTES * n), None, bytes(12), seed)
    elements = np.frombuffer(stream, dtype="<u8", count=4 * n).reshape(n, 4).astype(np.uint64)
    elements[:, 3] &= _TOP
    return elements
