"""demand_leaf: whoever cannot get a leaf's data demands it on chain, for a bond, while the window is open."""

from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import DemandAccount
from proofgrid.settlement.addresses import demand_address, vault_address
from proofgrid.settlement.layout.batches import DEMAND_LEAF, LEAF_DEMANDED
from tests.settlement.altered import with_account
from tests.settlement.batches import (
    WINDOW_S,
    demand,
    filled,
)
from tests.settlement.network import PARAMETERS, Network, Person
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


def test_a_demand_is_written_down(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    network.pass_time(WINDOW_S)
    chain.send(demand(batch, 4, demander), signers=[demander.keypair])
    at, bump = demand_address(chain.program_id, batch.address, 4)
    assert DemandAccount.decode(chain.data(at)) == DemandAccount(
        batch=bytes(batch.address),
        demander=bytes(demander.key),
        refund_to=bytes(demander.tokens),
        bond=PARAMETERS.demand_bond,
        answer_until_s=chain.svm.get_clock().unix_timestamp + PARAMETERS.reveal_window_s,
        leaf=4,
        bump=bump,
    )
    assert (batch.account.state(4), batch.account.open_demands) == (LEAF_DEMANDED, 1)
    assert demander.balance == 100 - PARAMETERS.demand_bond


def test_a_leaf_is_demanded_once_at_a_time(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 1, demander), signers=[demander.keypair])
    chain.refuses("LeafSettled", demand(batch, 1, demander), signers=[demander.keypair])


def test_the_vault_pays_no_bond(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    vault, _ = vault_address(network.chain.program_id)
    paid = with_account(demand(batch, 1, demander), 4, vault)
    network.chain.refuses("SameAccountTwice", paid, signers=[demander.keypair])


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    keeps_its_shape(network.chain, DEMAND_LEAF, demand(batch, 0, demander), [demander.keypair], creates=True)
