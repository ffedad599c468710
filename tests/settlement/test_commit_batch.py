"""commit_batch: each root follows its predecessor, each number is used once."""

from hashlib import sha256

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from proofgrid.errors import MalformedInput
from proofgrid.settlement.accounts import BatchAccount, LogAccount
from proofgrid.settlement.addresses import batch_address, batch_addresses, derivations, log_address
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import COMMIT_BATCH, SEEDS, ZERO_ROOT
from proofgrid.settlement.transactions import sign
from tests.settlement.conftest import Chain

ROOTS = [sha256(bytes([i])).digest() for i in range(8)]


def build(
    chain: Chain,
    number: int,
    *,
    prev: bytes | None = None,
    root: bytes | None = None,
    leaves: int = 3,
    by: Keypair | None = None,
) -> Instruction:
    prev = prev if prev is not None else ROOTS[number - 1] if number else ZERO_ROOT
    return batches.commit_batch(
        chain.program_id,
        (by or chain.payer).pubkey(),
        number=number,
        prev_root=prev,
        root=ROOTS[number] if root is None else root,
        leaf_count=leaves,
    )


def log_of(chain: Chain, committer: Pubkey | None = None) -> LogAccount:
    return LogAccount.decode(chain.data(log_address(chain.program_id, committer or chain.payer.pubkey())[0]))


def batch_of(chain: Chain, number: int) -> BatchAccount:
    return BatchAccount.decode(chain.data(batch_address(chain.program_id, chain.payer.pubkey(), number)[0]))


def test_first_batch_opens_the_log(chain: Chain) -> None:
    # When a committer commits its first root
    result = chain.send(build(chain, 0))
    # Then the batch holds it, the log points behind it
    clock, committer = chain.svm.get_clock(), chain.payer.pubkey()
    _, bump = batch_address(chain.program_id, committer, 0)
    expected = BatchAccount(bytes(committer), 0, ZERO_ROOT, ROOTS[0], clock.slot, clock.unix_timestamp, 3, bump)
    assert batch_of(chain, 0) == expected
    _, bump = log_address(chain.program_id, committer)
    assert log_of(chain) == LogAccount(bytes(committer), 1, ROOTS[0], bump)
    assert result.compute_units_consumed() < 30_000


def test_successors_follow(chain: Chain) -> None:
    for number in range(4):
        result = chain.send(build(chain, number, leaves=2**32 - 1))
        assert result.compute_units_consumed() < 15_000
    assert log_of(chain).next_number == 4
    assert [batch_of(chain, number).prev_root for number in range(4)] == [ZERO_ROOT, *ROOTS[:3]]
    assert [batch_of(chain, number).root for number in range(4)] == ROOTS[:4]


def test_two_batches_in_one_transaction(chain: Chain) -> None:
    chain.send(build(chain, 0), build(chain, 1))
    assert log_of(chain).latest_root == ROOTS[1]


def test_transaction_is_small(chain: Chain) -> None:
    transaction = sign([build(chain, 0)], [chain.payer], chain.svm.latest_blockhash(), compute_units=10_000)
    assert len(bytes(transaction)) < 400


@pytest.mark.parametrize("number", [0, 1])
def test_lamports_sent_beforehand_do_not_stop_it(chain: Chain, number: int) -> None:
    for earlier in range(number):
        chain.send(build(chain, earlier))
    for address in (
        log_address(chain.program_id, chain.payer.pubkey())[0],
        batch_address(chain.program_id, chain.payer.pubkey(), number)[0],
    ):
        chain.send(transfer(TransferParams(from_pubkey=chain.payer.pubkey(), to_pubkey=address, lamports=900_000)))
    result = chain.send(build(chain, number))
    assert batch_of(chain, number).root == ROOTS[number]
    # The first commit looks for the log's canonical bump: 1,500 for each miss, whatever the address brings.
    assert result.compute_units_consumed() < (15_000 if number else 30_000)


def test_wrong_predecessor_is_refused(chain: Chain) -> None:
    chain.refuses("WrongPredecessor", build(chain, 0, prev=ROOTS[5]))
    chain.send(build(chain, 0))
    for prev in (ROOTS[5], ZERO_ROOT, ROOTS[0][:-1] + bytes([ROOTS[0][-1] ^ 1])):
        chain.refuses("WrongPredecessor", build(chain, 1, prev=prev))


@pytest.mark.parametrize("number", [1, 2, 2**63, 2**64 - 1])
def test_number_ahead_is_refused(chain: Chain, number: int) -> None:
    chain.refuses("WrongBatchNumber", build(chain, number, prev=ZERO_ROOT, root=ROOTS[0]))


def test_replay_is_refused_and_harmless(chain: Chain) -> None:
    chain.send(build(chain, 0))
    chain.refuses("BatchAlreadyCommitted", build(chain, 0))
    chain.refuses("BatchAlreadyCommitted", build(chain, 0, prev=ROOTS[0], root=ROOTS[1]))
    chain.send(build(chain, 1))
    chain.refuses("BatchAlreadyCommitted", build(chain, 0))


def test_empty_batch_is_refused(chain: Chain) -> None:
    chain.refuses("EmptyBatch", build(chain, 0, leaves=0))


def test_zero_root_is_refused(chain: Chain) -> None:
    chain.refuses("ZeroRoot", build(chain, 0, root=ZERO_ROOT))
    chain.send(build(chain, 0, root=bytes(31) + b"\1"))


