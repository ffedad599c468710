"""Node and its packages for every test here, or one decision on what their absence means."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import Curve
from proofgrid.prover.formats.wtns import write_wtns
from proofgrid.prover.witness import calculate_witness, describe
from tests.interop import node
from tests.interop.circuits import CIRCUITS, Circuit, Compiled

# At most 2^power constraints and public inputs; bn128 at 10 takes 15 s on two cores, at 13 over two minutes.
POWERS = {"bn128": 10, "bls12381": 7}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session", autouse=True)
def node_packages() -> None:
    """Without node the tests are skipped, with the reason; in CI (``CI=true``) they fail."""
    try:
        node.install()
    except node.NodeUnavailable as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"interop tests must run in CI: {missing}", pytrace=False)
        pytest.skip(f"interop tests need node: {missing}")


@pytest.fixture(scope="session")
def runner(node_packages: None) -> Iterator[node.Runner]:
    with node.Runner() as running:
        yield running


@dataclass(frozen=True)
class Case:
    """A compiled circuit with the witness that we calculate for it."""

    circuit: Circuit
    compiled: Compiled
    curve: Curve
    witness: Array
    wtns: Path


@pytest.fixture(scope="session")
def make_case(node_packages: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Circuit], Case]:
    made: dict[str, Case] = {}

    def make(circuit: Circuit) -> Case:
        if str(circuit) not in made:
            compiled = circuit.compile()
            curve = describe(compiled.wasm).curve
            witness = calculate_witness(compiled.wasm, circuit.inputs)
            wtns = tmp_path_factory.mktemp(str(circuit)) / "ours.wtns"
            write_wtns(wtns, curve, witness)
            made[str(circuit)] = Case(circuit, compiled, curve, witness, wtns)
        return made[str(circuit)]

    return make


@pytest.fixture(params=CIRCUITS, ids=str)
def case(request: pytest.FixtureRequest, make_case: Callable[[Circuit], Case]) -> Case:
    return make_case(request.param)


@pytest.fixture(scope="session")
def powers_of_tau(runner: node.Runner, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes snarkjs' powers of tau for a prime, once; ``.cache`` keeps the file."""

    def make(prime: str) -> Path:
        power = POWERS[prime]
        target = node.CACHE / f"{prime}-{power}-{node.digest(node.FOLDER / 'package-lock.json')[:16]}.ptau"
        if not target.is_file():
            folder = tmp_path_factory.mktemp("tau")
            runner.call("powers_of_tau", curve=prime, power=power, folder=folder, ptau=folder / "final.ptau")
            node.CACHE.mkdir(exist_ok=True)
            (folder / "final.ptau").replace(target)
        return target

    return make
