"""vote: a pool's active stake votes once, while the vote is open."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import VoteAccount
from proofgrid.settlement.addresses import proposal_address, vote_address
from proofgrid.settlement.layout.governance import PROPOSAL_ACCOUNT, VOTE
from tests.settlement.altered import with_account, with_byte
from tests.settlement.ballots import VOTE_S, propose, vote
from tests.settlement.network import TOP, Network, Person
from tests.settlement.shape import keeps_its_shape


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


@pytest.mark.parametrize("pool", [{"stake": TOP}, {"shares": TOP}])
def test_a_pool_that_cannot_be_is_refused(network: Network, large: Person, pool: dict[str, int]) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    network.edit_prover(large, **pool)
    network.chain.refuses("Overflow", vote(network, large), signers=[large.keypair])


@pytest.mark.parametrize("in_favour", [True, False])
def test_votes_do_not_overflow(network: Network, large: Person, in_favour: bool) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    at, _ = proposal_address(network.chain.program_id, 0)
    network.chain.edit(at, PROPOSAL_ACCOUNT, votes_for=TOP - 5_999, votes_against=TOP - 5_999)
    network.chain.refuses("Overflow", vote(network, large, in_favour=in_favour), signers=[large.keypair])


def test_the_vote_is_written_down(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    network.pass_time(VOTE_S - 1)
    network.chain.send(vote(network, large), signers=[large.keypair])
    at, bump = vote_address(network.chain.program_id, proposal_address(network.chain.program_id, 0)[0], large.prover)
    assert VoteAccount.decode(network.chain.data(at)) == VoteAccount(
        prover=bytes(large.prover), proposal=0, weight=6_000, in_favour=1, bump=bump
    )


def test_a_pool_without_stake_does_not_vote(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    idle = network.prover(23)
    network.chain.refuses("StakeTooSmall", vote(network, idle), signers=[idle.keypair])


def test_what_is_no_vote_is_refused(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    honest = vote(network, large)
    at = VOTE.arguments.offset("in_favour")
    network.chain.refuses("MalformedFlag", with_byte(honest, at, 2), signers=[large.keypair])
    elsewhere = with_account(honest, 3, Pubkey.new_unique())
    network.chain.refuses("WrongVoteAddress", elsewhere, signers=[large.keypair])


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    keeps_its_shape(network.chain, VOTE, vote(network, large), [large.keypair], creates=True)
