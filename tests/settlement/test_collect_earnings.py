"""collect_earnings: what was earned goes to the payout account, once."""

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.instructions import provers
from proofgrid.settlement.layout.provers import COLLECT_EARNINGS, PROVER_ACCOUNT
from tests.settlement.altered import with_account
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_earnings_go_to_the_payout_account_once(network: Network) -> None:
    chain, prover, other = network.chain, network.prover(20, 5_000), network.prover(21)
    network.edit_prover(prover, stake=4_000, earned=1_000)
    collect = provers.collect_earnings(chain.program_id, prover.prover, prover.tokens)
    elsewhere = network.token_account(prover.key)
    chain.refuses("WrongTokenAccount", provers.collect_earnings(chain.program_id, prover.prover, elsewhere))
    chain.refuses("WrongTokenAccount", provers.collect_earnings(chain.program_id, other.prover, prover.tokens))
    chain.refuses("WrongVault", with_account(collect, 2, elsewhere))
    chain.refuses("WrongProverAccount", with_account(collect, 1, prover.tokens))
    before = prover.balance
    chain.send(collect)
    assert (prover.balance - before, prover.pool.earned) == (1_000, 0)
    chain.refuses("NothingToCollect", collect)


def test_a_payout_account_that_is_frozen_loses_nothing(network: Network, large: Person) -> None:
    network.edit_prover(large, stake=5_000, earned=1_000)
    account = network.chain.svm.get_account(large.tokens)
    assert account is not None
    network.chain.forge(large.tokens, account.data[:108] + b"\2" + account.data[109:], account.owner)
    collect = provers.collect_earnings(network.chain.program_id, large.prover, large.tokens)
    network.chain.refuses("WrongTokenAccount", collect)
    assert large.pool.earned == 1_000


def test_the_vault_is_no_payout_account(network: Network, large: Person) -> None:
    """No prover names it; by hand one does here."""
    vault, _ = vault_address(network.chain.program_id)
    network.chain.edit(large.prover, PROVER_ACCOUNT, earned=1_000, payout=bytes(vault))
    collect = provers.collect_earnings(network.chain.program_id, large.prover, vault)
    network.chain.refuses("SameAccountTwice", collect)


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    network.edit_prover(large, stake=5_000, earned=1_000)
    keeps_its_shape(
        network.chain, COLLECT_EARNINGS, provers.collect_earnings(network.chain.program_id, large.prover, large.tokens)
    )
