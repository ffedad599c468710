"""vote: a pool's active stake votes once, while the vote is open."""

from solders.instruction import AccountMeta, Instruction

from proofgrid.settlement.layout.governance import VOTE
from tests.settlement.altered import with_account
from tests.settlement.ballots import VOTE_S, propose, vote
from tests.settlement.network import Network, Person
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


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    network.chain.send(propose(network, large), signers=[large.keypair])
    keeps_its_shape(network.chain, VOTE, vote(network, large), [large.keypair], creates=True)
