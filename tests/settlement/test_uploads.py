"""Evidence that no packet holds stands in an upload: every leaf can be challenged, every demand answered, every request
fulfilled, with as many inputs as a key may have."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from proofgrid.settlement.accounts import UploadAccount
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.evidence import Evidence, split
from proofgrid.settlement.instructions import batches, keys, uploads
from proofgrid.settlement.layout import INSTRUCTIONS
from proofgrid.settlement.layout.batches import LEAF_DEMANDED, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.layout.keys import MAX_PUBLIC_INPUTS
from proofgrid.settlement.layout.requests import FULFILLED
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT
from proofgrid.settlement.transactions import refusal_of
from proofgrid.settlement.uploads import CHUNK_SIZE
from tests.settlement.batches import Batch, Entry, demand
from tests.settlement.chains import Chain
from tests.settlement.instances import Instance, instance
from tests.settlement.jobs import Job
from tests.settlement.network import Network, Person

WIDE = instance(MAX_PUBLIC_INPUTS)
LIE = WIDE.with_points(c=WIDE.a)
UNITS = 1_400_000


@pytest.fixture
def network(chain: Chain) -> Network:
    network = Network.on(chain)
    chain.register(WIDE)
    return network


@pytest.fixture
def committer(network: Network) -> Person:
    committer = network.prover(40, 50_000)
    network.chain.svm.airdrop(committer.hot.pubkey(), 10**10)
    return committer


def filled(committer: Person, first: Instance) -> Batch:
    """A committed batch of 1,024 leaves under one key of 64 inputs; all but the first are true."""
    entries = [Entry(one, bytes(32), b"p" * 32, key=WIDE.digest) for one in [first, *[WIDE] * 1023]]
    return Batch(committer.network, committer, entries).committed()


def challenge(batch: Batch, index: int = 0) -> Instruction:
    program_id, reward = batch.network.chain.program_id, batch.committer.tokens
    return batches.challenge_leaf(program_id, batch.address, batch.committer.prover, batch.shown(index), reward)


def evidence(chain: Chain, instruction: Instruction, authority: Pubkey | None = None) -> Evidence:
    return split(chain.program_id, authority or chain.payer.pubkey(), instruction)


def prepared(chain: Chain, instruction: Instruction) -> Instruction:
    """The instruction, after the upload that it reads; the upload stays open."""
    parts = evidence(chain, instruction)
    for one in parts.prepare:
        chain.send(one)
    return parts.instructions[0]


def with_upload(instruction: Instruction, upload: Pubkey, data: bytes | None = None) -> Instruction:
    metas = [*instruction.accounts[:-1], AccountMeta(upload, False, False)]
    return Instruction(instruction.program_id, instruction.data if data is None else data, metas)


def upload_of(chain: Chain, instruction: Instruction) -> Pubkey:
    digest = evidence(chain, instruction).digest
    assert digest is not None
    return upload_address(chain.program_id, chain.payer.pubkey(), digest)[0]


# reading


def test_a_false_leaf_with_all_inputs_is_challenged(network: Network, committer: Person) -> None:
    # Given a batch of 1,024 leaves of 64 inputs, one of them false
    chain, batch = network.chain, filled(committer, LIE)
    before = committer.balance
    # When somebody shows it
    parts = evidence(chain, challenge(batch))
    for one in parts.prepare:
        chain.send(one)
    result = chain.send(*parts.instructions, compute_units=UNITS)
    # Then it is void, the challenger paid, and the upload's rent back
    assert batch.account.state(0) == LEAF_VOID
    assert committer.balance > before
    assert not chain.svm.get_balance(upload_of(chain, challenge(batch)))
    assert result.compute_units_consumed() < 400_000


def test_a_demanded_leaf_with_all_inputs_is_answered(network: Network, committer: Person) -> None:
    """Without uploads a demand would have cost an honest committer its bond."""
    chain, batch, demander = network.chain, filled(committer, LIE), network.person(41, 100)
    for index in (0, 1):
        chain.send(demand(batch, index, demander), signers=[demander.keypair])
    answers = [
        batches.answer_leaf(chain.program_id, batch.address, committer.prover, batch.shown(index), demander.key)
        for index in (0, 1)
    ]
    chain.refuses("InvalidProof", prepared(chain, answers[0]))
    result = chain.send(prepared(chain, answers[1]), compute_units=UNITS)
    assert (batch.account.state(0), batch.account.state(1)) == (LEAF_DEMANDED, LEAF_UNPAID)
    assert committer.pool.earned == 30
    assert result.compute_units_consumed() < 400_000


def test_a_request_with_all_inputs_is_fulfilled(job: Job) -> None:
    job.chain.register(WIDE)
    job.given, job.terms = WIDE, replace(job.terms, key_digest=WIDE.digest, inputs=WIDE.inputs)
    job.demanded()
    chain = job.chain
    other = replace(WIDE, inputs=(*WIDE.inputs[:-1], 5))
    chain.refuses("WrongStatement", prepared(chain, job.fulfil(other)))
    result = chain.send(prepared(chain, job.fulfil()), compute_units=UNITS)
    assert job.account.state == FULFILLED
    assert result.compute_units_consumed() < 400_000


def test_a_proof_with_all_inputs_is_verified(network: Network) -> None:
    chain = network.chain
    honest = keys.verify_groth16(chain.program_id, WIDE.digest, WIDE.inputs, WIDE.proof)
    result = chain.send(prepared(chain, honest), compute_units=UNITS)
    assert result.return_data().data == WIDE.digest
    false = keys.verify_groth16(chain.program_id, WIDE.digest, WIDE.inputs, LIE.proof)
    chain.refuses("InvalidProof", with_upload(prepared_head(chain, false), upload_of(chain, honest)))


def prepared_head(chain: Chain, instruction: Instruction) -> Instruction:
    return evidence(chain, instruction).instructions[0]


# what an upload cannot do


def test_a_true_leaf_stays_true(network: Network, committer: Person) -> None:
    batch = filled(committer, WIDE)
    network.chain.refuses("LeafIsTrue", prepared(network.chain, challenge(batch, 7)))


def test_other_bytes_are_another_leaf(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer, LIE)
    honest = prepared(chain, challenge(batch))
    digest = evidence(chain, challenge(batch)).digest
    assert digest is not None
    program_id, authority = chain.program_id, chain.payer.pubkey()
    size = len(evidence(chain, challenge(batch)).tail)
    # an input, a sibling
    for at in (31, 64 * 32 + 31, size - 1):
        there = UploadAccount.decode(chain.data(honest.accounts[-1].pubkey)).content
        flip = uploads.write_upload(program_id, authority, digest, at, bytes([there[at] ^ 1]))
        mend = uploads.write_upload(program_id, authority, digest, at, there[at : at + 1])
        chain.refuses("WrongPath", flip, honest)
        chain.send(flip, mend)
    # judged by what stands there when it is read
    chain.send(flip, mend, honest, compute_units=UNITS)
    assert batch.account.state(0) == LEAF_VOID


@pytest.mark.parametrize(("change", "name"), [(32, "WrongPath"), (-32, "WrongPath"), (1, "WrongPath")])
def test_an_upload_of_another_length_is_another_leaf(
    network: Network, committer: Person, change: int, name: str
) -> None:
    chain, batch = network.chain, filled(committer, LIE)
    parts, authority = evidence(chain, challenge(batch)), chain.payer.pubkey()
    tail = (parts.tail + bytes(32))[: len(parts.tail) + change]
    chain.send(uploads.init_upload(chain.program_id, authority, bytes(32), len(tail)))
    for at in range(0, len(tail), CHUNK_SIZE):
        chain.send(uploads.write_upload(chain.program_id, authority, bytes(32), at, tail[at : at + CHUNK_SIZE]))
    address = upload_address(chain.program_id, authority, bytes(32))[0]
    chain.refuses(name, with_upload(parts.instructions[0], address))


def test_an_upload_too_short_for_the_inputs_is_refused(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer, LIE)
    short = uploads.init_upload(chain.program_id, chain.payer.pubkey(), bytes(32), 64 * 32 - 1)
    chain.send(short)
    address = upload_address(chain.program_id, chain.payer.pubkey(), bytes(32))[0]
    head = prepared_head(chain, challenge(batch))
    chain.refuses("WrongInputCount", with_upload(head, address))
    plain = prepared_head(chain, keys.verify_groth16(chain.program_id, WIDE.digest, WIDE.inputs, WIDE.proof))
    chain.refuses("WrongInputCount", with_upload(plain, address))


def test_only_uploads_are_read(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer, LIE)
    honest = prepared(chain, challenge(batch))
    forged = Pubkey.new_unique()
    chain.forge(forged, chain.data(honest.accounts[-1].pubkey), owner=Pubkey.new_unique())
    for account in (forged, Pubkey.new_unique(), batch.address, committer.prover, committer.tokens):
        chain.refuses("WrongUploadAccount", with_upload(honest, account))
    # without it, there is no evidence at all
    chain.refuses("WrongInputCount", Instruction(honest.program_id, honest.data, honest.accounts[:-1]))


def test_a_closed_upload_is_not_read(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer, LIE)
    honest, close = prepared(chain, challenge(batch)), evidence(chain, challenge(batch)).close
    assert close is not None
    chain.refuses("WrongUploadAccount", close, honest)


def test_an_account_after_a_tail_is_not_read(network: Network, committer: Person) -> None:
    chain, narrow = network.chain, instance(1)
    chain.register(narrow)
    plain = keys.verify_groth16(chain.program_id, narrow.digest, narrow.inputs, narrow.proof)
    metas = [*plain.accounts, AccountMeta(Pubkey.new_unique(), False, False)]
    chain.send(Instruction(plain.program_id, plain.data, metas))


def test_anyones_upload_is_read_and_nobody_elses_closed(network: Network, committer: Person) -> None:
    chain, batch, stranger = network.chain, filled(committer, LIE), network.person(43, 100)
    honest = prepared(chain, challenge(batch))
    theirs = evidence(chain, challenge(batch), stranger.key)
    # the payer's upload, read by a stranger, who cannot close it
    close = with_upload(theirs.instructions[1], honest.accounts[-1].pubkey)
    close = Instruction(
        close.program_id, close.data, [close.accounts[0], AccountMeta(honest.accounts[-1].pubkey, False, True)]
    )
    chain.refuses("WrongAuthority", honest, close, signers=[stranger.keypair])
    chain.send(honest, signers=[stranger.keypair], compute_units=UNITS)
    assert batch.account.state(0) == LEAF_VOID


@cache
def scene() -> tuple[Chain, list[Instruction]]:
    """A batch of five leaves of one input, and an honest instruction of each kind that reads a tail."""
    chain = Chain.under("mainnet")
    network, narrow = Network.on(chain), instance(1)
    chain.register(narrow)
    lie = narrow.with_points(c=narrow.a)
    committer, demander = network.committer(40), network.person(41, 100)
    entries = [Entry(one, bytes([i]) * 32, b"p" * 32, key=narrow.digest) for i, one in enumerate([lie, *[narrow] * 4])]
    batch = Batch(network, committer, entries).committed()
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    where = (chain.program_id, batch.address, committer.prover)
    return chain, [
        batches.challenge_leaf(*where, batch.shown(0), demander.tokens),
        batches.challenge_leaf(*where, batch.shown(1), demander.tokens),
        batches.answer_leaf(*where, batch.shown(2), demander.key),
        keys.verify_groth16(chain.program_id, narrow.digest, narrow.inputs, narrow.proof),
    ]


def outcome(chain: Chain, instruction: Instruction) -> str:
    """The refusal's name, or yes; nothing is changed."""
    message = MessageV0.try_compile(chain.payer.pubkey(), [instruction], [], chain.svm.latest_blockhash())
    result = chain.svm.simulate_transaction(VersionedTransaction(message, [chain.payer]))
    return refusal_of(result.err()).name if isinstance(result, FailedTransactionMetadata) else "yes"


