"""Keys in the Solana CLI's file format: a JSON list of 64 numbers, readable by the owner alone."""

import json
import os
from pathlib import Path

from solders.keypair import Keypair

from proofgrid.errors import Conflict, MalformedInput, NotFound

_MAX_FILE_BYTES = 4096


def load_keypair(path: Path | str) -> Keypair:
    """The key in this file.

    Raises NotFound without one, MalformedInput for a file that is no key or that others may read; messages never
    hold the file's content.
    """
    path = Path(path).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise MalformedInput(f"{path} may be read by others: run chmod 600 {path}")
        with path.open("rb") as file:
            values = json.loads(file.read(_MAX_FILE_BYTES))
        return Keypair.from_bytes(bytes(values))
    except FileNotFoundError:
        raise NotFound(f"no key file at {path}: make one with solana-keygen new -o {path}") from None
    except (ValueError, TypeError, OSError, RecursionError):
        raise MalformedInput(f"{path} is not a Solana key file, a JSON list of 64 numbers") from None


def create_keypair(path: Path | str) -> Keypair:
    """A new random key, written to a new file with mode 0600. Raises Conflict where a file exists."""
    path = Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    keypair = Keypair()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{path} exists: a key file is never overwritten") from None
    with os.fdopen(descriptor, "w") as file:
        json.dump(list(bytes(keypair)), file)
        file.flush()
        os.fsync(file.fileno())
    return keypair


def load_or_create_keypair(path: Path | str) -> Keypair:
    """The key in this file, made first where there is none."""
    try:
        return load_keypair(path)
    except NotFound:
        return create_keypair(path)
