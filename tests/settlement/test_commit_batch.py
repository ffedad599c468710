"""commit_batch: each root follows its predecessor, each number is used once, stake is locked for every leaf."""

from hashlib import sha256

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from proofgrid.errors import MalformedInput
from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.addresses import batch_address, batch_addresses, derivations
from proofgrid.settlement.instructions import batches, config, provers
from proofgrid.settlement.layout.batches import COMMIT_BATCH, LEAF_UNPAID, MAX_LEAVES, SEEDS, ZERO_ROOT
from proofgrid.settlement.layout.config import PARAMETERS as RECORD
from proofgrid.settlement.transactions import sign
from tests.settlement.altered import with_account
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.shape import keeps_its_shape

ROOTS = [sha256(bytes([i])).digest() for i in range(8)]
BOND = PARAMETERS.leaf_bond


@pytest.fixture
def prover(network: Network) -> Person:
    prover = network.prover(40, 10**6)
    network.chain.svm.airdrop(prover.hot.pubkey(), 10**11)
    return prover


def build(
    prover: Person, number: int, *, prev: bytes | None = None, root: bytes | None = None, leaves: int = 3
) -> Instruction:
    prev = prev if prev is not None else ROOTS[number - 1] if number else ZERO_ROOT
    return batches.commit_batch(
        prover.network.chain.program_id,
        prover.prover,
        prover.hot.pubkey(),
        number=number,
        prev_root=prev,
        root=ROOTS[number] if root is None else root,
        leaf_count=leaves,
    )


def commit(prover: Person, *built: Instruction) -> int:
    """Compute units."""
    return prover.network.chain.send(*built, signers=[prover.hot]).compute_units_consumed()


def refuses(prover: Person, name: str, built: Instruction) -> None:
    prover.network.chain.refuses(name, built, signers=[prover.hot])


def batch_of(prover: Person, number: int) -> BatchAccount:
    chain = prover.network.chain
    return BatchAccount.decode(chain.data(batch_address(chain.program_id, prover.prover, number)[0]))


def test_a_batch_holds_its_root_and_locks_stake(prover: Person) -> None:
    chain = prover.network.chain
    units = commit(prover, build(prover, 0))
    clock = chain.svm.get_clock()
    batch = batch_of(prover, 0)
    assert (batch.committer, batch.number) == (bytes(prover.prover), 0)
    assert (batch.prev_root, batch.root, batch.leaf_count) == (ZERO_ROOT, ROOTS[0], 3)
    assert (batch.slot, batch.unix_time_s) == (clock.slot, clock.unix_timestamp)
    assert batch.challenge_until_s == clock.unix_timestamp + PARAMETERS.challenge_window_s
    assert (batch.leaf_bond, batch.locked, batch.open_demands) == (BOND, 3 * BOND, 0)
    assert batch.bump == batch_address(chain.program_id, prover.prover, 0)[1]
    assert [batch.state(leaf) for leaf in range(3)] == [LEAF_UNPAID] * 3
    assert (prover.pool.next_number, prover.pool.latest_root, prover.pool.locked) == (1, ROOTS[0], 3 * BOND)
    assert units < 15_000


def test_successors_follow(prover: Person) -> None:
    for number in range(4):
        assert commit(prover, build(prover, number, leaves=number + 1)) < 15_000
    assert prover.pool.next_number == 4
    assert [batch_of(prover, number).prev_root for number in range(4)] == [ZERO_ROOT, *ROOTS[:3]]
    assert [batch_of(prover, number).root for number in range(4)] == ROOTS[:4]
    assert prover.pool.locked == 10 * BOND


@pytest.mark.parametrize("leaves", [1, 31, 32, 33, 1_024, MAX_LEAVES])
def test_batches_have_room_for_their_leaves(prover: Person, leaves: int) -> None:
    assert commit(prover, build(prover, 0, leaves=leaves)) < 15_000
    assert batch_of(prover, 0).state(leaves - 1) == LEAF_UNPAID


def test_two_batches_in_one_transaction(prover: Person) -> None:
    commit(prover, build(prover, 0), build(prover, 1))
    assert prover.pool.latest_root == ROOTS[1]


def test_transaction_is_small(prover: Person) -> None:
    blockhash = prover.network.chain.svm.latest_blockhash()
    transaction = sign([build(prover, 0)], [prover.hot], blockhash, compute_units=15_000)
    assert len(bytes(transaction)) < 450


