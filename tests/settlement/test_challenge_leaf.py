"""challenge_leaf: a false leaf is void and costs its bond; a true one cannot be touched."""

from dataclasses import replace

import pytest
from solders.instruction import Instruction

from proofgrid.settlement.addresses import (
    vault_address,
)
from proofgrid.settlement.layout.batches import BATCH_ACCOUNT, CHALLENGE_LEAF, LEAF_PAID, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.transactions import sign
from tests.settlement.altered import with_account
from tests.settlement.batches import (
    BOND,
    FALSE,
    TRUE,
    WINDOW_S,
    Batch,
    Entry,
    challenge,
    filled,
)
from tests.settlement.instances import OUTSIDE_SUBGROUP, Instance, instance, r
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


@pytest.mark.parametrize(
    "lie",
    [
        FALSE,
        TRUE.with_points(a=(1, 1)),
        TRUE.with_points(b=OUTSIDE_SUBGROUP),
        TRUE.with_points(a=(0, 0)),
        replace(TRUE, inputs=((TRUE.inputs[0] + 1) % r,)),
        replace(TRUE, inputs=(TRUE.inputs[0] + r,)),
        replace(TRUE, inputs=()),
        replace(TRUE, inputs=(*TRUE.inputs, 0)),
    ],
    ids=["c", "off curve", "outside subgroup", "infinity", "other input", "aliased input", "no input", "more inputs"],
)
def test_a_false_leaf_is_void_and_costs_its_bond(network: Network, committer: Person, lie: Instance) -> None:
    # Given a batch in which one leaf lies
    batch, challenger = filled(committer, lie), network.person(41)
    before, stake = network.vault, committer.pool.stake
    # When somebody shows it
    result = network.chain.send(challenge(batch, 0, challenger.tokens))
    # Then it is void, the committer slashed, the challenger paid
    pool = committer.pool
    assert (batch.account.state(0), batch.account.state(1)) == (LEAF_VOID, LEAF_UNPAID)
    assert (pool.stake, pool.locked, pool.false_leaves) == (stake - BOND, 4 * BOND, 1)
    assert batch.account.locked == 4 * BOND
    assert challenger.balance == BOND // 2
    assert (network.config.burned, network.config.total_stake) == (BOND // 2, pool.stake)
    assert network.vault == before - BOND // 2
    assert result.compute_units_consumed() < 200_000
    network.chain.refuses("LeafSettled", challenge(batch, 0, challenger.tokens))


def test_a_true_leaf_cannot_be_challenged(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE)
    for index in range(1, 5):
        network.chain.refuses("LeafIsTrue", challenge(batch, index, committer.tokens))


def test_a_leaf_that_is_not_there_cannot_be_challenged(network: Network, committer: Person) -> None:
    """Nothing but what was committed can cost the committer anything."""
    batch, reward = filled(committer, FALSE), committer.tokens
    path = batch.shown(1).path
    for refusal, changes in (
        ("WrongPath", {"proof": FALSE.proof}),
        ("WrongPath", {"price": 6}),
        ("WrongPath", {"request": bytes(32)}),
        ("WrongPath", {"prover": bytes(32)}),
        ("WrongPath", {"inputs": ((5).to_bytes(32, "big"),)}),
        ("WrongPath", {"index": 2}),
        ("NoSuchLeaf", {"index": 5}),
        ("NoSuchLeaf", {"index": 2**32 - 1}),
        ("WrongPath", {"path": path[:-1]}),
        ("WrongPath", {"path": (*path, bytes(32))}),
        ("WrongPath", {"path": ()}),
    ):
        network.chain.refuses(refusal, challenge(batch, 1, reward, **changes))
    honest = challenge(batch, 1, reward)
    cut = Instruction(honest.program_id, honest.data[:-1], honest.accounts)
    network.chain.refuses("WrongPath", cut)
    at = 1
    counted = Instruction(honest.program_id, honest.data[:at] + b"\xff" + honest.data[at + 1 :], honest.accounts)
    network.chain.refuses("WrongInputCount", counted)
    # another key's leaf
    network.chain.register(instance(2))
    network.chain.refuses("WrongPath", challenge(batch, 0, reward, key_digest=instance(2).digest))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 33, 100])
