"""The demo's circuit and its inputs: a batch of signed transfers on a tree of 256 accounts.

    inputs = generate_inputs()
    files = unpack(folder)          # rollup.r1cs for the setup, rollup.wasm for the witness

``circuits/rollup.circom`` says what is proven. Beside it lie the compiled circuit, compressed, and
``rollup.json``: which compiler and which circomlib made it, its size, and the digests that are checked here.
"""

import json
import lzma
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from proofgrid.demo.eddsa import SigningKey
from proofgrid.demo.ledger import Account, Ledger, Transfer, sign_transfer
from proofgrid.demo.poseidon import poseidon
from proofgrid.errors import MalformedInput

CIRCUITS = Path(__file__).with_name("circuits")
TRANSFERS = 2
DEPTH = 8
ACCOUNTS = 5  # how many of the 2^DEPTH slots a generated ledger fills
PUBLIC_INPUTS = ("old_root", "new_root", "batch")

Signals = dict[str, str | list[str] | list[list[str]]]
"""Input signals by name, field elements as decimal text: circom's JSON."""


@dataclass(frozen=True)
class CircuitFiles:
    """The compiled circuit on disk."""

    r1cs: Path
    wasm: Path


def generate_inputs(seed: bytes | None = None) -> Signals:
    """A ledger of funded accounts and a batch of transfers between them; about 0.1 s.

    The same ``seed`` gives the same inputs; without one the operating system's randomness decides.
    """
    draw = _Draws(secrets.token_bytes(32) if seed is None else seed)
    ledger = Ledger(DEPTH)
    keys: dict[int, SigningKey] = {}
    while len(keys) < ACCOUNTS:
        key = SigningKey(draw.next_bytes())
        slot = draw.below(1 << DEPTH)
        if slot not in keys:
            keys[slot] = key
            ledger.put(slot, Account(key.public_key, balance=1_000 + draw.below(1_000_000)))
    # Each receiver sends next, so that every transfer needs the tree that the one before it left.
    slots = list(keys)
    batch = []
    for sender, receiver in pairwise(slots[: TRANSFERS + 1]):
        amount = 1 + draw.below(ledger.account(sender).balance)
        batch.append(sign_transfer(keys[sender], sender, receiver, amount, nonce=0))
    return batch_inputs(ledger, batch)


def batch_inputs(ledger: Ledger, batch: Sequence[Transfer]) -> Signals:
    """Apply a full batch to ``ledger`` and give the circuit's inputs; about 10 ms a transfer.

    Raises :class:`MalformedInput` for another number of transfers or tree, :class:`UnsatisfiedCircuit` for a
    transfer that the circuit would refuse; the transfers before that one stay applied.
    """
    if len(batch) != TRANSFERS or ledger.depth != DEPTH:
        raise MalformedInput(f"the circuit takes {TRANSFERS} transfers on a tree of depth {DEPTH}; fill up with zeros")
    old_root = ledger.root
    steps = [ledger.apply(transfer) for transfer in batch]
    commitment = 0
    for transfer in batch:
        commitment = poseidon([commitment, transfer.message])
    return {
        "old_root": str(old_root),
        "new_root": str(ledger.root),
        "batch": str(commitment),
        "from": _decimal(transfer.sender for transfer in batch),
        "to": _decimal(transfer.receiver for transfer in batch),
        "amount": _decimal(transfer.amount for transfer in batch),
        "signature": [_decimal([*transfer.signature.r, transfer.signature.s]) for transfer in batch],
        "sender": [_decimal(step.sender.fields()) for step in steps],
        "sender_siblings": [_decimal(step.sender_siblings) for step in steps],
        "receiver": [_decimal(step.receiver.fields()) for step in steps],
        "receiver_siblings": [_decimal(step.receiver_siblings) for step in steps],
    }


def public_inputs(inputs: Mapping[str, Any]) -> list[int]:
    """The public inputs in the order that proofs of this circuit have them."""
    return [int(inputs[name]) for name in PUBLIC_INPUTS]


def unpack(folder: Path) -> CircuitFiles:
    """Write ``rollup.r1cs`` (12 MiB) and ``rollup.wasm`` (3 MiB) into ``folder``, unless they are there.

    Raises :class:`MalformedInput` if the packed bytes do not have the recorded digests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return CircuitFiles(*(_unpack_file(name, folder / name) for name in ("rollup.r1cs", "rollup.wasm")))


def _unpack_file(name: str, target: Path) -> Path:
    expected = json.loads((CIRCUITS / "rollup.json").read_text())["sha256"][name]
    if target.is_file() and sha256(target.read_bytes()).hexdigest() == expected:
        return target
    content = lzma.decompress((CIRCUITS / f"{name}.xz").read_bytes())
    if sha256(content).hexdigest() != expected:
        raise MalformedInput(f"{name}.xz in the package is not the file that rollup.json records; reinstall proofgrid")
    partial = target.with_name(f"{name}.{secrets.token_hex(4)}.partial")
    partial.write_bytes(content)
    partial.replace(target)  # atomic: two processes may unpack into one folder
    return target


def _decimal(numbers: Iterable[int]) -> list[str]:
    return [str(number) for number in numbers]


class _Draws:
    """A stream of uniform values that follows from a seed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def next_bytes(self) -> bytes:
        self._count += 1
        return blake2b(self._seed, digest_size=32, salt=self._count.to_bytes(8, "little")).digest()

    def below(self, bound: int) -> int:
        """Bias below bound / 2^256."""
        return int.from_bytes(self.next_bytes(), "little") % bound
