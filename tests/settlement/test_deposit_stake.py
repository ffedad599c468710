"""deposit_stake: tokens buy shares of a pool at what they are worth."""

import pytest
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import PositionAccount
from proofgrid.settlement.addresses import (
    position_address,
    vault_address,
)
from proofgrid.settlement.layout.provers import DEPOSIT_STAKE, POSITION_ACCOUNT
from tests.settlement.altered import with_account
from tests.settlement.network import TOP, Network, Person
from tests.settlement.shape import impostors, keeps_its_shape


def test_a_deposit_buys_shares(network: Network) -> None:
    prover = network.prover(20)
    before = prover.balance
    result = network.chain.send(prover.deposit(prover, 5_000), signers=[prover.keypair])
    assert (before - prover.balance, network.vault, network.config.total_stake) == (5_000, 5_000, 5_000)
    pool, position = prover.pool, prover.position(prover)
    assert (pool.stake, pool.shares, pool.exiting_shares) == (5_000, 5_000_000, 0)
    assert (position.shares, position.exiting_shares) == (5_000_000, 0)
    assert (position.prover, position.staker) == (bytes(prover.prover), bytes(prover.key))
    assert result.compute_units_consumed() < 25_000


def test_co_stakers_share_losses_and_gains(network: Network) -> None:
    prover, friend = network.prover(20, 6_000), network.person(21, 10_000)
    friend.stake(prover, 3_000)
    assert friend.position(prover).shares * 2 == prover.position(prover).shares
    # Given a third of the pool is lost, a new deposit buys at the lower price
    network.edit_prover(prover, stake=6_000)
    late = network.person(22, 10_000)
    late.stake(prover, 2_000)
    worth = [prover.pool.worth(person.position(prover).shares) for person in (prover, friend, late)]
    assert worth == pytest.approx([4_000, 2_000, 2_000], abs=1)
    assert sum(worth) <= prover.pool.stake


def test_amounts_that_cannot_be_are_refused(network: Network) -> None:
    chain, prover = network.chain, network.prover(20)
    chain.refuses("AmountTooSmall", prover.deposit(prover, 0), signers=[prover.keypair])
    chain.refuses("Overflow", prover.deposit(prover, 2**64 - 1), signers=[prover.keypair])
    chain.refuses("Custom(1)", prover.deposit(prover, 10**9 + 1), signers=[prover.keypair])  # SPL: insufficient funds
    # a pool that lost everything has no price to sell at
    prover.stake(prover, 10**8)
    network.edit_prover(prover, stake=0)
    chain.refuses("Overflow", prover.deposit(prover, 10**9 - 10**8), signers=[prover.keypair])


def test_dust_that_buys_no_share_is_refused(network: Network) -> None:
    prover = network.prover(20, 10)
    network.edit_prover(prover, stake=10**9)
    network.chain.refuses("AmountTooSmall", prover.deposit(prover, 1), signers=[prover.keypair])


def test_the_first_depositor_cannot_take_the_seconds_tokens(network: Network) -> None:
    """The inflation attack: one token for all shares, a gift to the pool, a deposit that rounds to nothing."""
    thief, victim = network.prover(20, 1), network.person(21, 100_000)
    network.edit_prover(thief, stake=50_001)  # the gift, 50,000 tokens
    victim.stake(thief, 50_000)
    pool = thief.pool
    assert pool.worth(victim.position(thief).shares) > 49_900
    assert pool.worth(thief.position(thief).shares) < 50_001


