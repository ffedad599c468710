"""request_exit: shares leave the pool after a window that begins anew with each request."""

import pytest

from proofgrid.settlement.addresses import position_address
from proofgrid.settlement.layout.provers import POSITION_ACCOUNT, REQUEST_EXIT
from tests.settlement.altered import with_account
from tests.settlement.network import TOP, Network, Person
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


def test_exiting_shares_do_not_overflow(network: Network, large: Person) -> None:
    chain, leave = network.chain, large.exit(large, 100)
    network.edit_prover(large, exiting_shares=TOP - 99)
    chain.refuses("Overflow", leave, signers=[large.keypair])
    network.edit_prover(large, exiting_shares=0)
    at, _ = position_address(chain.program_id, large.prover, large.key)
    chain.edit(at, POSITION_ACCOUNT, exiting_shares=TOP - 99)
    chain.refuses("Overflow", leave, signers=[large.keypair])


def test_all_shares_may_leave(network: Network, large: Person) -> None:
    network.chain.send(large.exit(large, 6_000_000), signers=[large.keypair])
    position = large.position(large)
    now = network.chain.svm.get_clock().unix_timestamp
    assert (position.shares, position.exiting_shares, position.exit_from_s) == (0, 6_000_000, now + 1_000)
    assert large.pool.exiting_shares == 6_000_000
    network.chain.refuses("NotEnoughShares", large.exit(large, 1), signers=[large.keypair])


def test_nobody_else_asks(network: Network, large: Person, small: Person) -> None:
    chain, honest = network.chain, large.exit(large, 1)
    for thief in (small.keypair, large.hot):
        chain.svm.airdrop(thief.pubkey(), 10**9)
        chain.refuses("NotStaker", with_account(honest, 0, thief.pubkey()), signers=[thief])
    chain.refuses("WrongPositionAccount", with_account(honest, 2, small.prover), signers=[large.keypair])


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    keeps_its_shape(network.chain, REQUEST_EXIT, large.exit(large, 1), [large.keypair])
