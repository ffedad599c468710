"""execute: what was accepted takes effect, once, and not before its time."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import PermissionAccount, VoteAccount
from proofgrid.settlement.addresses import (
    config_address,
    permission_address,
    proposal_address,
    vault_address,
    vote_address,
)
from proofgrid.settlement.instructions import governance
from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    DENY_BATCHES,
    DENY_REQUESTS,
    EXECUTE,
)
from proofgrid.settlement.parameters import Parameters
from tests.settlement.altered import with_account
from tests.settlement.ballots import CHEAPER, DELAY_S, VOTE_S, accept, execute, propose, vote
from tests.settlement.chains import Chain
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.shape import keeps_its_shape

GUARDED = ("min_stake", "leaf_bond", "job_bond", "demand_bond", "challenge_window_s", "reveal_window_s")
GUARDED += ("claim_window_s", "exit_window_s", "vote_window_s", "execute_delay_s")
ODD = Parameters(
    **(
        PARAMETERS.model_dump()
        | {name: getattr(PARAMETERS, name) // 2 * 2 + 1 for name in GUARDED}
        | {"exit_window_s": 2001}
    )
)


def test_the_stake_changes_the_parameters(network: Network, large: Person, small: Person) -> None:
    chain = network.chain
    now = chain.svm.get_clock().unix_timestamp
    chain.send(propose(network, large), signers=[large.keypair])
    made = network.proposal(0)
    assert (made.proposer, made.number, made.kind, made.executed) == (bytes(large.prover), 0, CHANGE_PARAMETERS, 0)
    assert (made.vote_until_s, made.execute_from_s) == (now + VOTE_S, now + VOTE_S + DELAY_S)
    assert made.execute_until_s == now + 2 * VOTE_S + DELAY_S
    assert network.config.next_proposal == 1

    chain.send(vote(network, large), signers=[large.keypair])
    chain.send(vote(network, small, in_favour=False), signers=[small.keypair])
    assert (network.proposal(0).votes_for, network.proposal(0).votes_against) == (6_000, 4_000)
    at, _ = vote_address(chain.program_id, proposal_address(chain.program_id, 0)[0], small.prover)
    record = VoteAccount.decode(chain.data(at))
    assert (record.prover, record.proposal, record.weight, record.in_favour) == (bytes(small.prover), 0, 4_000, 0)

    network.pass_time(VOTE_S + DELAY_S - 1)
    chain.refuses("NotYetExecutable", execute(network))
    network.pass_time(1)
    assert network.config.rules == PARAMETERS
    chain.send(execute(network))
    assert network.config.rules == CHEAPER
    chain.refuses("AlreadyExecuted", execute(network))


def test_more_against_than_for_is_a_no(network: Network, large: Person, small: Person) -> None:
    chain = network.chain
    chain.send(propose(network, small), signers=[small.keypair])
    chain.send(vote(network, small), signers=[small.keypair])
    chain.send(vote(network, large, in_favour=False), signers=[large.keypair])
    network.pass_time(VOTE_S + DELAY_S)
    chain.refuses("ProposalRejected", execute(network))


def test_a_draw_and_silence_are_a_no(network: Network, large: Person) -> None:
    chain, equal = network.chain, network.prover(22, 6_000)
    chain.send(propose(network, large), signers=[large.keypair])
    chain.send(propose(network, large, 1), signers=[large.keypair])
    chain.send(vote(network, large), signers=[large.keypair])
    chain.send(vote(network, equal, in_favour=False), signers=[equal.keypair])
    network.pass_time(VOTE_S + DELAY_S)
    for number in (0, 1):
        chain.refuses("ProposalRejected", execute(network, number))


@pytest.mark.parametrize(("others", "accepted"), [(14_000, True), (14_010, False)])
def test_a_quorum_must_vote_for_it(network: Network, large: Person, others: int, accepted: bool) -> None:
    # quorum 30 %: 6,000 of 20,000, and 6,000 of 20,010 (6,003 needed)
    network.prover(22, others)
    accept(network, propose(network, large), large)
    if accepted:
        network.chain.send(execute(network))
    else:
        network.chain.refuses("ProposalRejected", execute(network))


def test_a_proposal_expires(network: Network, large: Person) -> None:
    accept(network, propose(network, large), large)
    network.pass_time(VOTE_S - 1)
    assert network.config.rules == PARAMETERS
    network.pass_time(1)
    network.chain.refuses("ProposalExpired", execute(network))


def test_the_stake_changes_the_roles(network: Network, large: Person) -> None:
    chain, guardian = network.chain, Keypair()
    treasury = network.token_account(large.key)
    change = governance.propose_roles(chain.program_id, large.key, 0, guardian.pubkey(), treasury)
    accept(network, change, large)
    assert network.proposal(0).kind == CHANGE_ROLES
    other = network.token_account(large.key)
    chain.refuses("WrongTokenAccount", execute(network, treasury=other))
    chain.send(execute(network, treasury=treasury))
    assert (network.config.guardian, network.config.treasury) == (bytes(guardian.pubkey()), bytes(treasury))


@pytest.mark.parametrize("kind", ["vault", "other mint", "nothing"])
def test_a_treasury_that_cannot_be_is_refused(network: Network, large: Person, kind: str) -> None:
    chain = network.chain
    treasury = {
        "vault": vault_address(chain.program_id)[0],
        "other mint": network.token_account(large.key, mint=Pubkey.new_unique()),
        "nothing": Pubkey.new_unique(),
    }[kind]
    accept(network, governance.propose_roles(chain.program_id, large.key, 0, large.key, treasury), large)
    chain.refuses("WrongTokenAccount", execute(network, treasury=treasury))


def test_the_stake_changes_permissions(network: Network, large: Person) -> None:
    chain, digest = network.chain, bytes(range(32))
    at, bump = permission_address(chain.program_id, digest)
    for number, denied in enumerate((DENY_REQUESTS | DENY_BATCHES, DENY_BATCHES, 0)):
        change = governance.propose_permission(chain.program_id, large.key, number, digest, denied)
        accept(network, change, large, number)
        assert network.proposal(number).kind == CHANGE_PERMISSION
        chain.refuses("WrongPermissionAddress", execute(network, number, digest=bytes(32)))
        chain.send(execute(network, number, digest=digest))
        assert PermissionAccount.decode(chain.data(at)) == PermissionAccount(digest=digest, denied=denied, bump=bump)


def test_wrong_accounts_are_refused(network: Network, large: Person) -> None:
    chain, config = network.chain, config_address(network.chain.program_id)[0]
    honest = propose(network, large)
    chain.refuses("WrongProverAccount", with_account(honest, 1, config), signers=[large.keypair])
    chain.refuses("WrongConfigAccount", with_account(honest, 2, large.prover), signers=[large.keypair])
    chain.refuses("WrongSystemProgram", with_account(honest, 4, config), signers=[large.keypair])
    chain.send(honest, signers=[large.keypair])
    ballot = vote(network, large)
    chain.refuses("WrongProposalAccount", with_account(ballot, 2, large.prover), signers=[large.keypair])
    chain.refuses("WrongVoteAddress", with_account(ballot, 3, Pubkey.new_unique()), signers=[large.keypair])
    chain.send(ballot, signers=[large.keypair])
    network.pass_time(VOTE_S + DELAY_S)
    chain.refuses("WrongProposalAccount", with_account(execute(network), 2, large.prover))
    chain.refuses("WrongConfigAccount", with_account(execute(network), 1, large.prover))
    chain.send(execute(network))


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


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    digest = bytes(range(32))
    change = governance.propose_permission(network.chain.program_id, large.key, 0, digest, DENY_BATCHES)
    accept(network, change, large)
    keeps_its_shape(network.chain, EXECUTE, execute(network, digest=digest), [network.chain.payer], creates=True)


def test_a_change_makes_older_proposals_of_parameters_outdated(network: Network, large: Person) -> None:
    # Given two accepted changes of parameters and one of a permission, all open at once
    chain = network.chain
    half = Parameters(**(CHEAPER.model_dump() | {"min_stake": 250}))
    changes = [
        propose(network, large),
        propose(network, large, 1, half),
        governance.propose_permission(chain.program_id, large.key, 2, bytes(32), DENY_BATCHES),
    ]
    for number, change in enumerate(changes):
        chain.send(change, vote(network, large, number), signers=[large.keypair])
    network.pass_time(VOTE_S + DELAY_S)
    # When the first takes effect
    chain.send(execute(network))
    assert network.config.current_from == 3
    # Then the second does not, whatever it says, and the permission does
    chain.refuses("ProposalOutdated", execute(network, 1))
    chain.send(execute(network, 2, digest=bytes(32)))
    # And it may be proposed again
    accept(network, propose(network, large, 3, half), large, 3)
    chain.send(execute(network, 3))
    assert (network.config.rules, network.config.current_from) == (half, 4)
