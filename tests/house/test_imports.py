"""What an import costs: heavy packages stay in the modules that need them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "celery",
    "cupy",
    "fastapi",
    "galois",
    "numba",
    "py_ecc",
    "redis",
    "solana",
    "solders",
    "sqlalchemy",
    "wasmtime",
}


def _loaded(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    # An editable install rebuilds the core when it is imported, by the cmake beside this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_help_loads_neither_numpy_nor_any_service() -> None:
    statement = (
        "from contextlib import redirect_stdout, suppress\nimport io\nfrom proofgrid.cli.main import main\n"
        "with redirect_stdout(io.StringIO()) as text, suppress(SystemExit): main(['--help'])\n"
        "if 'verify' not in text.getvalue(): sys.exit('no help was printed')"
    )
    assert not _loaded(statement) & (HEAVY | {"numpy", "httpx", "pydantic", "nacl"})


@pytest.mark.parametrize("module", ["proofgrid.verifier", "proofgrid.verifier.groth16", "proofgrid.verifier.receipts"])
def test_the_verifier_loads_none_of_the_node(module: str) -> None:
    assert not _loaded(f"import {module}") & HEAVY


def test_every_module_imports() -> None:
    # program/proofgrid.so is the on-chain program, no module of Python's
    statement = (
        "import importlib, pkgutil, proofgrid\n"
        "for found in pkgutil.walk_packages(proofgrid.__path__, 'proofgrid.'):\n"
        "    if not found.name.endswith(('__main__', 'program.proofgrid')): importlib.import_module(found.name)"
    )
    assert "proofgrid" in _loaded(statement)
