"""update_prover: the owner rotates the hot key and the payout account, and nobody else."""

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.instructions import provers
from proofgrid.settlement.layout.provers import UPDATE_PROVER
from tests.settlement.altered import with_account
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_the_owner_rotates_the_hot_key_and_the_payout(network: Network) -> None:
    prover, hot = network.prover(20, 5_000), Keypair()
    payout = network.token_account(prover.key)
    before = prover.pool
    update = provers.update_prover(network.chain.program_id, prover.key, signer=hot.pubkey(), payout=payout)
    network.chain.send(update, signers=[prover.keypair])
    after = prover.pool
    assert (after.signer, after.payout) == (bytes(hot.pubkey()), bytes(payout))
    assert (after.stake, after.shares, after.owner) == (before.stake, before.shares, before.owner)


def test_nobody_else_rotates(network: Network) -> None:
    chain, prover, stranger = network.chain, network.prover(20), network.prover(21)
    hot = prover.hot
    chain.svm.airdrop(hot.pubkey(), 10**9)
    for signer in (hot, stranger.keypair):
        honest = provers.update_prover(chain.program_id, prover.key, signer=Pubkey.new_unique(), payout=prover.tokens)
        chain.refuses("NotOwner", with_account(honest, 0, signer.pubkey()), signers=[signer])
    vault, _ = vault_address(chain.program_id)
    to_vault = provers.update_prover(chain.program_id, prover.key, signer=hot.pubkey(), payout=vault)
    chain.refuses("WrongTokenAccount", to_vault, signers=[prover.keypair])
    honest = provers.update_prover(chain.program_id, prover.key, signer=hot.pubkey(), payout=prover.tokens)
    chain.refuses("WrongProverAccount", with_account(honest, 2, prover.tokens), signers=[prover.keypair])


def test_payouts_that_cannot_be_are_refused(network: Network, large: Person) -> None:
    for payout in (
        vault_address(network.chain.program_id)[0],
        network.mint,
        network.token_account(large.key, mint=Pubkey.new_unique()),
        network.token_account(large.key, state=2),
    ):
        update = provers.update_prover(network.chain.program_id, large.key, signer=Pubkey.new_unique(), payout=payout)
        network.chain.refuses("WrongTokenAccount", update, signers=[large.keypair])


def test_the_cold_key_is_not_the_hot_key(network: Network, large: Person) -> None:
    same = provers.update_prover(network.chain.program_id, large.key, signer=large.key, payout=large.tokens)
    network.chain.refuses("ColdKeyIsHot", same, signers=[large.keypair])


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    honest = provers.update_prover(network.chain.program_id, large.key, signer=Pubkey.new_unique(), payout=large.tokens)
    keeps_its_shape(network.chain, UPDATE_PROVER, honest, [large.keypair])
