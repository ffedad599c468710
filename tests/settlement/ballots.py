"""Proposals and votes on a network."""

from solders.instruction import Instruction

from proofgrid.settlement.instructions import governance
from proofgrid.settlement.parameters import Parameters
from tests.settlement.network import PARAMETERS, Network, Person

CHEAPER = Parameters(**(PARAMETERS.model_dump() | {"fee_bps": 1, "min_stake": 500}))
VOTE_S, DELAY_S = PARAMETERS.vote_window_s, PARAMETERS.execute_delay_s


def propose(network: Network, by: Person, number: int = 0, parameters: Parameters = CHEAPER) -> Instruction:
    return governance.propose_parameters(network.chain.program_id, by.key, number, parameters)


def vote(network: Network, by: Person, number: int = 0, *, in_favour: bool = True) -> Instruction:
    return governance.vote(network.chain.program_id, by.key, number, in_favour=in_favour)


def execute(network: Network, number: int = 0, **subject: object) -> Instruction:
    return governance.execute(network.chain.program_id, network.chain.payer.pubkey(), number, **subject)


def accept(network: Network, change: Instruction, by: Person, number: int = 0) -> None:
    network.chain.send(change, signers=[by.keypair])
    network.chain.send(vote(network, by, number), signers=[by.keypair])
    network.pass_time(VOTE_S + DELAY_S)