@pytest.mark.parametrize("number", [0, 1])
def test_lamports_sent_beforehand_do_not_stop_it(prover: Person, number: int) -> None:
    chain = prover.network.chain
    for earlier in range(number):
        commit(prover, build(prover, earlier))
    address, _ = batch_address(chain.program_id, prover.prover, number)
    gift = TransferParams(from_pubkey=chain.payer.pubkey(), to_pubkey=address, lamports=900_000)
    chain.send(transfer(gift))
    assert commit(prover, build(prover, number)) < 15_000
    assert batch_of(prover, number).root == ROOTS[number]


def test_stake_must_stand_behind_every_leaf(prover: Person) -> None:
    network = prover.network
    network.edit_prover(prover, stake=1_050)
    refuses(prover, "StakeLocked", build(prover, 0, leaves=106))
    commit(prover, build(prover, 0, leaves=100))
    refuses(prover, "StakeLocked", build(prover, 1, leaves=6))
    commit(prover, build(prover, 1, leaves=5))
    network.edit_prover(prover, stake=990, locked=0)
    refuses(prover, "StakeTooSmall", build(prover, 2, leaves=1))


def test_committing_goes_on_while_the_network_is_stopped(prover: Person) -> None:
    network = prover.network
    stop = config.set_paused(network.chain.program_id, network.guardian.pubkey(), paused=True)
    network.chain.send(stop, signers=[network.guardian])
    commit(prover, build(prover, 0))


def test_wrong_predecessor_is_refused(prover: Person) -> None:
    refuses(prover, "WrongPredecessor", build(prover, 0, prev=ROOTS[5]))
    commit(prover, build(prover, 0))
    for prev in (ROOTS[5], ZERO_ROOT, ROOTS[0][:-1] + bytes([ROOTS[0][-1] ^ 1])):
        refuses(prover, "WrongPredecessor", build(prover, 1, prev=prev))


@pytest.mark.parametrize("number", [1, 2, 2**63, 2**64 - 1])
def test_number_ahead_is_refused(prover: Person, number: int) -> None:
    refuses(prover, "WrongBatchNumber", build(prover, number, prev=ZERO_ROOT, root=ROOTS[0]))


def test_replay_is_refused_and_harmless(prover: Person) -> None:
    commit(prover, build(prover, 0))
    refuses(prover, "BatchAlreadyCommitted", build(prover, 0))
    refuses(prover, "BatchAlreadyCommitted", build(prover, 0, prev=ROOTS[0], root=ROOTS[1]))
    commit(prover, build(prover, 1))
    refuses(prover, "BatchAlreadyCommitted", build(prover, 0))


@pytest.mark.parametrize(
    ("name", "leaves"), [("EmptyBatch", 0), ("TooManyLeaves", MAX_LEAVES + 1), ("TooManyLeaves", 2**32 - 1)]
)
def test_leaf_counts_have_their_bounds(prover: Person, name: str, leaves: int) -> None:
    refuses(prover, name, build(prover, 0, leaves=leaves))


def test_zero_root_is_refused(prover: Person) -> None:
    refuses(prover, "ZeroRoot", build(prover, 0, root=ZERO_ROOT))
    commit(prover, build(prover, 0, root=bytes(31) + b"\1"))


def test_only_the_hot_key_commits(prover: Person) -> None:
    chain = prover.network.chain
    stranger = chain.fund(9)
    for key in (stranger, prover.keypair):
        chain.refuses("NotSigner", with_account(build(prover, 0), 0, key.pubkey()), signers=[key])
    honest = build(prover, 0)
    unsigned = [AccountMeta(prover.hot.pubkey(), False, True), *honest.accounts[1:]]
    chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, unsigned), signers=[stranger])


def test_a_key_that_was_rotated_commits_no_more(prover: Person) -> None:
    chain, fresh = prover.network.chain, Keypair()
    update = provers.update_prover(chain.program_id, prover.key, signer=fresh.pubkey(), payout=prover.tokens)
    chain.send(update, signers=[prover.keypair])
    refuses(prover, "NotSigner", build(prover, 0))


