"""answer_leaf: a leaf shown true earns the committer the demand's bond."""

from proofgrid.settlement.accounts import DemandAccount
from proofgrid.settlement.addresses import demand_address
from proofgrid.settlement.layout.batches import ANSWER_LEAF, LEAF_DEMANDED, LEAF_UNPAID
from tests.settlement.altered import with_account, with_byte
from tests.settlement.batches import (
    FALSE,
    TRUE,
    answer,
    challenge,
    demand,
    filled,
    void,
)
from tests.settlement.network import PARAMETERS, TOP, Network, Person
from tests.settlement.shape import keeps_its_shape


def test_an_answered_demand_pays_the_committer(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    at, _ = demand_address(chain.program_id, batch.address, 2)
    record = DemandAccount.decode(chain.data(at))
    assert (record.batch, record.demander, record.leaf) == (bytes(batch.address), bytes(demander.key), 2)
    assert (record.bond, demander.balance) == (PARAMETERS.demand_bond, 100 - PARAMETERS.demand_bond)
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_DEMANDED, 1)
    chain.send(answer(batch, 2, demander))
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_UNPAID, 0)
    assert committer.pool.earned == PARAMETERS.demand_bond
    assert not chain.svm.get_balance(at)
    # and may be demanded again
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])


def test_a_late_answer_counts_until_the_leaf_is_void(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    network.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(10_000)
    network.chain.send(answer(batch, 2, demander))
    assert batch.account.state(2) == LEAF_UNPAID


def test_a_false_leaf_cannot_be_answered(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer, FALSE), network.person(41, 100)
    chain.send(demand(batch, 0, demander), signers=[demander.keypair])
    chain.refuses("InvalidProof", answer(batch, 0, demander))
    chain.refuses("WrongPath", answer(batch, 0, demander, proof=TRUE.proof))
    chain.refuses("WrongDemandAccount", with_account(answer(batch, 1, demander), 3, demand_address(
        chain.program_id, batch.address, 0)[0]))  # fmt: skip
    # nor challenged while it is demanded: it is void when nobody answers
    chain.refuses("LeafSettled", challenge(batch, 0, demander.tokens))


def test_a_demand_is_settled_with_whom_it_names(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    thief, other = network.person(43, 100), network.prover(42, 50_000)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    chain.refuses("WrongDemander", with_account(answer(batch, 2, demander), 0, thief.key))
    chain.refuses("WrongCommitter", with_account(answer(batch, 2, demander), 1, other.prover))
    second = filled(committer)
    chain.refuses("WrongDemandAccount", with_account(answer(batch, 2, demander), 2, second.address))
    network.pass_time(51)
    chain.refuses("WrongDemander", with_account(void(batch, 2, demander), 0, thief.key))
    chain.refuses("WrongTokenAccount", with_account(void(batch, 2, demander), 6, thief.tokens))
    chain.refuses("WrongCommitter", with_account(void(batch, 2, demander), 2, other.prover))
    chain.refuses("WrongVault", with_account(void(batch, 2, demander), 5, thief.tokens))


def test_what_is_earned_does_not_overflow(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.edit_prover(committer, earned=TOP - PARAMETERS.demand_bond + 1)
    chain.refuses("Overflow", answer(batch, 2, demander))


def test_another_leafs_demand_is_not_answered(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    for leaf in (1, 2):
        chain.send(demand(batch, leaf, demander), signers=[demander.keypair])
    other, _ = demand_address(chain.program_id, batch.address, 1)
    chain.refuses("WrongDemandAccount", with_account(answer(batch, 2, demander), 3, other))
    rent, before = chain.svm.get_balance(other), chain.svm.get_balance(demander.key)
    chain.send(answer(batch, 1, demander))
    assert chain.svm.get_balance(demander.key) == (before or 0) + (rent or 0)
    assert batch.account.open_demands == 1


def test_more_inputs_than_are_shown_are_refused(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    at = ANSWER_LEAF.arguments.offset("n_inputs")
    chain.refuses("WrongInputCount", with_byte(answer(batch, 2, demander), at, 255))


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    network.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    keeps_its_shape(network.chain, ANSWER_LEAF, answer(batch, 2, demander))
