"""claim_leaf: a leaf pays its request after the window, once."""

from dataclasses import replace

import pytest
from solders.instruction import Instruction

from proofgrid.settlement.addresses import permission_address, vault_address
from proofgrid.settlement.instructions import governance
from proofgrid.settlement.layout.batches import CLAIM_LEAF, LEAF_PAID
from proofgrid.settlement.layout.governance import (
    DENY_BATCHES,
    DENY_REQUESTS,
    PERMISSION_ACCOUNT,
)
from proofgrid.settlement.layout.requests import FULFILLED, REQUEST_ACCOUNT
from tests.settlement.altered import with_account, with_byte
from tests.settlement.batches import (
    FALSE,
    TRUE,
    WINDOW_S,
    answer,
    challenge,
    claim,
    claimable,
    demand,
)
from tests.settlement.instances import instance
from tests.settlement.jobs import CAP, FEE, FUNDS, PRICE, Job
from tests.settlement.network import TOP, Person
from tests.settlement.shape import keeps_its_shape


def test_a_leaf_pays_after_its_window_once(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S)
    job.chain.refuses("ChallengeWindowOpen", claim(job, batch))
    job.network.pass_time(1)
    result = job.chain.send(claim(job, batch))
    income = PRICE - FEE
    assert (job.account.state, batch.account.state(0)) == (FULFILLED, LEAF_PAID)
    assert (job.prover.pool.earned, job.prover.pool.locked) == (income - income // 10, 0)
    assert job.requester.balance == FUNDS - PRICE
    assert job.network.vault == job.owed() + coordinator.pool.stake
    assert result.compute_units_consumed() < 30_000
    job.chain.refuses("RequestNotAssigned", claim(job, batch))


def test_a_leaf_pays_one_request_only(job: Job, coordinator: Person) -> None:
    """A request that was closed and opened again at the same address is another one."""
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(1)
    job.chain.send(job.fulfil(), job.close())
    job.network.pass_time(WINDOW_S)
    now = job.chain.svm.get_clock().unix_timestamp
    job.terms = replace(job.terms, pay_until_s=now + 100, expire_s=now + 150)
    job.assigned()
    job.chain.refuses("TooLate", claim(job, batch))


@pytest.mark.parametrize(("wait_s", "pay"), [(100, PRICE), (101, PRICE // 4), (150, PRICE // 4)])
def test_what_counts_is_when_the_batch_was_committed(job: Job, coordinator: Person, wait_s: int, pay: int) -> None:
    job.assigned()
    job.network.pass_time(wait_s)
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.send(claim(job, batch))
    assert job.requester.balance == FUNDS - pay


def test_a_batch_after_the_deadline_pays_nothing(job: Job, coordinator: Person) -> None:
    job.assigned()
    job.network.pass_time(151)
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("TooLate", claim(job, batch))


@pytest.mark.parametrize(
    "changes",
    [
        {"price": PRICE - 1},
        {"prover": b"p" * 32},
        {"request": b"r" * 32},
        {"given": instance(2)},
        {"given": replace(TRUE, inputs=(5,))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_leaf_of_another_bargain_pays_nothing(job: Job, coordinator: Person, changes: dict[str, object]) -> None:
    job.assigned()
    batch = claimable(job, coordinator, **changes)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("WrongPath", claim(job, batch))


def test_void_and_demanded_leaves_pay_nothing(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch, demander = claimable(job, coordinator, given=FALSE), job.network.person(41, 100)
    other = claimable(job, coordinator)
    job.chain.send(challenge(batch, 0, demander.tokens))
    job.chain.send(demand(other, 0, demander), signers=[demander.keypair])
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("LeafSettled", claim(job, batch))
    job.chain.refuses("LeafSettled", claim(job, other))
    job.chain.send(answer(other, 0, demander))
    job.chain.send(claim(job, other))
    assert job.account.state == FULFILLED


def test_demanded_and_direct_requests_are_not_claimed(job: Job, coordinator: Person) -> None:
    job.demanded()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("RequestNotAssigned", claim(job, batch))
    job.nonce += 1
    now = job.chain.svm.get_clock().unix_timestamp
    job.terms = replace(job.terms, direct_only=True, pay_until_s=now + 100, expire_s=now + 150)
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("DirectOnly", claim(job, batch))


def test_a_denied_key_claims_nothing(job: Job, coordinator: Person) -> None:
    job.terms = replace(job.terms, pay_until_s=job.terms.pay_until_s + 900, expire_s=job.terms.expire_s + 900)
    job.assigned()
    batch = claimable(job, coordinator)
    change = governance.propose_permission(job.chain.program_id, coordinator.key, 0, job.given.digest, DENY_BATCHES)
    ballot = governance.vote(job.chain.program_id, coordinator.key, 0, in_favour=True)
    job.chain.send(change, ballot, signers=[coordinator.keypair])
    job.network.pass_time(360)
    job.chain.send(governance.execute(job.chain.program_id, job.chain.payer.pubkey(), 0, digest=job.given.digest))
    job.chain.refuses("KeyDenied", claim(job, batch))
    job.chain.refuses("WrongPermissionAddress", with_account(claim(job, batch), 3, job.address))
    # the proof on chain is paid all the same
    job.chain.send(job.fulfil())


def test_claiming_with_wrong_accounts_is_refused(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    chain, honest = job.chain, claim(job, batch)
    chain.refuses("NotAssignedProver", with_account(honest, 1, coordinator.prover))
    chain.refuses("WrongRequestAccount", with_account(honest, 2, coordinator.prover))
    chain.refuses("WrongBatchAccount", with_account(honest, 4, coordinator.prover))
    chain.refuses("WrongVault", with_account(honest, 5, coordinator.tokens))
    chain.refuses("WrongTokenAccount", with_account(honest, 6, coordinator.tokens))
    chain.refuses("WrongPath", claim(job, batch, proof_digest=bytes(32)))
    chain.refuses("WrongPath", Instruction(chain.program_id, honest.data + bytes(32), honest.accounts))


def test_the_cap_minus_the_price_goes_back(job: Job, coordinator: Person) -> None:
    job.assigned(price=1)
    batch = claimable(job, coordinator, price=1)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.send(claim(job, batch))
    assert job.requester.balance == FUNDS - 1
    assert CAP - 1 > 0


def test_a_leaf_that_was_paid_pays_no_second_request(job: Job, coordinator: Person) -> None:
    """The request is made the same again by hand: what stops the second payment is the leaf's own state."""
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    before = REQUEST_ACCOUNT.decode(job.chain.data(job.address))
    job.chain.send(claim(job, batch))
    job.chain.edit(job.address, REQUEST_ACCOUNT, **before)
    job.network.edit_prover(job.prover, locked=160)
    job.chain.refuses("LeafSettled", claim(job, batch))


def test_payments_do_not_overflow(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.network.edit_prover(job.prover, earned=TOP)
    job.chain.refuses("Overflow", claim(job, batch))


def test_permissions_that_deny_requests_alone_let_leaves_be_paid(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    at, bump = permission_address(job.chain.program_id, job.given.digest)
    denying = PERMISSION_ACCOUNT.encode({"digest": job.given.digest, "denied": DENY_REQUESTS, "bump": bump})
    job.chain.forge(at, denying, job.chain.program_id)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.send(claim(job, batch))


def test_the_vault_is_no_refund_account(job: Job, coordinator: Person) -> None:
    """No request names it; by hand one does here."""
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    vault, _ = vault_address(job.chain.program_id)
    job.chain.edit(job.address, REQUEST_ACCOUNT, refund_to=bytes(vault))
    job.chain.refuses("SameAccountTwice", with_account(claim(job, batch), 6, vault))


def test_a_leaf_that_is_not_there_pays_nothing(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    at = CLAIM_LEAF.arguments.offset("leaf")
    job.chain.refuses("NoSuchLeaf", with_byte(claim(job, batch), at, 3))
    job.chain.refuses("WrongPath", with_byte(claim(job, batch), at, 1))


def test_it_keeps_its_shape(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    keeps_its_shape(job.chain, CLAIM_LEAF, claim(job, batch))
