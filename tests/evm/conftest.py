"""The contracts, compiled once for a session, or one decision on what node's absence means."""

import os
from pathlib import Path

import pytest

from proofgrid.settlement.evm import contract_sources, render_verifier
from tests.evm import solidity
from tests.evm.machine import Machine, account
from tests.evm.solidity import Compiled, compile_sources
from tests.evm.statements import COUNTS, key
from tests.interop import node

OWNER, GUARDIAN, STRANGER = account(1), account(2), account(3)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def node_packages() -> None:
    """Without node the tests are skipped, with the reason; in CI (``CI=true``) they fail."""
    try:
        node.install(solidity.FOLDER)
    except node.NodeUnavailable as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the contracts' tests must run in CI: {missing}", pytrace=False)
        pytest.skip(f"the contracts' tests need node: {missing}")


def all_sources() -> dict[str, str]:
    """The contracts, a verifier ``Verifier<n>`` for a key of n inputs, and the tests' own doubles."""
    verifiers = {f"Verifier{n}.sol": render_verifier(key(n), f"Verifier{n}") for n in COUNTS}
    return contract_sources() | verifiers | {"Doubles.sol": (solidity.FOLDER / "Doubles.sol").read_text()}


@pytest.fixture(scope="session")
def compiled(node_packages: None) -> Compiled:
    """Everything, by the newest compiler as the documentation says."""
    return compile_sources(all_sources())


@pytest.fixture
def machine(compiled: Compiled) -> Machine:
    """A new chain with the contracts at hand and nothing deployed."""
    return funded(compiled)


def funded(compiled: Compiled, fork: str = "CANCUN") -> Machine:
    """A new chain on which three people have money; skips, with the reason, where there is no EVM for this Python."""
    pytest.importorskip("pyrevm", reason="pyrevm has wheels for Python 3.11 and 3.12 only")
    chain = Machine(compiled, fork)
    for person in (OWNER, GUARDIAN, STRANGER):
        chain.fund(person, 10**21)
    return chain
