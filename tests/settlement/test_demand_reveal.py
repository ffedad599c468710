"""demand_reveal: a requester demands its proof on chain, for a bond, and the prover answers or loses."""

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.layout.requests import DEMAND_REVEAL, DEMANDED
from tests.settlement.altered import with_account
from tests.settlement.jobs import CAP, FEE, FUNDS, PRICE, Job
from tests.settlement.network import PARAMETERS
from tests.settlement.shape import keeps_its_shape


def test_an_answered_demand_pays_in_full_and_the_bond(job: Job) -> None:
    job.demanded()
    now = job.chain.svm.get_clock().unix_timestamp
    assert (job.account.state, job.account.demand_bond) == (DEMANDED, PARAMETERS.demand_bond)
    assert job.account.answer_until_s == max(job.terms.expire_s, now + PARAMETERS.reveal_window_s)
    assert job.requester.balance == FUNDS - CAP - PARAMETERS.demand_bond
    job.network.pass_time(150)
    job.chain.send(job.fulfil())
    income = PRICE - FEE
    assert job.prover.pool.earned == income - income // 10 + PARAMETERS.demand_bond
    assert job.requester.balance == FUNDS - PRICE - PARAMETERS.demand_bond
    assert job.network.vault == job.owed()


def test_an_unanswered_demand_costs_the_bond(job: Job) -> None:
    job.assigned()
    job.network.pass_time(140)
    job.chain.send(job.demand(), signers=[job.requester.keypair])
    job.network.pass_time(PARAMETERS.reveal_window_s)
    job.chain.refuses("NotYetMissed", job.slash())
    job.network.pass_time(1)
    job.chain.refuses("TooLate", job.fulfil())
    job.chain.send(job.slash())
    assert job.requester.balance == FUNDS + 80
    assert job.network.vault == job.owed()


def test_demands_have_their_time_and_their_requester(job: Job) -> None:
    job.opened()
    signers = [job.requester.keypair]
    job.chain.refuses("RequestNotAssigned", job.demand(), signers=signers)
    job.chain.send(job.assign(), signers=[job.assigner, job.prover.hot])
    stranger = job.network.person(31, 1_000)
    stolen = with_account(with_account(job.demand(), 0, stranger.key), 3, stranger.tokens)
    job.chain.refuses("WrongRequester", stolen, signers=[stranger.keypair])
    job.chain.refuses("WrongVault", with_account(job.demand(), 4, stranger.tokens), signers=signers)
    job.network.pass_time(451)
    job.chain.refuses("TooLate", job.demand(), signers=signers)


def test_one_demand_is_enough(job: Job) -> None:
    job.demanded()
    job.chain.refuses("RequestNotAssigned", job.demand(), signers=[job.requester.keypair])


def test_a_demand_is_made_in_the_last_second(job: Job) -> None:
    job.assigned()
    job.network.pass_time(450)
    job.chain.send(job.demand(), signers=[job.requester.keypair])
    assert job.account.state == DEMANDED


def test_the_vault_pays_no_bond(job: Job) -> None:
    job.assigned()
    vault, _ = vault_address(job.chain.program_id)
    job.chain.refuses("SameAccountTwice", with_account(job.demand(), 3, vault), signers=[job.requester.keypair])


def test_it_keeps_its_shape(job: Job) -> None:
    job.assigned()
    keeps_its_shape(job.chain, DEMAND_REVEAL, job.demand(), [job.requester.keypair])
