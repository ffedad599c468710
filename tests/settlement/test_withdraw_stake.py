"""withdraw_stake: tokens leave after the exit window, at what the shares are then worth, unless they are locked."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import (
    TOKEN_PROGRAM,
    position_address,
    vault_address,
)
from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout.provers import POSITION_ACCOUNT, WITHDRAW_STAKE
from tests.settlement.altered import with_account
from tests.settlement.network import TOP, Network, Person
from tests.settlement.shape import keeps_its_shape


def test_stake_leaves_after_its_window(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    chain.refuses("NothingToWithdraw", prover.withdraw(prover), signers=[prover.keypair])
    chain.send(prover.exit(prover, 2_000_000), signers=[prover.keypair])
    assert (prover.pool.exiting_shares, prover.pool.shares, prover.pool.stake) == (2_000_000, 5_000_000, 5_000)
    network.pass_time(999)
    chain.refuses("ExitWindowOpen", prover.withdraw(prover), signers=[prover.keypair])
    network.pass_time(1)
    before = prover.balance
    chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert (prover.balance - before, network.vault, network.config.total_stake) == (2_000, 3_000, 3_000)
    assert (prover.pool.stake, prover.pool.shares, prover.pool.exiting_shares) == (3_000, 3_000_000, 0)
    chain.refuses("NothingToWithdraw", prover.withdraw(prover), signers=[prover.keypair])


def test_an_empty_position_gives_its_rent_back(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    address, _ = position_address(chain.program_id, prover.prover, prover.key)
    chain.send(prover.exit(prover, 5_000_000), signers=[prover.keypair])
    network.pass_time(1_000)
    rent, before = chain.svm.get_balance(address), chain.svm.get_balance(prover.key)
    result = chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert chain.svm.get_balance(prover.key) == (before or 0) + (rent or 0) - result.fee()
    assert not chain.svm.get_balance(address)
    # and may be opened again
    prover.stake(prover, 700)
    assert prover.position(prover).shares == 700_000


def test_what_exits_can_be_slashed(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    chain.send(prover.exit(prover, 5_000_000), signers=[prover.keypair])
    network.edit_prover(prover, stake=1_000)
    network.pass_time(1_000)
    before = prover.balance
    chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert prover.balance - before == pytest.approx(1_000, abs=1)


def test_locked_stake_stays(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    network.edit_prover(prover, locked=3_001)
    chain.send(prover.exit(prover, 2_000_000), signers=[prover.keypair])
    network.pass_time(1_000)
    chain.refuses("StakeLocked", prover.withdraw(prover), signers=[prover.keypair])
    network.edit_prover(prover, locked=3_000)
    chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert prover.pool.stake == prover.pool.locked == 3_000


def test_the_stop_lets_nothing_in_and_everything_out(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    stop = config.set_paused(chain.program_id, network.guardian.pubkey(), paused=True)
    chain.send(stop, signers=[network.guardian])
    chain.refuses("Paused", prover.deposit(prover, 1), signers=[prover.keypair])
    chain.send(prover.exit(prover, 5_000_000), signers=[prover.keypair])
    network.pass_time(1_000)
    chain.send(prover.withdraw(prover), signers=[prover.keypair])
    assert prover.pool.stake == 0


def test_nobody_touches_anothers_position(network: Network) -> None:
    chain = network.chain
    prover, friend, other = network.prover(20, 5_000), network.person(21, 9_000), network.prover(22, 4_000)
    friend.stake(prover, 1_000)
    chain.send(friend.exit(prover, 500_000), signers=[friend.keypair])
    network.pass_time(1_000)
    hot = prover.hot
    chain.svm.airdrop(hot.pubkey(), 10**9)
    for thief in (hot, prover.keypair, other.keypair):
        for honest in (friend.exit(prover, 1), friend.withdraw(prover)):
            chain.refuses("NotStaker", with_account(honest, 0, thief.pubkey()), signers=[thief])
    # a position of another pool
    wrong_pool = with_account(friend.withdraw(prover), 2, other.prover)
    chain.refuses("WrongPositionAccount", wrong_pool, signers=[friend.keypair])
    chain.refuses(
        "WrongPositionAccount", with_account(friend.exit(prover, 1), 3, prover.prover), signers=[friend.keypair]
    )
    # another's signature is missing
    honest = friend.withdraw(prover)
    unsigned = [AccountMeta(friend.key, False, True), *honest.accounts[1:]]
    chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, unsigned))


@pytest.mark.parametrize(
    ("pool", "exiting", "total"),
    [
        ({"shares": 0}, TOP, 5_000),  # what it is worth
        ({"shares": 1_000, "stake": 10**6}, 1_500, 10**7),  # the pool's shares
        ({"exiting_shares": 0}, 1_000_000, 5_000),  # those of the pool that exit
        ({"exiting_shares": 1_000_000}, 1_000_000, 999),  # all stake
    ],
    ids=str,
)
def test_nothing_below_zero_is_withdrawn(network: Network, pool: dict[str, int], exiting: int, total: int) -> None:
    prover = network.prover(20, 5_000)
    at, _ = position_address(network.chain.program_id, prover.prover, prover.key)
    network.fill_vault(10**7)
    network.edit_prover(prover, **pool)
    network.edit_config(total_stake=total)
    network.chain.edit(at, POSITION_ACCOUNT, exiting_shares=exiting)
    network.chain.refuses("Overflow", prover.withdraw(prover), signers=[prover.keypair])


def test_wrong_accounts_are_refused(network: Network) -> None:
    chain, prover = network.chain, network.prover(20, 5_000)
    signers = [prover.keypair]
    chain.send(prover.exit(prover, 1_000_000), signers=signers)
    network.pass_time(1_000)
    withdraw, vault = prover.withdraw(prover), vault_address(chain.program_id)[0]
    chain.refuses("WrongVault", with_account(withdraw, 4, network.token_account(prover.key)), signers=signers)
    chain.refuses("SameAccountTwice", with_account(withdraw, 5, vault), signers=signers)
    longer = bytes(chain.svm.get_account(prover.tokens).data) + bytes(5)  # type: ignore[union-attr]
    ours, theirs = Pubkey.new_unique(), Pubkey.new_unique()
    chain.forge(ours, longer, TOKEN_PROGRAM)
    chain.forge(theirs, longer[:-5], Pubkey.new_unique())
    for wrong in (
        network.token_account(prover.key, mint=Pubkey.new_unique()),
        network.token_account(prover.key, state=2),
        network.token_account(prover.key, state=0),
        network.mint,
        ours,
        theirs,
    ):
        chain.refuses("WrongTokenAccount", with_account(withdraw, 5, wrong), signers=signers)


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    network.chain.send(large.exit(large, 1_000_000), signers=[large.keypair])
    network.pass_time(1_000)
    keeps_its_shape(network.chain, WITHDRAW_STAKE, large.withdraw(large), [large.keypair])
