"""close_request: a requester cancels what is open, anyone refunds what expired and cleans up what is over."""

from dataclasses import replace

from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.layout.requests import CLOSE_REQUEST, OPEN, REQUEST_ACCOUNT
from tests.settlement.altered import with_account
from tests.settlement.jobs import CAP, FUNDS, PRICE, Job
from tests.settlement.shape import keeps_its_shape


def test_a_requester_cancels(job: Job) -> None:
    job.opened()
    elsewhere = job.network.token_account(job.requester.key)
    job.chain.send(job.close(elsewhere, signed=True), signers=[job.requester.keypair])
    assert job.network.balance(elsewhere) == CAP
    assert job.is_gone()
    assert job.network.vault == job.owed()


def test_anyone_refunds_what_expired(job: Job) -> None:
    job.opened()
    job.chain.refuses("NotYetExpired", job.close())
    job.network.pass_time(150)
    job.chain.refuses("NotYetExpired", job.close())
    job.network.pass_time(1)
    elsewhere = job.network.token_account(job.prover.key)
    job.chain.refuses("WrongTokenAccount", job.close(elsewhere))
    rent, before = job.chain.svm.get_balance(job.address), job.chain.svm.get_balance(job.requester.key)
    job.chain.send(job.close())
    assert job.requester.balance == FUNDS
    assert job.chain.svm.get_balance(job.requester.key) == (before or 0) + (rent or 0)
    assert job.is_gone()


def test_what_is_assigned_is_not_closed(job: Job) -> None:
    job.assigned()
    job.network.pass_time(10_000)
    job.chain.refuses("RequestNotOver", job.close(signed=True), signers=[job.requester.keypair])
    job.chain.refuses("RequestNotOver", job.close())


def test_demanded_requests_are_not_closed(job: Job) -> None:
    job.demanded()
    job.chain.refuses("RequestNotOver", job.close(signed=True), signers=[job.requester.keypair])


def test_anyone_cleans_up_what_is_over(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil(), job.close())
    assert job.is_gone()
    assert job.requester.balance == FUNDS - PRICE
    # the nonce may be used again
    job.opened()
    assert job.account.state == OPEN


def test_nobody_else_cancels(job: Job) -> None:
    job.opened()
    stranger = job.network.person(31)
    stolen = with_account(job.close(stranger.tokens, signed=True), 0, stranger.key)
    job.chain.refuses("WrongRequester", stolen, signers=[stranger.keypair])
    job.network.pass_time(151)
    job.chain.refuses("WrongRequester", with_account(job.close(), 0, stranger.key))
    job.chain.refuses("WrongVault", with_account(job.close(), 3, stranger.tokens))


def test_nothing_to_pay_needs_no_token_account(job: Job) -> None:
    job.assigned(price=CAP)
    job.chain.send(job.fulfil())
    job.chain.send(job.close(Pubkey.new_unique(), signed=True), signers=[job.requester.keypair])
    assert job.is_gone()


def test_a_refund_that_waits_goes_where_it_was_promised(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil())
    job.chain.edit(job.address, REQUEST_ACCOUNT, refund=50)
    elsewhere = job.network.token_account(job.prover.key)
    job.chain.refuses("WrongTokenAccount", job.close(elsewhere))
    before = job.requester.balance
    job.chain.send(job.close())
    assert job.requester.balance == before + 50


def test_destinations_that_cannot_be_are_refused(job: Job) -> None:
    job.opened()
    vault, _ = vault_address(job.chain.program_id)
    signers = [job.requester.keypair]
    job.chain.refuses("SameAccountTwice", job.close(vault, signed=True), signers=signers)
    job.chain.refuses("WrongTokenAccount", job.close(job.network.mint, signed=True), signers=signers)


def test_a_callback_that_is_due_keeps_the_request(job: Job) -> None:
    """Only the requester gives it up."""
    job.terms = replace(job.terms, callback_program=Pubkey.new_unique())
    job.assigned()
    job.chain.send(job.fulfil())
    job.chain.refuses("CallbackDue", job.close())
    job.chain.send(job.close(signed=True), signers=[job.requester.keypair])
    assert job.is_gone()


def test_it_keeps_its_shape(job: Job) -> None:
    job.opened()
    keeps_its_shape(job.chain, CLOSE_REQUEST, job.close(signed=True), [job.requester.keypair])
