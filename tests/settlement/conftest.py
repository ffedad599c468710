"""What the program's tests stand on: ``chain`` and all that is built on it runs every test under both feature sets."""

import pytest

from tests.settlement.batches import TRUE
from tests.settlement.chains import FEATURES, Chain
from tests.settlement.jobs import Job
from tests.settlement.network import Network, Person


@pytest.fixture(params=FEATURES)
def chain(request: pytest.FixtureRequest) -> Chain:
    return Chain.under(request.param)


@pytest.fixture
def network(chain: Chain) -> Network:
    return Network.on(chain)


@pytest.fixture
def large(network: Network) -> Person:
    """A prover with most of the stake."""
    return network.prover(20, 6_000)


@pytest.fixture
def small(network: Network) -> Person:
    """Another, with less."""
    return network.prover(21, 4_000)


@pytest.fixture
def committer(network: Network) -> Person:
    """A prover whose batches hold leaves under TRUE's key."""
    network.chain.register(TRUE)
    return network.committer(40)


@pytest.fixture
def job(chain: Chain) -> Job:
    return Job.on(chain)


@pytest.fixture
def coordinator(job: Job) -> Person:
    """A prover that commits other provers' leaves."""
    return job.network.committer(40)
