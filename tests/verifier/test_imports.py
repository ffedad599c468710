"""The verifier installs and imports without the node's dependencies."""

import subprocess
import sys

HEAVY = {
    "celery",
    "cupy",
    "fastapi",
    "galois",
    "httpx",
    "numba",
    "py_ecc",
    "redis",
    "solana",
    "solders",
    "sqlalchemy",
    "wasmtime",
}
SCRIPT = """
import sys
import proofgrid.verifier
from proofgrid.verifier import groth16, keys, merkle, receipts
print(" ".join(sys.modules))
"""


def test_verifier_loads_nothing_of_the_node() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "proofgrid.verifier.receipts" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    ours = {name.split(".")[1] for name in loaded if name.startswith("proofgrid.")}
    assert ours <= {"documents", "errors", "models", "kernels", "verifier"}