def heads_and_tails(instruction: Instruction) -> tuple[bytes, bytes]:
    (declared,) = (one for one in INSTRUCTIONS if one.arguments.tag == instruction.data[0])
    return instruction.data[: declared.arguments.size], instruction.data[declared.arguments.size :]


@given(
    which=st.integers(0, 3),
    at=st.integers(0, 200),
    flip=st.integers(0, 255),
    cut=st.integers(0, 40),
    more=st.binary(max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_bytes_mean_the_same_wherever_they_stand(which: int, at: int, flip: int, cut: int, more: bytes) -> None:
    chain, honest = scene()
    head, tail = heads_and_tails(honest[which])
    at %= len(tail)
    changed = (tail[:at] + bytes([tail[at] ^ flip]) + tail[at + 1 :])[: max(1, len(tail) - cut)] + more
    address = Pubkey(b"an upload of nobody in particular"[:32])
    fields = {"authority": bytes(32), "digest": bytes(32), "size": len(changed), "bump": 0}
    chain.forge(address, UPLOAD_ACCOUNT.encode(fields) + changed, chain.program_id)
    accounts = honest[which].accounts
    direct = Instruction(chain.program_id, head + changed, accounts)
    uploaded = Instruction(chain.program_id, head, [*accounts, AccountMeta(address, False, False)])
    assert outcome(chain, uploaded) == outcome(chain, direct)
    if changed == tail:
        assert outcome(chain, direct) == ("yes", "LeafIsTrue", "yes", "yes")[which]
