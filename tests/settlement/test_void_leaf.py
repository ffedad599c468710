"""void_leaf: a demand that nobody answered in time voids its leaf."""

from proofgrid.settlement.addresses import demand_address, vault_address
from proofgrid.settlement.layout.batches import DEMAND_ACCOUNT, LEAF_VOID, VOID_LEAF
from tests.settlement.altered import with_account
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


def test_a_demand_is_settled_with_whom_it_names(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    thief, other, second = network.person(43, 100), network.prover(42, 50_000), filled(committer)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    honest = void(batch, 2, demander)
    chain.refuses("WrongDemander", with_account(honest, 0, thief.key))
    chain.refuses("WrongCommitter", with_account(honest, 2, other.prover))
    chain.refuses("WrongDemandAccount", with_account(honest, 3, second.address))
    chain.refuses("WrongVault", with_account(honest, 5, thief.tokens))
    chain.refuses("WrongTokenAccount", with_account(honest, 6, thief.tokens))
    at, _ = demand_address(chain.program_id, batch.address, 2)
    rent, before = chain.svm.get_balance(at), chain.svm.get_balance(demander.key)
    chain.send(honest)
    assert chain.svm.get_balance(demander.key) == (before or 0) + (rent or 0)


def test_more_than_is_locked_is_not_slashed(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    network.edit_prover(committer, locked=BOND - 1)
    chain.refuses("Overflow", void(batch, 2, demander))


def test_a_refund_account_that_was_closed_can_be_opened_again(network: Network, committer: Person) -> None:
    """The stake behind the batch stays locked as long: nobody gains by it."""
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    account = chain.svm.get_account(demander.tokens)
    assert account is not None
    chain.forge(demander.tokens, account.data[:108] + b"\2" + account.data[109:], account.owner)
    chain.refuses("WrongTokenAccount", void(batch, 2, demander))
    chain.forge(demander.tokens, account.data, account.owner)
    chain.send(void(batch, 2, demander))


def test_the_vault_is_no_refund_account(network: Network, committer: Person) -> None:
    """No demand names it, for its bond came from the account that it names; by hand one does here."""
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    vault, _ = vault_address(chain.program_id)
    chain.edit(demand_address(chain.program_id, batch.address, 2)[0], DEMAND_ACCOUNT, refund_to=bytes(vault))
    chain.refuses("SameAccountTwice", with_account(void(batch, 2, demander), 6, vault))


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    network.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(51)
    keeps_its_shape(network.chain, VOID_LEAF, void(batch, 2, demander))
