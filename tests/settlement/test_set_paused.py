"""set_paused: the guardian stops new money and lets it in again, and nobody else."""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import (
    config_address,
)
from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout.config import SET_PAUSED
from tests.settlement.altered import with_account
from tests.settlement.chains import Chain
from tests.settlement.network import Network
from tests.settlement.shape import keeps_its_shape


def test_the_guardian_stops_and_starts(chain: Chain) -> None:
    network = Network.on(chain)
    guardian = network.guardian
    for paused in (True, True, False):
        chain.send(config.set_paused(chain.program_id, guardian.pubkey(), paused=paused), signers=[guardian])
        assert network.config.paused == paused


def test_nobody_else_stops(chain: Chain) -> None:
    network = Network.on(chain)
    chain.refuses("NotGuardian", config.set_paused(chain.program_id, chain.payer.pubkey(), paused=True))
    honest = config.set_paused(chain.program_id, network.guardian.pubkey(), paused=True)
    unsigned = [AccountMeta(network.guardian.pubkey(), False, False), honest.accounts[1]]
    chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, unsigned))
    two = Instruction(chain.program_id, honest.data[:-1] + b"\2", honest.accounts)
    chain.refuses("MalformedFlag", two, signers=[network.guardian])
    forged = Pubkey.new_unique()
    chain.forge(forged, chain.data(config_address(chain.program_id)[0]), Pubkey.new_unique())
    chain.refuses("WrongConfigAccount", with_account(honest, 1, forged), signers=[network.guardian])


def test_it_keeps_its_shape(network: Network) -> None:
    honest = config.set_paused(network.chain.program_id, network.guardian.pubkey(), paused=True)
    keeps_its_shape(network.chain, SET_PAUSED, honest, [network.guardian])
