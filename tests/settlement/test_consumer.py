"""The example consumer: lamports leave the escrow for a receipt that holds for its statement, once, or go back."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from examples.consumer.client import Escrow
from proofgrid.settlement.instructions import keys
from proofgrid.settlement.layout.batches import VERDICT, VERIFY_RECEIPT
from proofgrid.settlement.program import build
from proofgrid.settlement.receipts import question
from proofgrid.verifier.receipts import digest_public_inputs
from tests.settlement.altered import with_account
from tests.settlement.batches import FALSE, TRUE, WINDOW_S, Batch, Entry, challenge, demand
from tests.settlement.chains import Chain
from tests.settlement.instances import instance
from tests.settlement.network import Network, Person
from tests.settlement.test_receipts import receipt_of

AMOUNT, REFUND_AFTER_S = 7 * 10**8, 500
NOT_OURS, NOT_SIGNED, WRONG_PROGRAM, WRONG_ANSWER, TOO_EARLY, MALFORMED = (f"Custom({code})" for code in range(1, 7))
EXAMPLE = Path(__file__).parents[2] / "examples" / "consumer" / "consumer.c"


@cache
def program(source: Path) -> bytes:
    return build.build_other(source)


def deployed(chain: Chain, source: Path) -> Pubkey:
    address = Pubkey.new_unique()
    chain.svm.add_program(address, program(source))
    return address


@pytest.fixture
def depositor(network: Network) -> Keypair:
    return network.chain.fund(70)


@pytest.fixture
def escrow(network: Network, depositor: Keypair) -> Escrow:
    """Open, for a proof of ``TRUE``."""
    chain = network.chain
    given = Escrow(
        program=deployed(chain, EXAMPLE),
        settlement=chain.program_id,
        depositor=depositor.pubkey(),
        beneficiary=chain.fund(71).pubkey(),
        key_digest=TRUE.digest,
        inputs_digest=digest_public_inputs(TRUE.inputs),
        lamports=AMOUNT,
        refund_from_s=chain.svm.get_clock().unix_timestamp + REFUND_AFTER_S,
    )
    chain.send(given.open(), signers=[depositor])
    return given


@pytest.fixture
def batch(network: Network, committer: Person) -> Batch:
    """True, false, of other inputs, under another key."""
    network.chain.register(instance(2))
    entries = [
        Entry(TRUE, b"r" * 32, b"p" * 32),
        Entry(FALSE, b"r" * 32, b"p" * 32, key=TRUE.digest),
        Entry(replace(TRUE, inputs=(5,)), b"r" * 32, b"p" * 32),
        Entry(TRUE, b"r" * 32, b"p" * 32, key=instance(2).digest),
        Entry(TRUE, b"q" * 32, b"p" * 32),
    ]
    return Batch(network, committer, entries).committed()


@pytest.fixture
def final(network: Network, batch: Batch) -> Batch:
    network.pass_time(WINDOW_S + 1)
    return batch


def balance(chain: Chain, address: Pubkey) -> int:
    return chain.svm.get_balance(address) or 0


def test_a_receipt_that_holds_releases_the_funds(network: Network, escrow: Escrow, final: Batch) -> None:
    # Given an escrow
    chain = network.chain
    before = balance(chain, escrow.beneficiary)
    rent = balance(chain, escrow.address) - AMOUNT
    waiting = balance(chain, escrow.depositor)
    # When anyone shows a receipt of its statement
    result = chain.send(escrow.release(question(receipt_of(final, 0))))
    # Then the beneficiary is paid and the rent is back
    assert balance(chain, escrow.beneficiary) == before + AMOUNT
    assert balance(chain, escrow.depositor) == waiting + rent
    assert balance(chain, escrow.address) == 0
    assert result.compute_units_consumed() < 15_000


def test_nothing_is_released_twice(network: Network, escrow: Escrow, final: Batch) -> None:
    network.chain.refuses(NOT_OURS, escrow.release(final.receipt(0)), escrow.release(final.receipt(0)))
    network.chain.send(escrow.release(final.receipt(0)))
    for index in (0, 4):
        network.chain.refuses(NOT_OURS, escrow.release(final.receipt(index)))
    network.pass_time(REFUND_AFTER_S)
    network.chain.refuses(NOT_OURS, escrow.refund())


def test_the_window_must_be_over(network: Network, escrow: Escrow, batch: Batch) -> None:
    network.chain.refuses("ChallengeWindowOpen", escrow.release(batch.receipt(0)))
    network.pass_time(WINDOW_S)
    network.chain.refuses("ChallengeWindowOpen", escrow.release(batch.receipt(0)))


def test_leaves_that_are_void_or_demanded_release_nothing(network: Network, escrow: Escrow, batch: Batch) -> None:
    demander = network.person(41, 100)
    network.chain.send(challenge(batch, 1, demander.tokens))
    network.chain.send(demand(batch, 0, demander), signers=[demander.keypair])
    network.pass_time(WINDOW_S + 1)
    network.chain.refuses("LeafVoid", escrow.release(batch.receipt(1)))
    network.chain.refuses("ChallengeWindowOpen", escrow.release(batch.receipt(0)))
    network.chain.send(escrow.release(batch.receipt(4)))


def test_a_receipt_of_another_statement_releases_nothing(network: Network, escrow: Escrow, final: Batch) -> None:
    for index in (2, 3):  # other inputs, another key
        network.chain.send(final.receipt(index))  # it holds
        network.chain.refuses(WRONG_ANSWER, escrow.release(final.receipt(index)))


def test_a_receipt_that_does_not_hold_releases_nothing(network: Network, escrow: Escrow, final: Batch) -> None:
    network.chain.refuses("WrongPath", escrow.release(final.receipt(2, inputs_digest=escrow.inputs_digest)))
    network.chain.refuses("WrongPath", escrow.release(final.receipt(3, key_digest=escrow.key_digest)))
    network.chain.refuses("WrongPath", escrow.release(final.receipt(0, proof_digest=bytes(32))))
    network.chain.refuses("NoSuchLeaf", escrow.release(final.receipt(0, leaf=9)))


def forged(escrow: Escrow, liar: Pubkey, *accounts: Pubkey) -> Instruction:
    """A question to a program that answers yes, whatever is asked."""
    digests = dict.fromkeys(("committer", "proof", "request", "prover"), b"x" * 32)
    answer = {"key": escrow.key_digest, "inputs": escrow.inputs_digest, "price": 1 << 63, "committed_s": -1}
    data = bytes([VERIFY_RECEIPT.arguments.tag or 0]) + bytes(7) + VERDICT.encode(digests | answer)
    return Instruction(liar, data, [AccountMeta(address, False, False) for address in accounts])


def test_another_programs_answer_releases_nothing(network: Network, escrow: Escrow, final: Batch) -> None:
    programs = Path(__file__).parent / "programs"
    liar, relay = (deployed(network.chain, programs / name) for name in ("answer.c", "relay.c"))
    network.chain.refuses(WRONG_PROGRAM, escrow.release(forged(escrow, liar, final.address, final.address)))
    network.chain.refuses(WRONG_PROGRAM, escrow.release(replace_program(final.receipt(0), liar)))
    # nor one that the program asked calls in its turn: the return data names who wrote it
    trusting = replace(escrow, settlement=relay, nonce=1)
    network.chain.send(trusting.open(), signers=[Keypair.from_seed(bytes([70]) * 32)])
    network.chain.refuses(WRONG_PROGRAM, trusting.release(forged(escrow, relay, liar, liar)))


def replace_program(honest: Instruction, program: Pubkey) -> Instruction:
    return Instruction(program, honest.data, honest.accounts)


def test_another_question_releases_nothing(network: Network, escrow: Escrow, final: Batch) -> None:
    """A true proof, verified by the settlement program: its answer is no receipt."""
    other = keys.verify_groth16(network.chain.program_id, TRUE.digest, TRUE.inputs, TRUE.proof)
    metas = [other.accounts[0], AccountMeta(final.address, False, False)]
    network.chain.refuses(MALFORMED, escrow.release(Instruction(other.program_id, other.data, metas)))


def test_funds_go_to_whom_the_escrow_names(network: Network, escrow: Escrow, final: Batch) -> None:
    stranger, honest = network.chain.fund(72).pubkey(), escrow.release(final.receipt(0))
    network.chain.refuses(NOT_OURS, with_account(honest, 1, stranger))
    network.chain.refuses(NOT_OURS, with_account(honest, 2, stranger))
    network.chain.refuses(NOT_OURS, with_account(escrow.refund(), 1, stranger))
    network.chain.refuses(NOT_OURS, with_account(honest, 0, final.address))
    network.chain.refuses(MALFORMED, Instruction(escrow.program, honest.data, honest.accounts[:-1]))
    network.chain.refuses(MALFORMED, Instruction(escrow.program, honest.data[:8], honest.accounts))


def test_the_shape_is_demanded(network: Network, escrow: Escrow, depositor: Keypair, final: Batch) -> None:
    network.pass_time(REFUND_AFTER_S)
    opening = replace(escrow, nonce=1).open()
    for honest in (opening, escrow.refund()):
        for data, metas in (
            (honest.data + b"\0", honest.accounts),
            (honest.data[:-1], honest.accounts),
            (honest.data, honest.accounts[:-1]),
            (honest.data, [*honest.accounts, honest.accounts[0]]),
        ):
            network.chain.refuses(MALFORMED, Instruction(escrow.program, data, metas), signers=[depositor])
    for honest, written in ((escrow.release(final.receipt(0)), 3), (escrow.refund(), 2)):
        for at in range(written):
            metas = list(honest.accounts)
            metas[at] = AccountMeta(metas[at].pubkey, False, False)
            network.chain.refuses(NOT_OURS, Instruction(escrow.program, honest.data, metas))


def test_the_depositor_gets_it_back_later(network: Network, escrow: Escrow, final: Batch) -> None:
    chain = network.chain
    network.pass_time(REFUND_AFTER_S - WINDOW_S - 2)
    chain.refuses(TOO_EARLY, escrow.refund())
    network.pass_time(1)
    before, held = balance(chain, escrow.depositor), balance(chain, escrow.address)
    chain.send(escrow.refund())
    assert balance(chain, escrow.depositor) == before + held
    chain.refuses(NOT_OURS, escrow.release(final.receipt(0)))


def test_opening_is_the_depositors(network: Network, escrow: Escrow, depositor: Keypair) -> None:
    chain, second = network.chain, replace(escrow, nonce=1)
    chain.refuses(NOT_OURS, escrow.open(), signers=[depositor])  # it is open
    unsigned = [AccountMeta(escrow.depositor, False, True), *second.open().accounts[1:]]
    chain.refuses(NOT_SIGNED, Instruction(escrow.program, second.open().data, unsigned))
    chain.refuses(NOT_OURS, with_account(second.open(), 1, replace(escrow, nonce=2).address), signers=[depositor])
    chain.refuses(MALFORMED, Instruction(escrow.program, b"\3" + bytes(7), second.open().accounts), signers=[depositor])
    chain.send(second.open(), signers=[depositor])
