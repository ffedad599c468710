"""What the documentation says about gas is what the contracts take."""

import os

import pytest

from tests.evm import gas
from tests.interop import node


@pytest.fixture(scope="module", autouse=True)
def packages(node_packages: None) -> None:
    """snarkjs, for its template, as well."""
    try:
        node.install()
    except node.NodeUnavailable as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the comparison must run in CI: {missing}", pytrace=False)
        pytest.skip(f"the comparison needs snarkjs: {missing}")


def test_verifiers_beside_snarkjs() -> None:
    table = gas.beside_snarkjs()
    assert table in gas.DOCUMENT.read_text(), f"docs/evm.md should say\n{table}"
    for row in table.splitlines()[2:]:
        ours, theirs = (int(figure.replace(",", "")) for figure in row.split("|")[2:4])
        assert ours < theirs, row


def test_router_and_receipts() -> None:
    table = gas.of_the_others()
    assert table in gas.DOCUMENT.read_text(), f"docs/evm.md should say\n{table}"
