"""propose, vote, execute: the stake changes parameters, roles and permissions, once, and not before its time."""

import pytest
from solders.instruction import AccountMeta, Instruction
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
from proofgrid.settlement.layout.config import PARAMETERS as RECORD
from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    DENY_BATCHES,
    DENY_REQUESTS,
    PROPOSE,
)
from proofgrid.settlement.parameters import Parameters
from tests.settlement.conftest import Chain
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.test_config import with_account

CHEAPER = Parameters(**(PARAMETERS.model_dump() | {"fee_bps": 1, "min_stake": 500}))
VOTE_S, DELAY_S = PARAMETERS.vote_window_s, PARAMETERS.execute_delay_s


@pytest.fixture
def network(chain: Chain) -> Network:
    return Network.on(chain)


@pytest.fixture
def large(network: Network) -> Person:
    return network.prover(20, 6_000)


@pytest.fixture
def small(network: Network) -> Person:
    return network.prover(21, 4_000)


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


def test_voting_ends(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    network.pass_time(VOTE_S)
    network.chain.refuses("VotingOver", vote(network, large), signers=[large.keypair])


def test_nobody_votes_twice(network: Network, large: Person) -> None:
    chain = network.chain
    chain.send(propose(network, large), signers=[large.keypair])
    chain.send(vote(network, large), signers=[large.keypair])
    for in_favour in (True, False):
        chain.refuses("AlreadyVoted", vote(network, large, in_favour=in_favour), signers=[large.keypair])


def test_stake_that_voted_cannot_come_back_and_vote_again(network: Network, large: Person) -> None:
    """It leaves after the exit window, which ends when the proposal can no longer be voted on."""
    chain = network.chain
    chain.send(propose(network, large), signers=[large.keypair])
    chain.send(vote(network, large), signers=[large.keypair])
    chain.send(large.exit(large, 6_000_000), signers=[large.keypair])
    network.pass_time(VOTE_S)
    chain.refuses("ExitWindowOpen", large.withdraw(large), signers=[large.keypair])


def test_what_exits_does_not_vote(network: Network, large: Person, small: Person) -> None:
    chain = network.chain
    chain.send(propose(network, small), signers=[small.keypair])
    chain.send(large.exit(large, 4_000_000), signers=[large.keypair])
    chain.send(vote(network, large), signers=[large.keypair])
    assert network.proposal(0).votes_for == 2_000
    chain.send(small.exit(small, 4_000_000), signers=[small.keypair])
    chain.refuses("StakeTooSmall", vote(network, small), signers=[small.keypair])


def test_little_stake_does_not_propose(network: Network) -> None:
    poor = network.prover(22, 999)
    network.chain.refuses("StakeTooSmall", propose(network, poor), signers=[poor.keypair])
    poor.stake(poor, 1)
    network.chain.send(propose(network, poor), signers=[poor.keypair])


def test_only_the_owner_proposes_and_votes(network: Network, large: Person, small: Person) -> None:
    chain, hot = network.chain, large.hot
    chain.svm.airdrop(hot.pubkey(), 10**9)
    chain.send(propose(network, large), signers=[large.keypair])
    for thief in (hot, small.keypair):
        chain.refuses("NotOwner", with_account(propose(network, large, 1), 0, thief.pubkey()), signers=[thief])
        chain.refuses("NotOwner", with_account(vote(network, large), 0, thief.pubkey()), signers=[thief])
    honest = vote(network, large)
    unsigned = [AccountMeta(large.key, False, True), *honest.accounts[1:]]
    chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, unsigned))


def test_proposals_have_their_numbers(network: Network, large: Person) -> None:
    chain = network.chain
    chain.refuses("WrongProposalAddress", propose(network, large, 1), signers=[large.keypair])
    chain.send(propose(network, large), signers=[large.keypair])
    chain.refuses("WrongProposalAddress", propose(network, large), signers=[large.keypair])
    chain.send(propose(network, large, 1), signers=[large.keypair])
    assert network.config.next_proposal == 2


def with_data(honest: Instruction, data: bytes) -> Instruction:
    return Instruction(honest.program_id, data, honest.accounts)


def test_what_cannot_be_is_not_proposed(network: Network, large: Person) -> None:
    chain, honest = network.chain, propose(network, large)
    kind, change = PROPOSE.arguments.offset("kind"), PROPOSE.arguments.offset("change")
    for unknown in (0, 4, 255):
        data = honest.data[:kind] + bytes([unknown]) + honest.data[kind + 1 :]
        chain.refuses("UnknownChange", with_data(honest, data), signers=[large.keypair])
    greedy = RECORD.encode(CHEAPER.model_dump() | {"fee_bps": 1_001})
    chain.refuses("ParameterOutOfRange", with_data(honest, honest.data[:change] + greedy), signers=[large.keypair])
    digest = bytes(range(32))
    permission = governance.propose_permission(chain.program_id, large.key, 0, digest, 4)
    chain.refuses("ParameterOutOfRange", permission, signers=[large.keypair])
    two = vote(network, large)
    chain.send(honest, signers=[large.keypair])
    chain.refuses("MalformedFlag", with_data(two, two.data[:1] + b"\2" + two.data[2:]), signers=[large.keypair])


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
