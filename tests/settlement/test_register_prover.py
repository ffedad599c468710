"""register_prover: a cold owner, a hot signer, a payout account."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.addresses import (
    TOKEN_PROGRAM,
    prover_address,
    vault_address,
)
from proofgrid.settlement.instructions import provers
from proofgrid.settlement.layout.provers import REGISTER_PROVER
from tests.settlement.altered import with_account
from tests.settlement.network import Network
from tests.settlement.shape import keeps_its_shape


def test_a_prover_registers(network: Network) -> None:
    owner = network.person(20)
    result = network.chain.send(owner.register(pool_bps=2_500), signers=[owner.keypair])
    pool = owner.pool
    assert (pool.owner, pool.signer, pool.payout) == tuple(map(bytes, (owner.key, owner.hot.pubkey(), owner.tokens)))
    assert (pool.pool_bps, pool.stake, pool.shares, pool.locked, pool.earned) == (2_500, 0, 0, 0, 0)
    assert pool.bump == prover_address(network.chain.program_id, owner.key)[1]
    assert result.compute_units_consumed() < 15_000


def test_an_owner_registers_once(network: Network) -> None:
    owner = network.prover(20)
    network.chain.refuses("ProverAlreadyRegistered", owner.register(), signers=[owner.keypair])


def test_the_cold_key_is_not_the_hot_key(network: Network) -> None:
    owner = network.person(20)
    network.chain.refuses("ColdKeyIsHot", owner.register(signer=owner.key), signers=[owner.keypair])
    prover = network.prover(21)
    same = provers.update_prover(network.chain.program_id, prover.key, signer=prover.key, payout=prover.tokens)
    network.chain.refuses("ColdKeyIsHot", same, signers=[prover.keypair])


def test_a_pool_share_over_all_is_refused(network: Network) -> None:
    owner = network.person(20)
    network.chain.send(owner.register(pool_bps=10_000), signers=[owner.keypair])
    other = network.person(21)
    network.chain.refuses("ParameterOutOfRange", other.register(pool_bps=10_001), signers=[other.keypair])
    with pytest.raises(MalformedInput):
        other.register(pool_bps=1 << 16)


def test_wrong_accounts_are_refused(network: Network) -> None:
    chain, owner = network.chain, network.person(20)
    honest = owner.register()
    stranger = network.person(21)
    chain.refuses("WrongProverAddress", with_account(honest, 2, Pubkey.new_unique()), signers=[owner.keypair])
    chain.refuses("WrongProverAddress", with_account(honest, 0, stranger.key), signers=[stranger.keypair])
    chain.refuses("WrongConfigAccount", with_account(honest, 1, owner.tokens), signers=[owner.keypair])
    for payout in (
        vault_address(chain.program_id)[0],
        network.mint,
        network.token_account(owner.key, mint=Pubkey.new_unique()),
        network.token_account(owner.key, state=2),
    ):
        chain.refuses("WrongTokenAccount", owner.register(payout=payout), signers=[owner.keypair])
    chain.refuses("WrongSystemProgram", with_account(honest, 4, chain.program_id), signers=[owner.keypair])
    unsigned = [AccountMeta(owner.key, False, True), *honest.accounts[1:]]
    chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, unsigned))
    read_only = [honest.accounts[0], honest.accounts[1], AccountMeta(owner.prover, False, False), *honest.accounts[3:]]
    chain.refuses("AccountNotWritable", Instruction(chain.program_id, honest.data, read_only), signers=[owner.keypair])


def test_what_looks_like_a_token_account_is_none(network: Network) -> None:
    chain, owner = network.chain, network.person(20)
    true = bytes(chain.svm.get_account(owner.tokens).data)  # type: ignore[union-attr]
    for data, program in ((true + bytes(5), TOKEN_PROGRAM), (true, Pubkey.new_unique())):
        wrong = Pubkey.new_unique()
        chain.forge(wrong, data, program)
        chain.refuses("WrongTokenAccount", owner.register(payout=wrong), signers=[owner.keypair])


def test_it_keeps_its_shape(network: Network) -> None:
    owner = network.person(20)
    keeps_its_shape(network.chain, REGISTER_PROVER, owner.register(), [owner.keypair], creates=True)
