"""Keys and where they come from: a file, an environment variable, standard input, the terminal.

    PATH, file:PATH    the Solana CLI's file, a JSON list of 64 numbers that its owner alone may read
    env:NAME           that list, or base58 of the 64 bytes, in an environment variable
    -, stdin:          the same on standard input
    prompt:            the same, typed or pasted unseen

Hardware wallets (``usb:``) and seed phrases are not read. No message, repr or traceback of this module holds a secret.
"""

import getpass
import json
import os
import stat
import sys
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import Conflict, MalformedInput, NotFound

_MAX_BYTES = 4096
_SECRET_DIGITS = range(64, 91)  # 64 bytes in base58 have at most 88 digits
_BASE58 = frozenset("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")

_taken: dict[str, Keypair] = {}
"""Keys whose environment variables were read, and removed so that no child process inherits them."""


def load_signer(source: str | Path) -> Keypair:
    """The key at this source, in one of the module's forms.

    A variable is removed from this process's environment when it is read first; the same source gives the same key
    again. Raises NotFound where there is nothing, MalformedInput for what is no key, for a file that others may read,
    and for a secret in the place of its source.
    """
    if isinstance(source, Path):
        return load_keypair(source)
    _require_no_secret(source)
    kind, separator, rest = source.partition(":")
    if source == "-" or (kind, rest) == ("stdin", ""):
        return _parsed(sys.stdin.read(_MAX_BYTES), "standard input")
    if separator and kind == "env":
        return _from_environment(rest)
    if separator and kind == "prompt":
        if rest:
            raise MalformedInput(
                f"{source}: seed phrases are not read here; `solana-keygen recover -o FILE` makes a key file of one"
            )
        return _parsed(getpass.getpass("secret key (base58 or a JSON list, not shown): "), "what was typed")
    if separator and kind == "usb":
        raise MalformedInput(
            f"{source}: hardware wallets are not supported; keep the cold key in a file on a machine without network "
            "and sign there (docs/wallets.md)"
        )
    return load_keypair(rest if separator and kind == "file" else source)


def load_party(source: str) -> Pubkey | Keypair:
    """An address in base58 as it is, or the key at any other source: whoever only names itself signs elsewhere."""
    try:
        return Pubkey.from_string(source)
    except ValueError:
        return load_signer(source)


def parse_address(text: str) -> Pubkey:
    """An address in base58. Raises MalformedInput, without the text where it could be a secret key."""
    _require_no_secret(text)
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise MalformedInput(f"{text[:60]!r} is no address: 32 bytes in base58") from None


def load_keypair(path: Path | str) -> Keypair:
    """The key in this file.

    Raises NotFound without one, MalformedInput for a file that is no key or that others may read; messages never
    hold the file's content.
    """
    path = Path(path).expanduser()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise MalformedInput(f"{path} is no regular file: use stdin: for a key from a pipe")
        if found.st_mode & 0o077:
            raise MalformedInput(f"{path} may be read by others: run chmod 600 {path}")
        with path.open("rb") as file:
            return _key(json.loads(file.read(_MAX_BYTES)))
    except FileNotFoundError:
        raise NotFound(f"no key file at {path}: make one with solana-keygen new -o {path}") from None
    except PermissionError:
        raise MalformedInput(f"{path} may not be read by this user: a key file belongs to whoever signs") from None
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


def _from_environment(name: str) -> Keypair:
    text = os.environ.pop(name, None)
    if text is not None:
        _taken[name] = _parsed(text, f"the environment variable {name}")
    if name not in _taken:
        raise NotFound(f"the environment variable {name} is not set: it should hold a secret key")
    return _taken[name]


def _parsed(text: str, where: str) -> Keypair:
    """A key as a JSON list or in base58."""
    text = text.strip()
    try:
        return _key(json.loads(text)) if text.startswith("[") else Keypair.from_base58_string(text)
    except (ValueError, TypeError, RecursionError):
        pass
    raise MalformedInput(f"{where} holds no secret key: base58 of 64 bytes, or a JSON list of 64 numbers")


def _key(values: object) -> Keypair:
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise TypeError
    return Keypair.from_bytes(bytes(values))


def _require_no_secret(source: str) -> None:
    """A secret given by mistake where its source belongs must not come back in a message about a missing file."""
    bare = source.strip()
    if bare.startswith("[") or (len(bare) in _SECRET_DIGITS and set(bare) <= _BASE58):
        raise MalformedInput(
            "a secret key was given where a source or an address belongs: command lines are seen by every process and "
            "kept by the shell; take that key for known to others, and name a file or env:NAME"
        )