def test_provers_do_not_meet(prover: Person) -> None:
    other = prover.network.prover(41, 10**6)
    prover.network.chain.svm.airdrop(other.hot.pubkey(), 10**10)
    commit(prover, build(prover, 0))
    commit(other, build(other, 0, root=ROOTS[3]))
    assert (prover.pool.latest_root, other.pool.latest_root) == (ROOTS[0], ROOTS[3])


def test_wrong_accounts_are_refused(prover: Person) -> None:
    chain, honest = prover.network.chain, build(prover, 0)
    refuses(prover, "WrongConfigAccount", with_account(honest, 1, prover.prover))
    refuses(prover, "WrongProverAccount", with_account(honest, 2, prover.tokens))
    successor, _ = batch_address(chain.program_id, prover.prover, 1)
    for address in (Pubkey.new_unique(), successor):
        refuses(prover, "WrongBatchAddress", with_account(honest, 3, address))
    refuses(prover, "WrongSystemProgram", with_account(honest, 4, chain.program_id))
    refuses(prover, "MissingAccount", Instruction(chain.program_id, honest.data, honest.accounts[:4]))
    refuses(prover, "MalformedInstruction", Instruction(chain.program_id, honest.data[:-1], honest.accounts))
    refuses(prover, "MalformedInstruction", Instruction(chain.program_id, honest.data + b"\0", honest.accounts))
    for index in (2, 3):
        metas = list(honest.accounts)
        metas[index] = AccountMeta(metas[index].pubkey, False, False)
        refuses(prover, "AccountNotWritable", Instruction(chain.program_id, honest.data, metas))


def test_wrong_bump_is_refused(prover: Person) -> None:
    honest = build(prover, 0)
    at = COMMIT_BATCH.arguments.offset("batch_bump")
    for bump in {0, 255, honest.data[at] - 1} - {honest.data[at]}:
        data = honest.data[:at] + bytes([bump]) + honest.data[at + 1 :]
        refuses(prover, "WrongBatchAddress", Instruction(honest.program_id, data, honest.accounts))


def test_one_number_has_one_batch_whatever_its_bump(prover: Person) -> None:
    """A committer may choose another bump, but cannot commit the number again, and readers know where to look."""
    chain = prover.network.chain
    canonical, *_, last = batch_addresses(chain.program_id, prover.prover, 0)
    assert canonical == batch_address(chain.program_id, prover.prover, 0)
    seeds = [SEEDS["batch"], bytes(prover.prover), bytes(8)]
    assert derivations(chain.program_id, *seeds)[0] == canonical
    honest, at = build(prover, 0), COMMIT_BATCH.arguments.offset("batch_bump")
    data = honest.data[:at] + bytes([last[1]]) + honest.data[at + 1 :]
    metas = [*honest.accounts[:3], AccountMeta(last[0], False, True), honest.accounts[4]]
    commit(prover, Instruction(chain.program_id, data, metas))
    refuses(prover, "BatchAlreadyCommitted", honest)


def test_a_poor_signer_is_told(network: Network) -> None:
    poor = network.prover(42, 10**6)
    network.chain.svm.airdrop(poor.hot.pubkey(), 2_000_000)
    refuses(poor, "InsufficientFunds", build(poor, 0))


def test_builder_refuses_what_cannot_be_encoded(prover: Person) -> None:
    for values in ({"root": b"short"}, {"leaves": 2**32}, {"leaves": -1}):
        with pytest.raises(MalformedInput):
            build(prover, 0, **values)  # type: ignore[arg-type]
    with pytest.raises(MalformedInput):
        build(prover, 2**64, prev=ZERO_ROOT, root=ROOTS[0])


def test_the_least_stake_is_enough(prover: Person) -> None:
    prover.network.edit_prover(prover, stake=1_000, shares=10**6)
    commit(prover, build(prover, 0, leaves=100))
    assert prover.pool.locked == 1_000


def test_bonds_do_not_overflow(prover: Person) -> None:
    rules = PARAMETERS.model_dump() | {"leaf_bond": 2**63}
    prover.network.edit_config(parameters=RECORD.encode(rules))
    refuses(prover, "Overflow", build(prover, 0, leaves=2))


def test_it_keeps_its_shape(prover: Person) -> None:
    keeps_its_shape(prover.network.chain, COMMIT_BATCH, build(prover, 0), [prover.hot], creates=True)
