"""propose: an owner with enough stake proposes what the program's own bounds allow."""

from proofgrid.settlement.accounts import ProposalAccount
from proofgrid.settlement.addresses import proposal_address
from proofgrid.settlement.instructions import governance
from proofgrid.settlement.layout.config import PARAMETERS as RECORD
from proofgrid.settlement.layout.governance import CHANGE_PARAMETERS, PROPOSE
from tests.settlement.altered import with_account, with_data
from tests.settlement.ballots import CHEAPER, DELAY_S, VOTE_S, propose, vote
from tests.settlement.network import TOP, Network, Person
from tests.settlement.shape import keeps_its_shape


def test_little_stake_does_not_propose(network: Network) -> None:
    poor = network.prover(22, 999)
    network.chain.refuses("StakeTooSmall", propose(network, poor), signers=[poor.keypair])
    poor.stake(poor, 1)
    network.chain.send(propose(network, poor), signers=[poor.keypair])


def test_proposals_have_their_numbers(network: Network, large: Person) -> None:
    chain = network.chain
    chain.refuses("WrongProposalAddress", propose(network, large, 1), signers=[large.keypair])
    chain.send(propose(network, large), signers=[large.keypair])
    chain.refuses("WrongProposalAddress", propose(network, large), signers=[large.keypair])
    chain.send(propose(network, large, 1), signers=[large.keypair])
    assert network.config.next_proposal == 2


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


def test_only_the_owner_proposes(network: Network, large: Person, small: Person) -> None:
    for thief in (large.hot, small.keypair):
        network.chain.svm.airdrop(thief.pubkey(), 10**9)
        stolen = with_account(propose(network, large), 0, thief.pubkey())
        network.chain.refuses("NotOwner", stolen, signers=[thief])


def test_a_pool_that_cannot_be_is_refused(network: Network, large: Person) -> None:
    network.edit_prover(large, stake=TOP)
    network.chain.refuses("Overflow", propose(network, large), signers=[large.keypair])


def test_a_proposal_is_written_down(network: Network, large: Person) -> None:
    now = network.chain.svm.get_clock().unix_timestamp
    network.chain.send(propose(network, large), signers=[large.keypair])
    _, bump = proposal_address(network.chain.program_id, 0)
    assert network.proposal(0) == ProposalAccount(
        proposer=bytes(large.prover),
        number=0,
        votes_for=0,
        votes_against=0,
        vote_until_s=now + VOTE_S,
        execute_from_s=now + VOTE_S + DELAY_S,
        execute_until_s=now + 2 * VOTE_S + DELAY_S,
        change=RECORD.encode(CHEAPER.model_dump()),
        kind=CHANGE_PARAMETERS,
        executed=0,
        bump=bump,
    )


def test_it_keeps_its_shape(network: Network, large: Person) -> None:
    keeps_its_shape(network.chain, PROPOSE, propose(network, large), [large.keypair], creates=True)
