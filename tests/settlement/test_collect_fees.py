"""collect_fees: fees go to the treasury, once."""

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout.config import COLLECT_FEES
from tests.settlement.altered import with_account
from tests.settlement.chains import Chain
from tests.settlement.network import Network
from tests.settlement.shape import keeps_its_shape


def test_fees_go_to_the_treasury_once(chain: Chain) -> None:
    network = Network.on(chain)
    network.owe(fees=500)
    collect = config.collect_fees(chain.program_id, network.treasury)
    elsewhere = network.token_account(chain.payer.pubkey())
    chain.refuses("WrongTokenAccount", config.collect_fees(chain.program_id, elsewhere))
    chain.refuses("WrongVault", with_account(collect, 1, elsewhere))
    chain.send(collect)
    assert (network.balance(network.treasury), network.vault, network.config.fees) == (500, 0, 0)
    chain.refuses("NothingToCollect", collect)


def test_a_treasury_that_is_frozen_or_the_vault_is_refused(network: Network) -> None:
    network.owe(fees=500)
    account = network.chain.svm.get_account(network.treasury)
    assert account is not None
    network.chain.forge(network.treasury, account.data[:108] + b"\2" + account.data[109:], account.owner)
    network.chain.refuses("WrongTokenAccount", config.collect_fees(network.chain.program_id, network.treasury))
    vault, _ = vault_address(network.chain.program_id)
    network.edit_config(treasury=bytes(vault))
    network.chain.refuses("SameAccountTwice", config.collect_fees(network.chain.program_id, vault))


def test_it_keeps_its_shape(network: Network) -> None:
    network.owe(fees=5)
    keeps_its_shape(network.chain, COLLECT_FEES, config.collect_fees(network.chain.program_id, network.treasury))
