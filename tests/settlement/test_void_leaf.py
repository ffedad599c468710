"""void_leaf: a demand that nobody answered in time voids its leaf."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import DemandAccount
from proofgrid.settlement.addresses import demand_address, vault_address
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import DEMAND_ACCOUNT, LEAF_VOID, VOID_LEAF
from tests.settlement.altered import with_account
from tests.settlement.batches import (
    BOND,
    answer,
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


@pytest.mark.parametrize("how", ["closed", "frozen"])
def test_a_refund_that_cannot_be_received_waits(network: Network, committer: Person, how: str) -> None:
    """No account that somebody else can close or freeze keeps a committer's stake locked (ADR 5)."""
    # Given a demand that nobody answered, and whose refund nobody can receive
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    at, _ = demand_address(chain.program_id, batch.address, 2)
    release = batches.release_batch(chain.program_id, batch.address, committer.prover)
    purse = chain.svm.get_account(demander.tokens)
    assert purse is not None
    frozen = Account(purse.lamports, purse.data[:108] + b"\2" + purse.data[109:], purse.owner)
    chain.svm.set_account(demander.tokens, frozen if how == "frozen" else Account(0, b"", Pubkey.default()))
    network.pass_time(PARAMETERS.challenge_window_s + 1)
    chain.refuses("DemandsOpen", release)
    # When somebody voids the leaf
    chain.send(void(batch, 2, demander))
    # Then the committer has lost that leaf's bond, and the rest of its stake is free
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_VOID, 0)
    chain.send(release)
    pool = committer.pool
    assert (pool.stake, pool.locked, pool.false_leaves) == (50_000 - BOND, 0, 1)
    # And the refund waits in the demand for an account that can receive it; no answer takes it
    refund = PARAMETERS.demand_bond + BOND // 2
    assert DemandAccount.decode(chain.data(at)).bond == refund
    chain.refuses("WrongTokenAccount", void(batch, 2, demander))
    chain.refuses("LeafSettled", answer(batch, 2, demander))
    chain.svm.set_account(demander.tokens, purse)
    chain.send(void(batch, 2, demander))
    assert demander.balance == 100 - PARAMETERS.demand_bond + refund
    assert committer.pool == pool
    assert not chain.svm.get_balance(at)
    chain.refuses("WrongDemandAccount", void(batch, 2, demander))


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
