"""Compiles a circuit's wasm to machine code, in a process of its own when it is not tiny.

Compilers take time and memory more than quadratic in what a hostile module makes them look at (six kilobytes of
nested loops: minutes), and cannot be interrupted. So the work is done by a child, this file run as a script, which a
timeout kills and a limit of memory stops. A module of ``_TINY`` bytes costs less than a second whatever it says and is
compiled here. The code that comes back is only good for :func:`configuration`'s engines.
"""

import contextlib
import os
import resource
import subprocess
import sys

import wasmtime

MEMORY_BYTES = 4 << 30
_TINY = 1 << 10


class CompilationFailed(Exception):
    """Why there is no machine code, in one line; the caller makes it an error of the package."""


def configuration(*, parallel: bool = False) -> wasmtime.Config:
    """The engine's settings: interruptible, and no more of wasm than circom needs.

    Compiling in ``parallel`` starts threads, which a forked worker would inherit dead and wait for.
    """
    settings = wasmtime.Config()
    settings.epoch_interruption = True
    settings.parallel_compilation = parallel
    settings.wasm_threads = False
    settings.wasm_memory64 = False
    settings.wasm_multi_memory = False
    settings.wasm_gc = False
    settings.wasm_exceptions = False
    settings.wasm_function_references = False
    settings.wasm_tail_call = False
    settings.wasm_relaxed_simd = False
    return settings


def compile_wasm(wasm: bytes, timeout_s: float, memory_bytes: int = MEMORY_BYTES) -> bytes:
    """Machine code for ``wasmtime.Module.deserialize``. Cost: about 0.1 s and 0.3 s/MB.

    Raises :class:`CompilationFailed`, also when the bounds do not suffice.
    """
    try:
        wasmtime.Module.validate(wasmtime.Engine(configuration()), wasm)
        if len(wasm) <= _TINY:
            return compile_trusted(wasm)
    except wasmtime.WasmtimeError as error:
        raise CompilationFailed(f"not a wasm module: {cause(error)}") from None
    return _compile_in_a_child(wasm, timeout_s, memory_bytes)


def compile_trusted(wasm: bytes, *, parallel: bool = False) -> bytes:
    """:func:`compile_wasm` in this process, without its bounds."""
    return bytes(wasmtime.Module(wasmtime.Engine(configuration(parallel=parallel)), wasm).serialize())


def _compile_in_a_child(wasm: bytes, timeout_s: float, memory_bytes: int) -> bytes:
    command = [sys.executable, "-P", __file__, str(memory_bytes)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(
            command, input=wasm, env=environment, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise CompilationFailed(f"not compiled after {timeout_s} s; allow more time?") from None
    if child.returncode != 0:
        said = child.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1][:200] if said else f"the compiler ended with status {child.returncode}"
        raise CompilationFailed(f"not compiled within {memory_bytes} bytes of memory: {reason}")
    return child.stdout


def cause(error: Exception) -> str:
    """The innermost cause in one line; wasmtime writes its chain of causes on lines of their own."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__


def _main(memory_bytes: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # some systems do not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(compile_trusted(sys.stdin.buffer.read(), parallel=True))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
