"""Circuits written by hand in wasm text: obedient ones and hostile ones.

The obedient one has the exports of circom 2.2, one input signal ``x`` of ``INPUT_SIZE`` values, and a witness of
``WITNESS_SIZE`` wires: wire 0 is 1, wire i is i. Each function's body can be replaced.
"""

import wasmtime

from proofgrid.kernels.curves import BN254

INPUT_SIZE = 3
WITNESS_SIZE = 40_000
SPIN = "(loop $forever (br $forever))"

_PRIME = "".join(f"\\{byte:02x}" for byte in BN254.r.to_bytes(32, "little"))

# name: (signature, body)
_FUNCTIONS = {
    "getVersion": ("(result i32)", "(i32.const 2)"),
    "getMinorVersion": ("(result i32)", "(i32.const 2)"),
    "getPatchVersion": ("(result i32)", "(i32.const 3)"),
    "readSharedRWMemory": (
        "(param $i i32) (result i32)",
        "(i32.load (i32.add (i32.const 64) (i32.mul (local.get $i) (i32.const 4))))",
    ),
    "writeSharedRWMemory": (
        "(param $i i32) (param $word i32)",
        "(i32.store (i32.add (i32.const 64) (i32.mul (local.get $i) (i32.const 4))) (local.get $word))",
    ),
    "init": ("(param $sanity i32)", ""),
    "setInputSignal": ("(param $msb i32) (param $lsb i32) (param $i i32)", ""),
    "getInputSignalSize": ("(param $msb i32) (param $lsb i32) (result i32)", f"(i32.const {INPUT_SIZE})"),
    "getRawPrime": ("", "(memory.copy (i32.const 64) (i32.const 0) (i32.const 32))"),
    "getFieldNumLen32": ("(result i32)", "(i32.const 8)"),
    "getWitnessSize": ("(result i32)", f"(i32.const {WITNESS_SIZE})"),
    "getInputSize": ("(result i32)", f"(i32.const {INPUT_SIZE})"),
    "getWitness": (
        "(param $i i32)",
        "(memory.fill (i32.const 64) (i32.const 0) (i32.const 32))"
        "(i32.store (i32.const 64) (select (local.get $i) (i32.const 1) (local.get $i)))",
    ),
    "getMessageChar": (
        "(result i32)",
        "(i32.load8_u (i32.add (i32.const 128) (global.get $said)))"
        "(global.set $said (i32.add (global.get $said) (i32.const 1)))",
    ),
}


def circuit(
    *,
    head: str = "",
    memory: str = "(memory 1)",
    message: str = "",
    without: tuple[str, ...] = (),
    signatures: dict[str, str] | None = None,
    **bodies: str,
) -> bytes:
    """The wasm of the obedient circuit with these changes; ``head`` comes last in the module."""
    functions = []
    for name, (signature, body) in _FUNCTIONS.items():
        if name not in without:
            signature = (signatures or {}).get(name, signature)
            functions.append(f'(func (export "{name}") {signature} {bodies.get(name, body)})')
    text = f"""
    (module
      (import "runtime" "exceptionHandler" (func $exceptionHandler (param i32)))
      (import "runtime" "printErrorMessage" (func $printErrorMessage))
      (import "runtime" "writeBufferMessage" (func $writeBufferMessage))
      (import "runtime" "showSharedRWMemory" (func $showSharedRWMemory))
      {memory}
      (global $said (mut i32) (i32.const 0))
      (data (i32.const 0) "{_PRIME}")
      (data (i32.const 128) "{message}\\00")
      {" ".join(functions)}
      {head})
    """
    return bytes(wasmtime.wat2wasm(text))