def test_every_place_of_a_tree_can_be_shown(network: Network, committer: Person, count: int) -> None:
    entries = [Entry(FALSE if i % 9 == 0 else TRUE, bytes([i]) * 32, b"p" * 32) for i in range(count)]
    batch = Batch(network, committer, entries).committed()
    for index in sorted({0, count // 2, count - 1}):
        honest = challenge(batch, index, committer.tokens)
        if index % 9:
            network.chain.refuses("LeafIsTrue", honest)
        else:
            network.chain.send(honest)
            assert batch.account.state(index) == LEAF_VOID
    voided = {index for index in (0, count // 2, count - 1) if index % 9 == 0}
    assert [i for i in range(count) if batch.account.state(i)] == sorted(voided)


def test_a_challenge_of_a_thousand_leaves_fits_a_packet(network: Network, committer: Person) -> None:
    lie = instance(4).with_points(c=TRUE.a)
    network.chain.register(lie)
    entries = [
        Entry(lie, bytes(32), b"p" * 32),
        *[Entry(TRUE, i.to_bytes(32, "big"), b"p" * 32) for i in range(1, 1024)],
    ]
    batch = Batch(network, committer, entries)
    result = network.chain.send(batch.commit(), signers=[committer.hot])
    assert result.compute_units_consumed() < 15_000
    honest = challenge(batch, 0, committer.tokens)
    transaction = sign([honest], [network.chain.payer], network.chain.svm.latest_blockhash())
    assert len(bytes(transaction)) <= 1232
    assert network.chain.send(honest).compute_units_consumed() < 200_000


def test_challenges_have_their_time(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE, FALSE)
    network.pass_time(WINDOW_S)
    network.chain.send(challenge(batch, 0, committer.tokens))
    network.pass_time(1)
    network.chain.refuses("ChallengeWindowOver", challenge(batch, 1, committer.tokens))


def test_challenging_with_wrong_accounts_is_refused(network: Network, committer: Person) -> None:
    chain, batch, other = network.chain, filled(committer, FALSE), network.prover(42, 50_000)
    honest = challenge(batch, 0, committer.tokens)
    chain.refuses("WrongCommitter", with_account(honest, 1, other.prover))
    chain.refuses("WrongBatchAccount", with_account(honest, 2, committer.prover))
    chain.refuses("WrongKeyAccount", with_account(honest, 3, committer.prover))
    chain.refuses("WrongVault", with_account(honest, 4, other.tokens))
    chain.refuses("SameAccountTwice", with_account(honest, 5, vault_address(chain.program_id)[0]))
    chain.refuses("WrongTokenAccount", with_account(honest, 5, committer.prover))


def test_more_than_is_locked_is_not_slashed(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE)
    honest = challenge(batch, 0, committer.tokens)
    network.chain.edit(batch.address, BATCH_ACCOUNT, locked=BOND - 1)
    network.chain.refuses("Overflow", honest)
    network.chain.edit(batch.address, BATCH_ACCOUNT, locked=BOND)
    for pool in ({"locked": BOND - 1}, {"stake": BOND - 1}):
        before = committer.pool
        network.edit_prover(committer, **pool)
        network.chain.refuses("Overflow", honest)
        network.edit_prover(committer, locked=before.locked, stake=before.stake)
    network.chain.send(honest)


def test_a_leaf_that_was_paid_is_not_challenged(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE)
    states = bytes([LEAF_PAID]) + batch.account.states[1:]
    data = network.chain.data(batch.address)[: BATCH_ACCOUNT.size] + states
    network.chain.forge(batch.address, data, network.chain.program_id)
    network.chain.refuses("LeafSettled", challenge(batch, 0, committer.tokens))


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE)
    keeps_its_shape(network.chain, CHALLENGE_LEAF, challenge(batch, 0, committer.tokens))
