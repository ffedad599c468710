"""Witnesses: from a circuit's ``circuit.wasm`` and named inputs to the value of every wire."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from proofgrid.documents import parse_json
from proofgrid.errors import MalformedInput, NotFound
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import Curve
from proofgrid.prover.circom_runtime import MAX_WASM_BYTES, Circuit
from proofgrid.prover.formats.wtns import require_witness

Wasm = bytes | str | os.PathLike[str]

MAX_INPUT_BYTES = 64 << 20
DEFAULT_TIMEOUT_S = 60.0
DEFAULT_MEMORY_BYTES = 2 << 30
_MAX_DEPTH = 32
_MAX_DIGITS = 1000


@dataclass(frozen=True)
class CircuitFacts:
    """What a ``circuit.wasm`` says about itself; the names of its inputs it holds only as hashes."""

    version: tuple[int, ...]
    curve: Curve
    witness_size: int
    input_size: int


def describe(wasm: Wasm) -> CircuitFacts:
    """The circom version, curve, number of wires and number of input values. Raises :class:`MalformedInput`."""
    with Circuit(_read(wasm), timeout_s=DEFAULT_TIMEOUT_S, memory_bytes=DEFAULT_MEMORY_BYTES) as circuit:
        return CircuitFacts(circuit.version, circuit.curve, circuit.witness_size, circuit.input_size)


def calculate_witness(
    wasm: Wasm,
    inputs: Mapping[str, Any],
    *,
    sanity_check: bool = True,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    on_log: Callable[[str], None] | None = None,
) -> Array:
    """The value of every wire, ``uint64[n, 4]`` canonical over Fr, from the wasm (bytes or a path) and the inputs.

    ``inputs`` maps a signal's name to an integer, a string (decimal or ``0x``), a nested list of these, or for a bus a
    mapping; values are taken mod r, negative ones too. ``sanity_check`` is what the circuit's ``init`` is told.
    ``timeout_s`` bounds compiling and the run, each; ``memory_bytes`` the circuit's memory. ``on_log`` gets each line
    of the circuit's ``log()``, which may hold witness values; without it they are dropped.

    Cost: compiling once for each circuit and process (about 0.1 s and 0.3 s/MB), then the circuit's own arithmetic.
    Raises :class:`~proofgrid.errors.UnsatisfiedCircuit` with circom's message if an assertion fails, and
    :class:`MalformedInput`, naming the signal where it is one's fault, for the rest.
    """
    signals = _signals(inputs)
    with Circuit(_read(wasm), timeout_s=timeout_s, memory_bytes=memory_bytes) as circuit:
        try:
            encoded = {name: _encode(name, values, circuit.curve.r) for name, values in signals.items()}
            circuit.call("init", int(sanity_check))
            _check_sizes(circuit, {name: len(values) for name, values in signals.items()})
            for name, elements in encoded.items():
                circuit.set_signal(name, elements)
            witness = circuit.witness()
        finally:
            if on_log is not None:
                for line in circuit.log():
                    on_log(line)
    require_witness(circuit.curve, witness, "circuit: its witness")
    return witness


def load_inputs(path: str | os.PathLike[str]) -> dict[str, Any]:
    """:func:`decode_inputs` of a file."""
    return decode_inputs(_read_file(path, MAX_INPUT_BYTES), os.fspath(path))


def decode_inputs(data: bytes, what: str = "inputs") -> dict[str, Any]:
    """A circuit's inputs from JSON of one object; integers keep their digits. Raises :class:`MalformedInput`."""
    inputs = parse_json(data, what, limit=MAX_INPUT_BYTES)
    if not isinstance(inputs, dict):
        raise MalformedInput(f"{what}: expected an object of signals, got {type(inputs).__name__}")
    return inputs


def _read(wasm: Wasm) -> bytes:
    return wasm if isinstance(wasm, bytes) else _read_file(wasm, MAX_WASM_BYTES)


