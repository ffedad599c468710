"""Where the program's accounts live: program-derived addresses and their canonical bumps."""

import hashlib

from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.layout import SEEDS

SYSTEM_PROGRAM = Pubkey.default()
_MARKER = b"ProgramDerivedAddress"


def key_address(program_id: Pubkey, digest: bytes) -> tuple[Pubkey, int]:
    """The account of the verifying key with this digest (32 bytes), and the bump."""
    return _find(program_id, SEEDS["key"], _digest(digest))


def upload_address(program_id: Pubkey, authority: Pubkey, digest: bytes) -> tuple[Pubkey, int]:
    """The authority's upload of the verifying key with this digest, and the bump."""
    return _find(program_id, SEEDS["upload"], bytes(authority), _digest(digest))


def log_address(program_id: Pubkey, committer: Pubkey) -> tuple[Pubkey, int]:
    """The committer's log of batches, and the bump."""
    return _find(program_id, SEEDS["log"], bytes(committer))


def batch_address(program_id: Pubkey, committer: Pubkey, number: int) -> tuple[Pubkey, int]:
    """The committer's batch of this number (u64, from 0), and the bump."""
    return _find(program_id, *_batch_seeds(committer, number))


def batch_addresses(program_id: Pubkey, committer: Pubkey, number: int) -> list[tuple[Pubkey, int]]:
    """Every address at which the committer could have put this batch, with its bump; the canonical one first."""
    return derivations(program_id, *_batch_seeds(committer, number))


def derivations(program_id: Pubkey, *seeds: bytes) -> list[tuple[Pubkey, int]]:
    """The program's addresses for these seeds, about 128: one for each bump that gives a point off the curve."""
    pairs = []
    for bump in range(255, -1, -1):
        digest = hashlib.sha256(b"".join(seeds) + bytes([bump]) + bytes(program_id) + _MARKER).digest()
        pairs.append((Pubkey(digest), bump))
    return [(address, bump) for address, bump in pairs if not address.is_on_curve()]


def _batch_seeds(committer: Pubkey, number: int) -> tuple[bytes, bytes, bytes]:
    if not 0 <= number < 2**64:
        raise MalformedInput(f"a batch number is from 0 to 2^64 - 1, got {number}")
    return SEEDS["batch"], bytes(committer), number.to_bytes(8, "little")


def _digest(digest: bytes) -> bytes:
    if len(digest) != 32:
        raise MalformedInput(f"a verifying key's digest is 32 bytes, got {len(digest)}")
    return digest


def _find(program_id: Pubkey, *seeds: bytes) -> tuple[Pubkey, int]:
    return Pubkey.find_program_address(list(seeds), program_id)
