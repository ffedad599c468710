"""Heavy imports stay in the modules that need them."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "proofgrid.settlement",
        "proofgrid.settlement.forms",
        "proofgrid.settlement.layout",
        "proofgrid.settlement.refusals",
        "proofgrid.settlement.accounts",
        "proofgrid.settlement.program",
        "proofgrid.settlement.program.build",
    ],
)
def test_chain_libraries_stay_out(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('solders', 'solana', 'uvicorn', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_instructions_do_not_need_a_client() -> None:
    code = "import sys, proofgrid.settlement.instructions; print('solana' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
