"""Secrets that the network makes for itself: random, in files that only their owner may read."""

import os
import secrets
from pathlib import Path

from proofgrid.errors import MalformedInput


def make_private_folder(path: Path) -> None:
    """Make a folder and its missing parents for their owner alone (``mkdir`` gives its mode to the last one only)."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def load_or_create_token(path: Path) -> str:
    """The 64 hex digits in ``path``, fresh ones if there is no such file."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = path.read_text().strip()
        if len(token) != 64 or not set(token) <= set("0123456789abcdef"):
            raise MalformedInput(f"{path} does not hold a token of 64 hex digits; delete it to get a new one") from None
        return token
    token = secrets.token_hex(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token
