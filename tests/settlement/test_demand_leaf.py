"""demand_leaf: whoever cannot get a leaf's data demands it on chain, for a bond, while the window is open."""

from solders.pubkey import Pubkey

from proofgrid.settlement.layout.batches import DEMAND_LEAF
from tests.settlement.altered import with_account
from tests.settlement.batches import (
    WINDOW_S,
    demand,
    filled,
)
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_demands_have_their_time_and_place(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    signers = [demander.keypair]
    chain.refuses("NoSuchLeaf", demand(batch, 5, demander), signers=signers)
    chain.refuses(
        "WrongDemandAddress", with_account(demand(batch, 1, demander), 3, Pubkey.new_unique()), signers=signers
    )
    chain.refuses("WrongVault", with_account(demand(batch, 1, demander), 5, demander.tokens), signers=signers)
    network.pass_time(WINDOW_S + 1)
    chain.refuses("ChallengeWindowOver", demand(batch, 1, demander), signers=signers)


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    keeps_its_shape(network.chain, DEMAND_LEAF, demand(batch, 0, demander), [demander.keypair], creates=True)