def altered(chain: Chain, number: int, index: int, meta: AccountMeta) -> Instruction:
    honest = build(chain, number)
    accounts = list(honest.accounts)
    accounts[index] = meta
    return Instruction(chain.program_id, honest.data, accounts)


def test_committer_must_sign(chain: Chain) -> None:
    stranger = chain.fund(9)
    unsigned = AccountMeta(chain.payer.pubkey(), False, True)
    chain.refuses("MissingSignature", altered(chain, 0, 0, unsigned), signers=[stranger])


def test_another_signer_cannot_write_this_log(chain: Chain) -> None:
    chain.send(build(chain, 0))
    stranger = chain.fund(9)
    theirs = AccountMeta(stranger.pubkey(), True, True)
    chain.refuses("WrongLogAddress", altered(chain, 1, 0, theirs), signers=[stranger])


def test_committers_do_not_meet(chain: Chain) -> None:
    stranger = chain.fund(9)
    chain.send(build(chain, 0))
    chain.send(build(chain, 0, root=ROOTS[3], by=stranger), signers=[stranger])
    assert log_of(chain).latest_root == ROOTS[0]
    assert log_of(chain, stranger.pubkey()).latest_root == ROOTS[3]


def test_wrong_log_is_refused(chain: Chain) -> None:
    # an empty account elsewhere
    chain.refuses("WrongLogAddress", altered(chain, 0, 1, AccountMeta(Pubkey.new_unique(), False, True)))
    chain.send(build(chain, 0))
    genuine, _ = log_address(chain.program_id, chain.payer.pubkey())
    # the same bytes under another owner
    forged = Pubkey.new_unique()
    chain.forge(forged, chain.data(genuine), owner=Pubkey.new_unique())
    chain.refuses("WrongLogAccount", altered(chain, 1, 1, AccountMeta(forged, False, True)))
    # an account of ours of another type
    batch, _ = batch_address(chain.program_id, chain.payer.pubkey(), 0)
    chain.refuses("WrongLogAccount", altered(chain, 1, 1, AccountMeta(batch, False, True)))


def test_second_log_at_another_bump_is_refused(chain: Chain) -> None:
    committer = chain.payer.pubkey()
    canonical, *others = derivations(chain.program_id, SEEDS["log"], bytes(committer))
    assert canonical == log_address(chain.program_id, committer)
    for address, _ in others[:3]:
        chain.refuses("WrongLogAddress", altered(chain, 0, 1, AccountMeta(address, False, True)))


def test_wrong_batch_address_is_refused(chain: Chain) -> None:
    successor, _ = batch_address(chain.program_id, chain.payer.pubkey(), 1)
    for address in (Pubkey.new_unique(), successor):
        chain.refuses("WrongBatchAddress", altered(chain, 0, 2, AccountMeta(address, False, True)))


def test_wrong_bump_is_refused(chain: Chain) -> None:
    honest = build(chain, 0)
    at = COMMIT_BATCH.arguments.offset("batch_bump")
    for bump in {0, 255, honest.data[at] - 1} - {honest.data[at]}:
        data = honest.data[:at] + bytes([bump]) + honest.data[at + 1 :]
        chain.refuses("WrongBatchAddress", Instruction(chain.program_id, data, honest.accounts))


def test_one_number_has_one_batch_whatever_its_bump(chain: Chain) -> None:
    """A committer may choose another bump, but cannot commit the number again, and readers know where to look."""
    committer = chain.payer.pubkey()
    canonical, *_, last = batch_addresses(chain.program_id, committer, 0)
    assert canonical == batch_address(chain.program_id, committer, 0)
    honest, at = build(chain, 0), COMMIT_BATCH.arguments.offset("batch_bump")
    data = honest.data[:at] + bytes([last[1]]) + honest.data[at + 1 :]
    metas = [*honest.accounts[:2], AccountMeta(last[0], False, True), honest.accounts[3]]
    chain.send(Instruction(chain.program_id, data, metas))
    chain.refuses("BatchAlreadyCommitted", honest)


def test_flags_and_lengths_are_demanded(chain: Chain) -> None:
    honest = build(chain, 0)
    for index in (1, 2):
        read_only = AccountMeta(honest.accounts[index].pubkey, False, False)
        chain.refuses("AccountNotWritable", altered(chain, 0, index, read_only))
    chain.refuses("WrongSystemProgram", altered(chain, 0, 3, AccountMeta(chain.program_id, False, False)))
    chain.refuses("MissingAccount", Instruction(chain.program_id, honest.data, honest.accounts[:3]))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data[:-1], honest.accounts))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data + b"\0", honest.accounts))


def test_same_account_twice_is_refused(chain: Chain) -> None:
    log, _ = log_address(chain.program_id, chain.payer.pubkey())
    chain.refuses("WrongBatchAddress", altered(chain, 0, 2, AccountMeta(log, False, True)))


def test_poor_committer_is_told(chain: Chain) -> None:
    poor = Keypair.from_seed(bytes([11]) * 32)
    chain.svm.airdrop(poor.pubkey(), 2_000_000)
    chain.refuses("InsufficientFunds", build(chain, 0, by=poor), signers=[poor])


def test_builder_refuses_what_cannot_be_encoded(chain: Chain) -> None:
    for values in ({"root": b"short"}, {"leaves": 2**32}, {"leaves": -1}):
        with pytest.raises(MalformedInput):
            build(chain, 0, **values)  # type: ignore[arg-type]
    with pytest.raises(MalformedInput):
        build(chain, 2**64, prev=ZERO_ROOT, root=ROOTS[0])
