"""release_batch: the stake behind a batch is free after its window, once, unless a demand is open."""

from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import RELEASE_BATCH
from tests.settlement.altered import with_account
from tests.settlement.batches import (
    BOND,
    WINDOW_S,
    demand,
    filled,
    void,
)
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_the_stake_is_free_when_the_window_is_over(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer)
    assert committer.pool.locked == batch.account.locked == 5 * BOND
    release = batches.release_batch(chain.program_id, batch.address, committer.prover)
    network.pass_time(WINDOW_S)
    chain.refuses("ChallengeWindowOpen", release)
    network.pass_time(1)
    other = network.prover(42, 50_000)
    chain.refuses("WrongCommitter", with_account(release, 0, other.prover))
    chain.send(release)
    assert (committer.pool.locked, batch.account.locked) == (0, 0)
    chain.refuses("NothingLocked", release)


def test_open_demands_keep_the_stake(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    network.pass_time(WINDOW_S)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(1)
    release = batches.release_batch(chain.program_id, batch.address, committer.prover)
    chain.refuses("DemandsOpen", release)
    network.pass_time(50)
    chain.send(void(batch, 2, demander))
    chain.send(release)
    assert committer.pool.locked == 0


def test_more_than_is_locked_is_not_freed(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.pass_time(WINDOW_S + 1)
    network.edit_prover(committer, locked=5 * BOND - 1)
    release = batches.release_batch(network.chain.program_id, batch.address, committer.prover)
    network.chain.refuses("Overflow", release)


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.pass_time(WINDOW_S + 1)
    keeps_its_shape(
        network.chain, RELEASE_BATCH, batches.release_batch(network.chain.program_id, batch.address, committer.prover)
    )
