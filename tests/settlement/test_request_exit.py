"""request_exit: shares leave the pool after a window that begins anew with each request."""

import pytest

from proofgrid.settlement.layout.provers import REQUEST_EXIT
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_asking_again_starts_the_window_anew(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    chain.send(prover.exit(prover, 1_000_000), signers=[prover.keypair])
    network.pass_time(600)
    chain.send(prover.exit(prover, 1_000_000), signers=[prover.keypair])
    network.pass_time(400)
    chain.refuses("ExitWindowOpen", prover.withdraw(prover), signers=[prover.keypair])
    network.pass_time(600)
    before = prover.balance
    chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert prover.balance - before == 2_000


@pytest.mark.parametrize("shares", [0, 5_000_001, 2**64 - 1])
def test_more_shares_than_there_are_do_not_leave(network: Network, shares: int) -> None:
    prover = network.prover(20, 5_000)
    network.chain.refuses("NotEnoughShares", prover.exit(prover, shares), signers=[prover.keypair])


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    keeps_its_shape(network.chain, REQUEST_EXIT, large.exit(large, 1), [large.keypair])
