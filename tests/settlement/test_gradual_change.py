"""What security rests on shrinks to no less than half in one vote."""

import pytest

from proofgrid.settlement.instructions import governance
from proofgrid.settlement.parameters import Parameters
from tests.settlement.conftest import Chain
from tests.settlement.network import PARAMETERS, Network

GUARDED = ("min_stake", "leaf_bond", "job_bond", "demand_bond", "challenge_window_s", "reveal_window_s")
GUARDED += ("claim_window_s", "exit_window_s", "vote_window_s", "execute_delay_s")
ODD = Parameters(**(PARAMETERS.model_dump() | {name: getattr(PARAMETERS, name) // 2 * 2 + 1 for name in GUARDED}))


@pytest.mark.parametrize("name", GUARDED)
def test_no_window_and_no_bond_is_more_than_halved(chain: Chain, name: str) -> None:
    # Given a window or a bond of an odd size, and two accepted changes of it: to half, and to one less
    network = Network.on(chain, ODD)
    owner = network.prover(20, 6_000)
    half = (getattr(ODD, name) + 1) // 2
    changes = [Parameters(**(ODD.model_dump() | {name: value})) for value in (half - 1, half)]
    for number, change in enumerate(changes):
        chain.send(
            governance.propose_parameters(chain.program_id, owner.key, number, change),
            governance.vote(chain.program_id, owner.key, number, in_favour=True),
            signers=[owner.keypair],
        )
    network.pass_time(ODD.vote_window_s + ODD.execute_delay_s)
    too_large, gradual = (
        governance.execute(chain.program_id, chain.payer.pubkey(), number) for number in range(len(changes))
    )
    # Then the one is refused, and the other takes effect
    chain.refuses("ChangeTooLarge", too_large)
    chain.send(gradual)
    assert network.config.rules == changes[1]
