"""assign_request: assigner and prover agree on a price, and the prover's stake is locked."""

from dataclasses import replace

from solders.instruction import AccountMeta, Instruction

from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout.requests import ASSIGN_REQUEST, ASSIGNED
from tests.settlement.altered import with_account
from tests.settlement.jobs import CAP, PRICE, Job
from tests.settlement.network import PARAMETERS, TOP
from tests.settlement.shape import keeps_its_shape


def test_assigning_locks_the_provers_stake(job: Job) -> None:
    job.opened()
    now = job.chain.svm.get_clock().unix_timestamp
    job.chain.send(job.assign(), signers=[job.assigner, job.prover.hot])
    account = job.account
    assert (account.state, account.price, account.bond) == (ASSIGNED, PRICE, PRICE * 2_000 // 10_000)
    assert account.prover == bytes(job.prover.prover)
    assert account.assigned_s == now
    assert account.settle_until_s == job.terms.expire_s + PARAMETERS.challenge_window_s + PARAMETERS.claim_window_s
    assert job.prover.pool.locked == 160


def test_the_bond_has_a_floor_and_direct_requests_settle_at_once(job: Job) -> None:
    job.terms = replace(job.terms, direct_only=True)
    job.assigned(price=1)
    assert (job.account.bond, job.account.settle_until_s) == (PARAMETERS.job_bond, job.terms.expire_s)


def test_both_sides_must_agree(job: Job) -> None:
    job.opened()
    chain, honest, hot = job.chain, job.assign(), job.prover.hot
    stranger = chain.fund(51)
    chain.refuses("NotAssigner", with_account(honest, 0, stranger.pubkey()), signers=[stranger, hot])
    chain.refuses("NotSigner", with_account(honest, 1, stranger.pubkey()), signers=[job.assigner, stranger])
    chain.refuses("NotSigner", with_account(honest, 1, job.prover.key), signers=[job.assigner, job.prover.keypair])
    for index, signer in ((0, hot), (1, job.assigner)):
        metas = list(honest.accounts)
        metas[index] = AccountMeta(metas[index].pubkey, False, False)
        chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, metas), signers=[signer])


def test_prices_that_cannot_be_are_refused(job: Job) -> None:
    job.opened()
    signers = [job.assigner, job.prover.hot]
    job.chain.refuses("PriceOverCap", job.assign(CAP + 1), signers=signers)
    job.chain.refuses("AmountTooSmall", job.assign(0), signers=signers)
    job.chain.send(job.assign(CAP), signers=signers)
    assert job.account.price == CAP


def test_a_prover_without_free_stake_is_refused(job: Job) -> None:
    job.opened()
    signers = [job.assigner, job.prover.hot]
    job.network.edit_prover(job.prover, locked=5_000 - 159)
    job.chain.refuses("StakeLocked", job.assign(), signers=signers)
    job.network.edit_prover(job.prover, locked=0, stake=990)
    job.chain.refuses("StakeTooSmall", job.assign(), signers=signers)
    job.network.edit_prover(job.prover, stake=5_000, exiting_shares=4_900_000)
    job.chain.refuses("StakeTooSmall", job.assign(), signers=signers)


def test_assignments_have_their_time(job: Job) -> None:
    job.assigned()
    signers = [job.assigner, job.prover.hot]
    job.chain.refuses("RequestNotOpen", job.assign(), signers=signers)
    job.nonce += 1
    job.opened()
    job.network.pass_time(100)
    job.chain.refuses("TooLate", job.assign(), signers=signers)
    stop = config.set_paused(job.chain.program_id, job.network.guardian.pubkey(), paused=True)
    job.chain.send(stop, signers=[job.network.guardian])
    job.chain.refuses("Paused", job.assign(), signers=signers)


def test_more_locked_than_active_backs_nothing(job: Job) -> None:
    """A slash may leave less stake than is locked."""
    job.opened()
    job.network.edit_prover(job.prover, locked=5_001)
    job.chain.refuses("StakeLocked", job.assign(), signers=[job.assigner, job.prover.hot])


def test_the_last_free_tokens_back_a_request(job: Job) -> None:
    job.network.edit_prover(job.prover, locked=5_000 - 160)
    job.assigned()
    assert job.prover.pool.locked == 5_000


def test_the_least_stake_is_enough(job: Job) -> None:
    job.network.edit_prover(job.prover, stake=1_000, shares=1_000_000)
    job.assigned()
    assert job.prover.pool.locked == 160


def test_a_pool_that_cannot_be_is_refused(job: Job) -> None:
    job.opened()
    job.network.edit_prover(job.prover, stake=TOP)
    job.chain.refuses("Overflow", job.assign(), signers=[job.assigner, job.prover.hot])


def test_it_keeps_its_shape(job: Job) -> None:
    job.opened()
    keeps_its_shape(job.chain, ASSIGN_REQUEST, job.assign(), [job.assigner, job.prover.hot])
