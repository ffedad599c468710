"""Builds ``proofgrid.so`` from ``src/``.

``python -m proofgrid.settlement.program.build`` writes the program and its SHA-256 beside this file; ``--check`` builds
in a temporary folder and compares byte for byte (``make program-check``); ``SOURCE.c OUTPUT.so`` builds another program
against our headers. clang comes from the PyPI wheel ziglang.
"""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from proofgrid.errors import BackendUnavailable, MalformedInput
from proofgrid.settlement.program import codegen, linker

FOLDER = Path(__file__).parent
PROGRAM, CHECKSUM = FOLDER / "proofgrid.so", FOLDER / "proofgrid.so.sha256"
ZIGLANG_VERSION = "0.15.2"
REMEDY = "run python -m proofgrid.settlement.program.build and commit the result"

# -mcpu=v2: from v3 on clang emits 32-bit arithmetic, whose results sBPF extends otherwise.
FLAGS = shlex.split(
    "-target bpfel-freestanding-none -mcpu=v2 -Os -std=c11 -ffreestanding -fno-builtin -fno-sanitize=all "
    "-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident -g0 -mllvm -bpf-stack-size=4096 "
    "-Wall -Wextra -Werror"
)


def compile_object(source: Path, flags: tuple[str, ...] = ()) -> bytes:
    """clang's object for one C file. Raises BackendUnavailable without ziglang, MalformedInput with clang's words."""
    with tempfile.TemporaryDirectory(prefix="proofgrid-program-") as folder:
        output = Path(folder) / "program.o"
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *flags, "-c", source.name, "-o", str(output)]
        cache = {"ZIG_GLOBAL_CACHE_DIR": f"{folder}/global", "ZIG_LOCAL_CACHE_DIR": f"{folder}/local"}
        done = subprocess.run(command, cwd=source.parent, env={**os.environ, **cache}, capture_output=True, text=True)
        if "No module named ziglang" in done.stderr:
            raise BackendUnavailable(f"building the program needs clang: pip install ziglang=={ZIGLANG_VERSION}")
        if done.returncode != 0:
            raise MalformedInput(f"{source.name} does not compile:\n{done.stderr}")
        return output.read_bytes()


def build() -> bytes:
    """The program's bytes from ``src/program.c``; the same on every machine. About 0.5 s."""
    return linker.link(compile_object(FOLDER / "src" / "program.c"))


def build_other(source: Path) -> bytes:
    """The bytes of a program of somebody else's, in C, that includes our headers: a caller of ours, a callback."""
    return linker.link(compile_object(source, ("-I", str(FOLDER / "src"), "-Wno-unused-function")))


def differences() -> list[str]:
    """What differs between the source and what is committed, one sentence each; empty when nothing does."""
    if codegen.HEADER.read_text() != codegen.render():
        return ["src/layout.h is not what settlement/layout says: run python -m proofgrid.settlement.program.codegen"]
    built = build()
    digest = hashlib.sha256(built).hexdigest()
    if not PROGRAM.exists() or PROGRAM.read_bytes() != built:
        return [f"proofgrid.so is not its source (SHA-256 would be {digest}): {REMEDY}"]
    if not CHECKSUM.exists() or CHECKSUM.read_text() != f"{digest}  {PROGRAM.name}\n":
        return [f"proofgrid.so.sha256 is not the SHA-256 of proofgrid.so: {REMEDY}"]
    return []


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        problems = differences()
        for problem in problems:
            sys.stderr.write(f"program-check: {problem}\n")
        if not problems:
            digest = CHECKSUM.read_text().split()[0]
            sys.stdout.write(f"program-check: proofgrid.so is its source, byte for byte (SHA-256 {digest})\n")
        return int(bool(problems))
    if arguments:
        source, output = map(Path, arguments)
        output.write_bytes(build_other(source.resolve()))
        return 0
    codegen.HEADER.write_text(codegen.render())
    program = build()
    PROGRAM.write_bytes(program)
    CHECKSUM.write_text(f"{hashlib.sha256(program).hexdigest()}  {PROGRAM.name}\n")
    sys.stdout.write(f"{PROGRAM.name}: {len(program):,} bytes, SHA-256 {hashlib.sha256(program).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
