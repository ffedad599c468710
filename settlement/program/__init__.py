"""The on-chain program: C source, its build, and the committed binary that users deploy."""

import hashlib
from importlib import resources

from proofgrid.errors import MalformedInput


def program_bytes() -> bytes:
    """The committed sBPF v3 program; raises MalformedInput when it differs from its committed SHA-256."""
    folder = resources.files(__name__)
    program = folder.joinpath("proofgrid.so").read_bytes()
    expected = folder.joinpath("proofgrid.so.sha256").read_text().split()[0]
    actual = hashlib.sha256(program).hexdigest()
    if actual != expected:
        raise MalformedInput(
            f"proofgrid.so has SHA-256 {actual}, proofgrid.so.sha256 says {expected}: "
            "rebuild it with python -m proofgrid.settlement.program.build"
        )
    return program
