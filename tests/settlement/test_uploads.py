"""Evidence that no packet holds stands in an upload: every leaf can be challenged, every demand answered, every request
fulfilled, with as many inputs as a key may have."""

import asyncio
import math
from dataclasses import replace

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.accounts import UploadAccount
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.evidence import Evidence, show, split
from proofgrid.settlement.instructions import batches, keys, uploads
from proofgrid.settlement.layout.batches import LEAF_DEMANDED, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.layout.keys import MAX_PUBLIC_INPUTS
from proofgrid.settlement.layout.requests import FULFILLED
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.transactions import fits
from proofgrid.settlement.uploads import CHUNK_SIZE, upload
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


# splitting


def test_what_fits_a_packet_is_one_transaction(network: Network) -> None:
    chain, given = network.chain, instance(1)
    plain = keys.verify_groth16(chain.program_id, given.digest, given.inputs, given.proof)
    parts = evidence(chain, plain)
    assert (parts.transactions, parts.close, parts.digest) == ([[plain]], None, None)


def test_every_part_fits_a_packet(network: Network, committer: Person) -> None:
    parts = evidence(network.chain, challenge(filled(committer, LIE)))
    assert len(parts.prepare) == 1 + math.ceil(len(parts.tail) / CHUNK_SIZE) == 4
    payer = network.chain.payer.pubkey()
    assert all(fits(transaction, payer) for transaction in parts.transactions)
    assert not fits([challenge(filled(committer, LIE))], payer)


def test_what_reads_no_upload_is_refused(chain: Chain) -> None:
    payer = chain.payer.pubkey()
    large = uploads.write_upload(chain.program_id, payer, bytes(32), 0, bytes(1232))
    with pytest.raises(MalformedInput, match="reads no upload"):
        evidence(chain, large)
    endless = keys.verify_groth16(chain.program_id, bytes(32), [0] * 318, bytes(256))
    with pytest.raises(MalformedInput, match="10176 bytes"):
        evidence(chain, endless)


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
    chain, given = network.chain, instance(1)
    chain.register(given)
    plain = keys.verify_groth16(chain.program_id, given.digest, given.inputs, given.proof)
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


# sending

PROGRAM, PAYER = Pubkey.new_unique(), Keypair.from_seed(bytes([7]) * 32)


def test_evidence_is_sent_resumed_and_closed() -> None:
    async def journey(url: str) -> None:
        async with AsyncClient(url, commitment=Confirmed, timeout=5) as client:
            sender = Sender(client, PAYER, poll_s=0.02, rebroadcast_s=0.02)
            await client.request_airdrop(PAYER.pubkey(), 10**11)
            await upload(sender, PROGRAM, WIDE.digest, WIDE.encoding)
            await sender.send([keys.finalize_key(PROGRAM, PAYER.pubkey(), WIDE.digest)])
            plain = keys.verify_groth16(PROGRAM, WIDE.digest, WIDE.inputs, WIDE.proof)
            parts = split(PROGRAM, PAYER.pubkey(), plain)
            assert parts.digest is not None
            for one in parts.prepare[:2]:  # an interrupted upload
                await sender.send([one])
            before = (await client.get_balance(PAYER.pubkey())).value
            await show(sender, PROGRAM, plain)
            assert (await client.get_balance(PAYER.pubkey())).value > before
            # a refusal closes the upload as well
            false = keys.verify_groth16(PROGRAM, WIDE.digest, WIDE.inputs, LIE.proof)
            with pytest.raises(ProgramRefused, match="InvalidProof"):
                await show(sender, PROGRAM, false)
            address = upload_address(PROGRAM, PAYER.pubkey(), parts.digest)[0]
            assert (await client.get_account_info(address)).value is None
            # one of another size under the same name makes way
            await sender.send([uploads.init_upload(PROGRAM, PAYER.pubkey(), parts.digest, 5)])
            await show(sender, PROGRAM, plain)
            assert (await client.get_account_info(address)).value is None

    with Devnet.start(programs={PROGRAM: program_bytes()}, slot_s=0.02) as devnet:
        asyncio.run(journey(devnet.url))
