from pathlib import Path

import pytest

from proofgrid.demo.rollup import CircuitFiles, unpack


@pytest.fixture(scope="session")
def circuit(tmp_path_factory: pytest.TempPathFactory) -> CircuitFiles:
    return unpack(tmp_path_factory.mktemp("rollup"))


@pytest.fixture(scope="session")
def wasm(circuit: CircuitFiles) -> Path:
    return circuit.wasm
