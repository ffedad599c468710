"""burn: what was slashed leaves the supply, once."""

from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout.config import BURN
from tests.settlement.altered import with_account
from tests.settlement.chains import Chain
from tests.settlement.network import Network
from tests.settlement.shape import keeps_its_shape


def test_burned_tokens_leave_the_supply_once(chain: Chain) -> None:
    network = Network.on(chain)
    network.owe(burned=70)
    before = chain.svm.get_account(network.mint)
    burn = config.burn(chain.program_id, network.mint)
    chain.refuses("WrongMint", config.burn(chain.program_id, network.treasury))
    chain.refuses("WrongVault", with_account(burn, 1, network.token_account(chain.payer.pubkey())))
    chain.send(burn)
    after = chain.svm.get_account(network.mint)
    assert before is not None
    assert after is not None
    assert int.from_bytes(before.data[36:44], "little") - int.from_bytes(after.data[36:44], "little") == 70
    assert (network.vault, network.config.burned) == (0, 0)
    chain.refuses("NothingToCollect", burn)


def test_it_keeps_its_shape(network: Network) -> None:
    network.owe(burned=5)
    keeps_its_shape(network.chain, BURN, config.burn(network.chain.program_id, network.mint))