def _read_file(path: str | os.PathLike[str], limit: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{os.fspath(path)}: no such file") from error
    except OSError as error:
        raise MalformedInput(f"{os.fspath(path)}: cannot be read: {error}") from error
    if len(data) > limit:
        raise MalformedInput(f"{os.fspath(path)}: longer than {limit} bytes")
    return data


def _check_sizes(circuit: Circuit, given: dict[str, int]) -> None:
    for name, count in given.items():
        expected = circuit.signal_size(name)
        if expected is not None and expected <= 0 and (count or expected < 0):
            raise MalformedInput(f"input signal {name!r}: the circuit has no such input")
        if expected is not None and count != expected:
            which = "few" if count < expected else "many"
            raise MalformedInput(f"input signal {name!r}: too {which} values: expected {expected}, got {count}")
    total = sum(given.values())
    if total < circuit.input_size:
        raise MalformedInput(
            f"inputs: the circuit takes {circuit.input_size} values, only {total} came, by the signals "
            f"{', '.join(sorted(given)) or '(none)'}; look in the circuit's source for the missing ones, the wasm has "
            f"no names"
        )


def _signals(inputs: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each signal's qualified name and its values in order; mappings (buses) are opened, lists flattened."""
    signals: dict[str, list[Any]] = {}
    if not isinstance(inputs, Mapping):
        raise MalformedInput(f"inputs: expected an object of signals, got {type(inputs).__name__}")
    pending = [(str(name), value, 0) for name, value in reversed(list(inputs.items()))]
    while pending:
        name, value, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise MalformedInput(f"input signal {name!r}: nested deeper than {_MAX_DEPTH}")
        if isinstance(value, Mapping):
            pending += [(f"{name}.{key}", item, depth + 1) for key, item in reversed(list(value.items()))]
        elif isinstance(value, (list, tuple)) and _holds_mappings(value):
            pending += [(f"{name}[{i}]", item, depth + 1) for i, item in reversed(list(enumerate(value)))]
        else:
            if name in signals:
                raise MalformedInput(f"input signal {name!r}: given twice")
            signals[name] = list(_flatten(name, value))
    return signals


def _holds_mappings(value: Any) -> bool:
    for _ in range(_MAX_DEPTH):
        if not isinstance(value, (list, tuple)) or not value:
            break
        value = value[0]
    return isinstance(value, Mapping)


def _flatten(name: str, value: Any) -> Iterator[Any]:
    stack = [iter([value])]
    while stack:
        for item in stack[-1]:
            if isinstance(item, np.ndarray):
                item = item.tolist()
            if isinstance(item, (list, tuple)):
                if len(stack) > _MAX_DEPTH:
                    raise MalformedInput(f"input signal {name!r}: nested deeper than {_MAX_DEPTH}")
                stack.append(iter(item))
                break
            yield item
        else:
            stack.pop()


def _encode(name: str, values: list[Any], modulus: int) -> bytes:
    return b"".join((_integer(name, i, value) % modulus).to_bytes(32, "little") for i, value in enumerate(values))


def _integer(name: str, index: int, value: Any) -> int:
    """One value as an integer; the value itself never appears in a message."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        raise MalformedInput(
            f"input signal {name!r}: value {index} is a {type(value).__name__}, expected an integer or a string"
        )
    text = value.strip()
    digits = text.removeprefix("-")
    base = 16 if digits[:2] in ("0x", "0X") else 10
    digits = digits[2:] if base == 16 else digits
    if len(digits) > _MAX_DIGITS or not digits.isascii() or not digits.isalnum():
        raise MalformedInput(f"input signal {name!r}: value {index} is not a decimal or 0x integer")
    try:
        number = int(digits, base)
    except ValueError:
        raise MalformedInput(f"input signal {name!r}: value {index} is not a decimal or 0x integer") from None
    return -number if text.startswith("-") else number
