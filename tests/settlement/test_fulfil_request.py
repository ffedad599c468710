"""fulfil_request: a true proof is paid in time, once, to the assigned prover, and the rest goes back."""

from dataclasses import replace
from hashlib import sha256

import pytest
from solders.instruction import Instruction

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.layout.requests import FULFIL_REQUEST, FULFILLED, INPUTS_DIGEST_HEAD, REQUEST_ACCOUNT
from proofgrid.settlement.transactions import sign
from tests.settlement.altered import with_account, with_data
from tests.settlement.instances import instance, r, words
from tests.settlement.jobs import CAP, FEE, FUNDS, PRICE, Job
from tests.settlement.network import PARAMETERS, TOP
from tests.settlement.shape import keeps_its_shape


def test_a_true_proof_is_paid_and_the_rest_goes_back(job: Job) -> None:
    job.assigned()
    result = job.chain.send(job.fulfil())
    pool, income = job.prover.pool, PRICE - FEE
    assert (job.account.state, job.account.refund, job.account.bond) == (FULFILLED, 0, 0)
    assert (pool.earned, pool.stake, pool.locked, pool.fulfilled) == (income - income // 10, 5_000 + income // 10, 0, 1)
    assert job.network.config.fees == FEE
    assert job.network.config.total_stake == pool.stake
    assert job.requester.balance == FUNDS - PRICE
    assert job.network.vault == job.owed()
    assert result.compute_units_consumed() < 130_000
    job.chain.refuses("RequestNotAssigned", job.fulfil())


@pytest.mark.parametrize("n_public", [4, 8, 16])
def test_more_inputs_fit_a_packet(job: Job, n_public: int) -> None:
    job.given = instance(n_public)
    job.chain.register(job.given)
    job.terms = replace(job.terms, key_digest=job.given.digest, inputs=job.given.inputs)
    job.assigned()
    result = job.chain.send(job.fulfil())
    assert job.account.state == FULFILLED
    if n_public == 4:
        assert result.compute_units_consumed() < 200_000
    else:
        sign([job.fulfil()], [job.chain.payer], job.chain.svm.latest_blockhash())


@pytest.mark.parametrize(("late_s", "pay"), [(0, PRICE), (1, PRICE // 4), (50, PRICE // 4)])
def test_late_proofs_earn_less(job: Job, late_s: int, pay: int) -> None:
    job.assigned()
    job.network.pass_time(100 + late_s)
    job.chain.send(job.fulfil())
    assert job.requester.balance == FUNDS - pay
    assert job.network.vault == job.owed()


def test_after_expiry_nothing_is_paid(job: Job) -> None:
    job.assigned()
    job.network.pass_time(151)
    job.chain.refuses("TooLate", job.fulfil())


def test_false_proofs_are_not_paid(job: Job) -> None:
    job.assigned()
    given = job.given
    job.chain.refuses("InvalidProof", job.fulfil(given.with_points(c=given.a)))
    job.chain.refuses("MalformedProof", job.fulfil(given.with_points(a=(1, 1))))
    other = (given.inputs[0] + 1) % r
    job.chain.refuses("WrongStatement", job.fulfil(replace(given, inputs=(other,))))
    aliased = job.fulfil()
    data = aliased.data[:-32] + (given.inputs[0] + r).to_bytes(32, "big")
    job.chain.refuses("WrongStatement", Instruction(aliased.program_id, data, aliased.accounts))
    job.chain.refuses("WrongInputCount", Instruction(aliased.program_id, aliased.data + bytes(32), aliased.accounts))
    job.chain.refuses("WrongInputCount", Instruction(aliased.program_id, aliased.data[:-1], aliased.accounts))
    foreign = instance(2)
    job.chain.register(foreign)
    job.chain.refuses("WrongStatement", job.fulfil(foreign))


def test_nobody_else_is_paid(job: Job) -> None:
    job.assigned()
    rival = job.network.prover(21, 5_000)
    job.chain.refuses("NotAssignedProver", job.fulfil(prover=rival))
    elsewhere = job.network.token_account(rival.key)
    job.chain.refuses("WrongTokenAccount", with_account(job.fulfil(), 5, elsewhere))
    job.chain.refuses("WrongVault", with_account(job.fulfil(), 4, elsewhere))
    job.chain.refuses("WrongRequestAccount", with_account(job.fulfil(), 2, rival.prover))


def test_an_open_request_is_not_fulfilled(job: Job) -> None:
    job.opened()
    job.chain.refuses("RequestNotAssigned", job.fulfil())


@pytest.mark.parametrize("state", [0, 2])
def test_a_refund_account_that_is_closed_or_frozen_stops_no_payment(job: Job, state: int) -> None:
    job.assigned()
    account = job.chain.svm.get_account(job.requester.tokens)
    assert account is not None
    job.chain.forge(job.requester.tokens, account.data[:108] + bytes([state]) + account.data[109:], account.owner)
    job.chain.send(job.fulfil())
    assert job.prover.pool.earned > 0
    assert job.account.refund == CAP - PRICE
    assert job.network.vault == job.owed()
    job.chain.refuses("WrongTokenAccount", job.close())
    fresh = job.network.token_account(job.requester.key)
    job.chain.send(job.close(fresh, signed=True), signers=[job.requester.keypair])
    assert job.network.balance(fresh) == CAP - PRICE
    assert job.network.vault == job.owed()


@pytest.mark.parametrize(
    ("pool", "network"),
    [
        ({}, {"fees": TOP - FEE + 1}),
        ({"stake": TOP - 78}, {}),
        ({}, {"total_stake": TOP - 78}),
        ({"earned": TOP - 712}, {}),
        ({"locked": 159}, {}),
    ],
    ids=str,
)
def test_payments_do_not_overflow(job: Job, pool: dict[str, int], network: dict[str, int]) -> None:
    job.assigned()
    job.network.edit_prover(job.prover, **pool)
    job.network.edit_config(**network)
    job.chain.refuses("Overflow", job.fulfil())


def test_a_demands_bond_does_not_overflow(job: Job) -> None:
    job.demanded()
    job.network.edit_prover(job.prover, earned=TOP - 713 - PARAMETERS.demand_bond + 1)
    job.chain.refuses("Overflow", job.fulfil())
    job.network.edit_prover(job.prover, earned=TOP - 713 - PARAMETERS.demand_bond)
    job.chain.send(job.fulfil())


def test_a_pool_of_nobody_keeps_nothing(job: Job) -> None:
    job.assigned()
    stake = job.prover.pool.stake
    job.network.edit_prover(job.prover, shares=0)
    job.chain.send(job.fulfil())
    assert (job.prover.pool.stake, job.prover.pool.earned) == (stake, PRICE - FEE)


def test_a_demand_is_answered_in_its_last_second(job: Job) -> None:
    job.assigned()
    job.network.pass_time(140)
    job.chain.send(job.demand(), signers=[job.requester.keypair])
    job.network.pass_time(PARAMETERS.reveal_window_s)
    job.chain.send(job.fulfil())
    assert job.account.state == FULFILLED


def test_what_is_fulfilled_is_not_fulfilled_again(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil())
    assert (job.account.bond, job.account.demand_bond, job.account.callback_due) == (0, 0, 0)
    job.chain.refuses("RequestNotAssigned", job.fulfil())


def test_statements_of_other_keys_and_inputs_are_refused(job: Job) -> None:
    """Each half by itself: the same inputs under another key, other inputs under the same key."""
    job.assigned()
    given = job.given
    job.chain.edit(job.address, REQUEST_ACCOUNT, key=bytes(32))
    job.chain.refuses("WrongStatement", job.fulfil())
    job.chain.edit(job.address, REQUEST_ACCOUNT, key=given.digest, inputs=bytes(32))
    job.chain.refuses("WrongStatement", job.fulfil())


def test_the_vault_is_no_refund_account(job: Job) -> None:
    """No request names it; by hand one does here."""
    job.assigned()
    vault, _ = vault_address(job.chain.program_id)
    job.chain.edit(job.address, REQUEST_ACCOUNT, refund_to=bytes(vault))
    job.chain.refuses("SameAccountTwice", with_account(job.fulfil(), 5, vault))


def test_a_statement_that_aliases_another_is_never_fulfilled(job: Job) -> None:
    """The program sees only the digest of what was asked for: that its inputs are below r shows when they are."""
    job.assigned()
    aliased = words(job.given.inputs[0] + r)
    digest = sha256(INPUTS_DIGEST_HEAD + (1).to_bytes(4, "big") + aliased).digest()
    job.chain.edit(job.address, REQUEST_ACCOUNT, inputs=digest)
    honest = job.fulfil()
    job.chain.refuses("InputOutOfRange", with_data(honest, honest.data[:-32] + aliased))


def test_it_keeps_its_shape(job: Job) -> None:
    job.assigned()
    keeps_its_shape(job.chain, FULFIL_REQUEST, job.fulfil())
