"""Runs the ``circuit.wasm`` that circom 2 compiles, in a sandbox bounded in time and memory.

Between Python and the circuit stands a small wasm module of ours, ``circom_runtime.wat``: it is the ``runtime``
that the circuit imports (error codes, messages, ``log()``), and it moves elements in and out in bulk, where nine
calls for each element from Python would take most of the time. No Python code runs inside a wasm call.

Source: iden3/circom, code_producers/src/wasm_elements; the exports are listed in ``docs/formats.md``.
"""

import functools
import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import wasmtime

from proofgrid.errors import MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import Curve
from proofgrid.prover.circom_compiler import CompilationFailed, cause, compile_trusted, compile_wasm, configuration
from proofgrid.prover.formats.binfile import curve_of_scalar_field

MAX_WASM_BYTES = 64 << 20
_CACHED_CIRCUITS = 4
_ELEMENT_BYTES = 32
_BUFFER = 1 << 20  # where the shim's buffer starts, and its size
_BATCH = _BUFFER // _ELEMENT_BYTES
_MAX_MESSAGE = 2000
_ERROR, _TEXT, _VALUE = 1, 2, 3  # kinds of records in the shim's log

# What a circuit exports, as (parameters, results), all i32. circom before 2.0.7 lacks the optional ones.
_REQUIRED = {
    "getVersion": (0, 1),
    "readSharedRWMemory": (1, 1),
    "writeSharedRWMemory": (2, 0),
    "init": (1, 0),
    "setInputSignal": (3, 0),
    "getRawPrime": (0, 0),
    "getFieldNumLen32": (0, 1),
    "getWitnessSize": (0, 1),
    "getInputSize": (0, 1),
    "getWitness": (1, 0),
}
_OPTIONAL = {
    "getMinorVersion": (0, 1),
    "getPatchVersion": (0, 1),
    "getInputSignalSize": (2, 1),
    "getMessageChar": (0, 1),
}
_SHIM_TABLE = ("getMessageChar", "readSharedRWMemory", "writeSharedRWMemory", "setInputSignal", "getWitness")
_SHIM_FUNCTIONS = ("exceptionHandler", "printErrorMessage", "writeBufferMessage", "showSharedRWMemory")

_ASSERT_FAILED = 4
_REASONS = {
    1: "Signal not found",
    2: "Too many signals set",
    3: "Signal already set",
    _ASSERT_FAILED: "Assert Failed",
    5: "Not enough memory",
    6: "Input signal array access exceeds the size",
    7: "Out of bounds array access",
}


