"""Where the program's accounts live: program-derived addresses and their canonical bumps."""

import hashlib

from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.layout import SEEDS, programs

SYSTEM_PROGRAM = Pubkey.default()
TOKEN_PROGRAM, LOADER = Pubkey(programs.TOKEN_PROGRAM), Pubkey(programs.LOADER)
PROGRAMS = {"system_program": SYSTEM_PROGRAM, "token_program": TOKEN_PROGRAM}
"""The programs that ours calls, by the names of :mod:`.forms`."""
_MARKER = b"ProgramDerivedAddress"


def key_address(program_id: Pubkey, digest: bytes) -> tuple[Pubkey, int]:
    """The account of the verifying key with this digest (32 bytes), and the bump."""
    return _find(program_id, SEEDS["key"], _digest(digest))


def upload_address(program_id: Pubkey, authority: Pubkey, digest: bytes) -> tuple[Pubkey, int]:
    """The authority's upload of the verifying key with this digest, and the bump."""
    return _find(program_id, SEEDS["upload"], bytes(authority), _digest(digest))


def config_address(program_id: Pubkey) -> tuple[Pubkey, int]:
    """The network's config, and the bump."""
    return _find(program_id, SEEDS["config"])


def vault_address(program_id: Pubkey) -> tuple[Pubkey, int]:
    """The token account that holds all the network's tokens, and the bump."""
    return _find(program_id, SEEDS["vault"])


def proposal_address(program_id: Pubkey, number: int) -> tuple[Pubkey, int]:
    """The proposal of this number (u64, from 0), and the bump."""
    return _find(program_id, SEEDS["proposal"], _u64(number))


def vote_address(program_id: Pubkey, proposal: Pubkey, prover: Pubkey) -> tuple[Pubkey, int]:
    """A prover's vote on a proposal, and the bump."""
    return _find(program_id, SEEDS["vote"], bytes(proposal), bytes(prover))


def permission_address(program_id: Pubkey, digest: bytes) -> tuple[Pubkey, int]:
    """What the verifying key with this digest may not be used for, and the bump."""
    return _find(program_id, SEEDS["permission"], _digest(digest))


def prover_address(program_id: Pubkey, owner: Pubkey) -> tuple[Pubkey, int]:
    """The prover of this cold owner, and the bump."""
    return _find(program_id, SEEDS["prover"], bytes(owner))


def position_address(program_id: Pubkey, prover: Pubkey, staker: Pubkey) -> tuple[Pubkey, int]:
    """A staker's shares in a prover's pool, and the bump."""
    return _find(program_id, SEEDS["position"], bytes(prover), bytes(staker))


def request_address(program_id: Pubkey, requester: Pubkey, nonce: int) -> tuple[Pubkey, int]:
    """The requester's request of this nonce (u64), and the bump."""
    return _find(program_id, SEEDS["request"], bytes(requester), _u64(nonce))


def demand_address(program_id: Pubkey, batch: Pubkey, leaf: int) -> tuple[Pubkey, int]:
    """The demand that a leaf (u32) of a batch be shown, and the bump."""
    if not 0 <= leaf < 2**32:
        raise MalformedInput(f"a leaf's number is from 0 to 2^32 - 1, got {leaf}")
    return _find(program_id, SEEDS["demand"], bytes(batch), leaf.to_bytes(4, "little"))


def program_data_address(program_id: Pubkey) -> Pubkey:
    """Where the upgradeable loader keeps a program's bytes and upgrade authority."""
    return Pubkey.find_program_address([bytes(program_id)], LOADER)[0]


def batch_address(program_id: Pubkey, committer: Pubkey, number: int) -> tuple[Pubkey, int]:
    """The batch of this number (u64, from 0) of a committer, which is a prover's account, and the bump."""
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
    return SEEDS["batch"], bytes(committer), _u64(number)


def _u64(number: int) -> bytes:
    if not 0 <= number < 2**64:
        raise MalformedInput(f"a number here is from 0 to 2^64 - 1, got {number}")
    return number.to_bytes(8, "little")


def _digest(digest: bytes) -> bytes:
    if len(digest) != 32:
        raise MalformedInput(f"a verifying key's digest is 32 bytes, got {len(digest)}")
    return digest


def _find(program_id: Pubkey, *seeds: bytes) -> tuple[Pubkey, int]:
    return Pubkey.find_program_address(list(seeds), program_id)
