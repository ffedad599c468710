"""void_leaf: a demand that nobody answered in time voids its leaf."""

from proofgrid.settlement.layout.batches import LEAF_VOID, VOID_LEAF
from tests.settlement.batches import (
    BOND,
    demand,
    filled,
    void,
)
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.shape import keeps_its_shape


def test_an_unanswered_demand_voids_the_leaf(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(PARAMETERS.reveal_window_s)
    chain.refuses("NotYetMissed", void(batch, 2, demander))
    network.pass_time(1)
    chain.send(void(batch, 2, demander))
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_VOID, 0)
    assert demander.balance == 100 + BOND // 2
    assert (committer.pool.stake, committer.pool.false_leaves) == (50_000 - BOND, 1)
    chain.refuses("LeafSettled", demand(batch, 2, demander), signers=[demander.keypair])
    chain.refuses("WrongDemandAccount", void(batch, 2, demander))


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    network.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    keeps_its_shape(network.chain, VOID_LEAF, void(batch, 2, demander))