def test_wrong_accounts_are_refused(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    deposit, vault = prover.deposit(prover, 10), vault_address(chain.program_id)[0]
    signers = [prover.keypair]
    own_vault = network.token_account(prover.key)
    chain.refuses("WrongVault", with_account(deposit, 5, own_vault), signers=signers)
    chain.refuses("SameAccountTwice", with_account(deposit, 4, vault), signers=signers)
    chain.refuses("WrongPositionAccount", with_account(deposit, 3, prover.prover), signers=signers)
    newcomer = network.person(23, 100)
    chain.refuses(
        "WrongPositionAddress",
        with_account(newcomer.deposit(prover, 10), 3, Pubkey.new_unique()),
        signers=[newcomer.keypair],
    )
    chain.refuses("WrongTokenProgram", with_account(deposit, 7, chain.program_id), signers=signers)
    foreign = network.token_account(prover.key, 100, mint=Pubkey.new_unique())
    chain.refuses("Custom(3)", with_account(deposit, 4, foreign), signers=signers)  # SPL: mint mismatch
    others = network.person(24, 100).tokens
    chain.refuses("Custom(4)", with_account(deposit, 4, others), signers=signers)  # SPL: owner does not match

    chain.send(prover.exit(prover, 1_000_000), signers=signers)
    network.pass_time(1_000)
    withdraw = prover.withdraw(prover)
    chain.refuses("WrongVault", with_account(withdraw, 4, own_vault), signers=signers)
    chain.refuses("SameAccountTwice", with_account(withdraw, 5, vault), signers=signers)
    chain.refuses("WrongTokenAccount", with_account(withdraw, 5, foreign), signers=signers)
    frozen = network.token_account(prover.key, state=2)
    chain.refuses("WrongTokenAccount", with_account(withdraw, 5, frozen), signers=signers)


@pytest.mark.parametrize(
    ("pool", "amount"),
    [
        ({"stake": TOP}, 1_000),
        ({"shares": TOP}, 1_000),
        ({"shares": TOP - 1_000, "stake": TOP // 2}, 600),  # the pool's shares
        ({"shares": TOP // 2, "stake": TOP - 5}, 10),  # the pool's stake
    ],
    ids=str,
)
def test_pools_do_not_overflow(network: Network, large: Person, pool: dict[str, int], amount: int) -> None:
    network.edit_prover(large, **pool)
    network.chain.refuses("Overflow", large.deposit(large, amount), signers=[large.keypair])


def test_positions_and_the_total_do_not_overflow(network: Network, large: Person) -> None:
    chain, signers = network.chain, [large.keypair]
    network.edit_config(total_stake=TOP - 99)
    chain.refuses("Overflow", large.deposit(large, 100), signers=signers)
    network.edit_config(total_stake=6_000)
    at, _ = position_address(chain.program_id, large.prover, large.key)
    chain.edit(at, POSITION_ACCOUNT, shares=TOP - 99_999)
    chain.refuses("Overflow", large.deposit(large, 100), signers=signers)


def test_what_looks_like_a_position_is_none(network: Network, large: Person) -> None:
    chain, honest = network.chain, large.deposit(large, 10)
    for wrong in impostors(chain, POSITION_ACCOUNT, honest.accounts[3].pubkey):
        chain.refuses("WrongPositionAccount", with_account(honest, 3, wrong), signers=[large.keypair])
    friend = network.person(23, 100)
    friend.stake(large, 10)
    theirs, _ = position_address(chain.program_id, large.prover, friend.key)
    chain.refuses("NotStaker", with_account(honest, 3, theirs), signers=[large.keypair])
    rival = network.prover(24, 10)
    elsewhere, _ = position_address(chain.program_id, rival.prover, rival.key)
    in_anothers_pool = with_account(rival.deposit(large, 10), 3, elsewhere)
    chain.refuses("WrongPositionAccount", in_anothers_pool, signers=[rival.keypair])


def test_the_stop_lets_nothing_in(network: Network, large: Person) -> None:
    network.pause()
    network.chain.refuses("Paused", large.deposit(large, 1), signers=[large.keypair])
    network.pause(paused=False)
    network.chain.send(large.deposit(large, 1), signers=[large.keypair])


def test_a_position_is_written_down(network: Network, large: Person) -> None:
    friend = network.person(23, 100)
    friend.stake(large, 10)
    _, bump = position_address(network.chain.program_id, large.prover, friend.key)
    expected = PositionAccount(
        prover=bytes(large.prover),
        staker=bytes(friend.key),
        shares=10_000,
        exiting_shares=0,
        exit_from_s=0,
        bump=bump,
    )
    assert friend.position(large) == expected


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    friend = network.person(22, 100)
    keeps_its_shape(network.chain, DEPOSIT_STAKE, friend.deposit(large, 100), [friend.keypair], creates=True)
