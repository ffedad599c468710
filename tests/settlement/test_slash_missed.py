"""slash_missed: a missed deadline costs the bond, once: part burned, part the requester's."""

import pytest

from proofgrid.settlement.addresses import vault_address
from proofgrid.settlement.layout.requests import MISSED, REQUEST_ACCOUNT, SLASH_MISSED
from tests.settlement.altered import with_account
from tests.settlement.jobs import FUNDS, Job
from tests.settlement.network import PARAMETERS, TOP
from tests.settlement.shape import keeps_its_shape


def test_a_missed_deadline_costs_the_bond(job: Job) -> None:
    job.assigned()
    supply = job.network.config.total_stake
    job.network.pass_time(150 + 300)
    job.chain.refuses("NotYetMissed", job.slash())
    job.network.pass_time(1)
    job.chain.send(job.slash())
    pool, burned = job.prover.pool, 160 // 2
    assert (pool.stake, pool.locked, pool.missed) == (5_000 - 160, 0, 1)
    assert job.network.config.burned == burned
    assert job.network.config.total_stake == supply - 160
    assert job.requester.balance == FUNDS + 160 - burned
    assert job.account.state == MISSED
    assert job.network.vault == job.owed()
    job.chain.refuses("RequestNotAssigned", job.slash())
    job.chain.send(job.close())
    assert job.is_gone()


def test_a_fulfilled_request_is_not_slashed(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil())
    job.network.pass_time(1_000)
    job.chain.refuses("RequestNotAssigned", job.slash())


def test_nobody_else_is_slashed(job: Job) -> None:
    job.assigned()
    job.network.pass_time(1_000)
    rival = job.network.prover(21, 5_000)
    job.chain.refuses("NotAssignedProver", with_account(job.slash(), 1, rival.prover))
    elsewhere = job.network.token_account(rival.key)
    job.chain.refuses("WrongTokenAccount", with_account(job.slash(), 4, elsewhere))
    job.chain.refuses("WrongVault", with_account(job.slash(), 3, elsewhere))


def test_stake_on_its_way_out_is_slashed_as_well(job: Job) -> None:
    job.assigned()
    job.chain.send(job.prover.exit(job.prover, 5_000_000), signers=[job.prover.keypair])
    job.network.pass_time(1_000)
    job.chain.refuses("StakeLocked", job.prover.withdraw(job.prover), signers=[job.prover.keypair])
    job.chain.send(job.slash())
    before = job.prover.balance
    job.chain.send(job.prover.withdraw(job.prover), signers=[job.prover.keypair])
    assert job.prover.balance - before == pytest.approx(5_000 - 160, abs=1)


@pytest.mark.parametrize(
    ("pool", "network"),
    [
        ({"locked": 159}, {}),
        ({"stake": 159}, {}),
        ({}, {"total_stake": 159}),
        ({}, {"burned": TOP - 79}),
    ],
    ids=str,
)
def test_slashes_do_not_overflow(job: Job, pool: dict[str, int], network: dict[str, int]) -> None:
    job.assigned()
    job.network.pass_time(451)
    job.network.edit_prover(job.prover, **pool)
    job.network.edit_config(**network)
    job.chain.refuses("Overflow", job.slash())


def test_refunds_do_not_overflow(job: Job) -> None:
    job.demanded()
    job.network.pass_time(1_000)
    for cap in (TOP - PARAMETERS.demand_bond + 1, TOP - PARAMETERS.demand_bond - 79):
        job.chain.edit(job.address, REQUEST_ACCOUNT, cap=cap)
        job.chain.refuses("Overflow", job.slash())


def test_an_open_request_is_not_slashed(job: Job) -> None:
    job.opened()
    job.network.pass_time(1_000)
    job.chain.refuses("RequestNotAssigned", job.slash())


def test_a_slashed_request_owes_nothing_more(job: Job) -> None:
    job.demanded()
    job.network.pass_time(1_000)
    job.chain.send(job.slash())
    account = job.account
    assert (account.state, account.bond, account.demand_bond, account.refund) == (MISSED, 0, 0, 0)


def test_the_vault_is_no_refund_account(job: Job) -> None:
    """No request names it; by hand one does here."""
    job.assigned()
    job.network.pass_time(451)
    vault, _ = vault_address(job.chain.program_id)
    job.chain.edit(job.address, REQUEST_ACCOUNT, refund_to=bytes(vault))
    job.chain.refuses("SameAccountTwice", with_account(job.slash(), 4, vault))


def test_it_keeps_its_shape(job: Job) -> None:
    job.assigned()
    job.network.pass_time(451)
    keeps_its_shape(job.chain, SLASH_MISSED, job.slash())
