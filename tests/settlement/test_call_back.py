"""call_back: the requester's program is told once, by us, within its units, and never at the prover's cost."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from proofgrid.settlement.instructions import requests
from proofgrid.settlement.layout.requests import CALL_BACK, FULFILLED
from proofgrid.settlement.program import build
from tests.settlement.jobs import Job
from tests.settlement.shape import keeps_its_shape


@cache
def callee() -> bytes:
    return build.build_other(Path(__file__).parent / "programs" / "callback.c")


class Callback:
    """The program of `programs/callback.c` with its counter, named by a job's request."""

    def __init__(self, job: Job, mode: int = 0, units: int = 5_000) -> None:
        self.job, self.program, self.counter = job, Pubkey.new_unique(), Pubkey.new_unique()
        job.chain.svm.add_program(self.program, callee())
        job.chain.forge(self.counter, bytes([mode, 0]), self.program)
        job.terms = replace(job.terms, callback_program=self.program, callback_units=units)
        job.assigned()

    def call(self, program: Pubkey | None = None, *more: AccountMeta) -> requests.Instruction:
        metas = [AccountMeta(self.counter, False, True), *more]
        return requests.call_back(self.job.chain.program_id, self.job.address, program or self.program, metas)

    @property
    def count(self) -> int:
        account = self.job.chain.svm.get_account(self.counter)
        assert account is not None
        return account.data[1]


def test_the_program_is_told_once(job: Job) -> None:
    callback = Callback(job)
    job.chain.refuses("NoCallbackDue", callback.call())
    job.chain.send(job.fulfil(), callback.call())
    assert callback.count == 1
    assert job.account.callback_due == 0
    job.chain.refuses("NoCallbackDue", callback.call())


def test_anyone_may_tell_it_later(job: Job) -> None:
    callback = Callback(job)
    job.chain.send(job.fulfil())
    assert (callback.count, job.account.callback_due) == (0, 1)
    job.chain.refuses("CallbackDue", job.close())
    job.chain.send(callback.call())
    assert callback.count == 1
    job.chain.send(job.close())


@pytest.mark.parametrize("mode", [1, 2])
def test_a_program_that_fails_costs_the_prover_nothing(job: Job, mode: int) -> None:
    callback = Callback(job, mode)
    job.chain.send(job.fulfil())
    assert job.account.state == FULFILLED
    assert job.prover.pool.earned > 0
    job.chain.refuses("Custom(5)" if mode == 1 else "ProgramFailedToComplete", callback.call())
    assert job.account.callback_due == 1
    # the requester may give it up
    job.chain.send(job.close(signed=True), signers=[job.requester.keypair])
    assert job.is_gone()


def test_signatures_do_not_pass(job: Job) -> None:
    callback = Callback(job)
    job.chain.send(job.fulfil())
    payer = AccountMeta(job.chain.payer.pubkey(), True, True)
    job.chain.send(callback.call(None, payer))
    assert callback.count == 1


def test_another_program_is_not_called(job: Job) -> None:
    callback = Callback(job)
    job.chain.send(job.fulfil())
    job.chain.refuses("WrongCallbackProgram", callback.call(Pubkey.new_unique()))


def test_without_a_program_nothing_is_due(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil())
    assert job.account.callback_due == 0


def test_what_is_read_only_stays_so(job: Job) -> None:
    """The request is shown to the program, not given: even when the caller names it once more, as writable."""
    callback = Callback(job)
    job.chain.send(job.fulfil())
    another = AccountMeta(Pubkey.new_unique(), False, False)
    job.chain.send(callback.call(None, AccountMeta(job.address, False, True), another))
    assert callback.count == 1


def test_it_keeps_its_shape(job: Job) -> None:
    callback = Callback(job)
    job.chain.send(job.fulfil())
    keeps_its_shape(job.chain, CALL_BACK, callback.call())
