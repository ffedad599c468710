import pytest

from proofgrid.kernels.curves import CURVES
from tests.verifier.statements import Statement, statement


@pytest.fixture(params=list(CURVES), scope="session")
def given_statement(request: pytest.FixtureRequest) -> Statement:
    """A true statement, on each curve in turn."""
    return statement(request.param)