class Circuit:
    """One run of a compiled circuit; a context manager that stops the clock.

    ``timeout_s`` bounds compiling and, from ``__enter__`` on, the time inside the circuit; ``memory_bytes`` bounds its
    memory and the size of its witness. Every method raises
    :class:`MalformedInput` when the module is not what circom makes, traps, or runs out of time or memory, and
    :class:`UnsatisfiedCircuit` with the circuit's own message when an assertion fails.
    """

    def __init__(self, wasm: bytes, *, timeout_s: float, memory_bytes: int) -> None:
        self._code = _COMPILED.get(wasm, timeout_s)
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes

    def __enter__(self) -> Self:
        # An engine of its own: advancing its epoch stops this run and no other.
        engine = wasmtime.Engine(configuration())
        self._store = wasmtime.Store(engine)
        self._store.set_epoch_deadline(1)
        self._store.set_limits(self._memory_bytes, table_elements=1 << 22, instances=2, tables=8, memories=2)
        self._clock = threading.Timer(self._timeout_s, engine.increment_epoch)
        self._clock.daemon = True
        self._clock.start()
        try:
            self._instantiate(engine)
            self._read_facts()
        except BaseException:
            self._clock.cancel()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.cancel()

    def _instantiate(self, engine: wasmtime.Engine) -> None:
        linker = wasmtime.Linker(engine)
        shim = linker.instantiate(self._store, wasmtime.Module.deserialize(engine, _shim_code()))
        self._shim: dict[str, Any] = dict(shim.exports(self._store).items())
        for name in _SHIM_FUNCTIONS:
            linker.define(self._store, "runtime", name, self._shim[name])
        module = wasmtime.Module.deserialize(engine, self._code)
        exports = self._guard("start", lambda: linker.instantiate(self._store, module)).exports(self._store)
        self._exports: dict[str, Any] = dict(exports.items())
        for slot, name in enumerate(_SHIM_TABLE):
            if name in self._exports:
                self._shim["circuit"].set(self._store, slot, self._exports[name])

    def _read_facts(self) -> None:
        self.version = tuple(
            self.call(name) if name in self._exports else 0
            for name in ("getVersion", "getMinorVersion", "getPatchVersion")
        )
        if self.version[0] != 2:
            raise MalformedInput(f"circuit: compiled by circom {self.version[0]}, expected circom 2")
        if (words := self.call("getFieldNumLen32")) != _ELEMENT_BYTES // 4:
            raise MalformedInput(f"circuit: field elements of {words} 32-bit words, expected {_ELEMENT_BYTES // 4}")
        self.call("getRawPrime")
        prime = sum((self.call("readSharedRWMemory", i) & 0xFFFFFFFF) << (32 * i) for i in range(8))
        self.curve: Curve = curve_of_scalar_field(prime, "circuit")
        self.witness_size: int = self.call("getWitnessSize") & 0xFFFFFFFF
        self.input_size: int = self.call("getInputSize") & 0xFFFFFFFF
        if not 0 < self.witness_size <= self._memory_bytes // _ELEMENT_BYTES:
            raise MalformedInput(
                f"circuit: claims {self.witness_size} wires, expected 1 to {self._memory_bytes // _ELEMENT_BYTES}, "
                f"which is what {self._memory_bytes} bytes hold"
            )

    def call(self, name: str, *arguments: int, about: str = "") -> Any:
        """Call an export of the circuit."""
        return self._guard(about or name, lambda: self._exports[name](self._store, *arguments))

    def signal_size(self, name: str) -> int | None:
        """How many values the input of that name takes, not positive if there is none; ``None``: circom is too old."""
        if "getInputSignalSize" not in self._exports:
            return None
        size = self.call("getInputSignalSize", *_name_hash(name), about=f"input signal {name!r}")
        return int(size)

    def set_signal(self, name: str, elements: bytes) -> None:
        """Set an input from its elements, 32 bytes each; the last input set makes the circuit run."""
        for start in range(0, len(elements), _BUFFER):
            batch = elements[start : start + _BUFFER]
            self._shim["memory"].write(self._store, batch, _BUFFER)
            first, count = start // _ELEMENT_BYTES, len(batch) // _ELEMENT_BYTES
            arguments = (*_name_hash(name), first, count)
            self._guard(f"input signal {name!r}", lambda: self._shim["set"](self._store, *arguments))  # noqa: B023

    def witness(self) -> Array:
        """The values of all wires, ``uint64[witness_size, 4]``."""
        result = np.empty((self.witness_size, _ELEMENT_BYTES // 8), dtype=np.uint64)
        for start in range(0, self.witness_size, _BATCH):
            count = min(_BATCH, self.witness_size - start)
            self._guard("getWitness", lambda: self._shim["get"](self._store, start, count))  # noqa: B023
            data = self._shim["memory"].read(self._store, _BUFFER, _BUFFER + count * _ELEMENT_BYTES)
            result[start : start + count] = np.frombuffer(data, dtype=np.uint64).reshape(count, -1)
        return result

    def log(self) -> list[str]:
        """The lines that the circuit's ``log()`` wrote so far; they may hold witness values."""
        lines: list[str] = []
        parts: list[str] = []
        for kind, text in self._records():
            if kind != _ERROR and text == "\n":
                lines.append(" ".join(parts))
                parts = []
            elif kind != _ERROR:
                parts.append(text)
        if parts:
            lines.append(" ".join(parts))
        if self._shim["used"].value(self._store) > _BUFFER - 1 - _ELEMENT_BYTES:
            lines.append("(the log is full; what came after is lost)")
        return lines

    def _records(self) -> list[tuple[int, str]]:
        used = self._shim["used"].value(self._store)
        data = bytes(self._shim["memory"].read(self._store, 0, used))
        records, at = [], 0
        while at < len(data):
            kind, at = data[at], at + 1
            if kind == _VALUE:
                end = at + _ELEMENT_BYTES
                records.append((kind, str(int.from_bytes(data[at:end], "little"))))
            else:
                end = data.find(b"\0", at) + 1 or len(data) + 1
                records.append((kind, data[at : end - 1].decode("latin-1")))
            at = end
        return records

    def _guard(self, about: str, run: Any) -> Any:
        try:
            return run()
        except wasmtime.Trap as trap:
            self._refuse(about, trap)
        except wasmtime.WasmtimeError as error:
            raise MalformedInput(
                f"circuit: {about}: {cause(error)}; is it a circuit.wasm of circom 2, and are "
                f"{self._memory_bytes} bytes of memory enough?"
            ) from None

    def _refuse(self, about: str, trap: wasmtime.Trap) -> None:
        code = self._shim["code"].value(self._store)
        if code:
            reason = _REASONS.get(code, f"Unknown error {code}")
            message = " ".join(text for kind, text in self._records() if kind == _ERROR)
            said = "".join(char if char.isprintable() else " " for char in message[:_MAX_MESSAGE]).strip()
            words = f"{reason}. {said}".strip()
            if code == _ASSERT_FAILED:
                raise UnsatisfiedCircuit(f"the inputs do not satisfy the circuit: {words}")
            raise MalformedInput(f"circuit: {about}: {words}")
        if trap.trap_code == wasmtime.TrapCode.INTERRUPT:
            raise MalformedInput(f"circuit: {about}: not finished after {self._timeout_s} s; allow more time?")
        raise MalformedInput(f"circuit: {about}: trapped: {cause(trap)}") from None


class _CompiledCircuits:
    """The last few circuits' machine code by the SHA-256 of their wasm, for this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._code: OrderedDict[bytes, bytes] = OrderedDict()
        self._gates: dict[bytes, threading.Lock] = {}

    def get(self, wasm: bytes, timeout_s: float) -> bytes:
        if len(wasm) > MAX_WASM_BYTES:
            raise MalformedInput(f"circuit: {len(wasm)} bytes of wasm, expected at most {MAX_WASM_BYTES}")
        digest = hashlib.sha256(wasm).digest()
        with self._lock:
            gate = self._gates.setdefault(digest, threading.Lock())
        try:
            with gate:  # of several that ask for a new circuit one compiles it
                code = self._code.get(digest) or _compile_circuit(wasm, timeout_s)
                self._keep(digest, code)
        finally:
            with self._lock:
                self._gates.pop(digest, None)
        return code

    def _keep(self, digest: bytes, code: bytes) -> None:
        with self._lock:
            self._code[digest] = code
            self._code.move_to_end(digest)
            if len(self._code) > _CACHED_CIRCUITS:
                self._code.popitem(last=False)


_COMPILED = _CompiledCircuits()


@functools.cache
def _shim_code() -> bytes:
    text = Path(__file__).with_name("circom_runtime.wat").read_text()
    return compile_trusted(bytes(wasmtime.wat2wasm(text)))


def _compile_circuit(wasm: bytes, timeout_s: float) -> bytes:
    try:
        code = compile_wasm(wasm, timeout_s)
    except CompilationFailed as error:
        raise MalformedInput(f"circuit: {error}") from None
    module = wasmtime.Module.deserialize(wasmtime.Engine(configuration()), code)
    found = {export.name: _signature(export.type) for export in module.exports}
    for name, (n_parameters, n_results) in {**_REQUIRED, **_OPTIONAL}.items():
        if name in _OPTIONAL and name not in found:
            continue
        expected = (("i32",) * n_parameters, ("i32",) * n_results)
        if found.get(name) != expected:
            came = f"got {found[name]}" if name in found else "there is none"
            raise MalformedInput(f"circuit: expected an export {name} {expected}, {came}; is it a circom 2 circuit?")
    return code


def _signature(kind: object) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    if not isinstance(kind, wasmtime.FuncType):
        return None
    return tuple(map(str, kind.params)), tuple(map(str, kind.results))


def _name_hash(name: str) -> tuple[int, int]:
    """FNV-1a, 64 bits, as (high, low) signed 32-bit halves."""
    value = 0xCBF29CE484222325
    for byte in name.encode("utf-8", "surrogatepass"):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    high, low = value >> 32, value & 0xFFFFFFFF
    return high - (high >> 31 << 32), low - (low >> 31 << 32)
