"""Usage records, and what they must agree with."""

import pytest

from proofgrid.models import AttemptState, Cause, CauseCode, Failure
from proofgrid.network import leases, requests
from proofgrid.network.database import AttemptRow, RequestRow
from proofgrid.network.market import usage
from proofgrid.network.tables.market import UsageRow
from tests.network.market.bazaar import FLEET, Bazaar, key_of
from tests.network.world import ASK


def records(bazaar: Bazaar) -> list[UsageRow]:
    with bazaar.world.database.reading() as session:
        return session.query(UsageRow).order_by(UsageRow.assigned_at).all()


def differences(bazaar: Bazaar) -> list[str]:
    with bazaar.world.database.reading() as session:
        return [found.sentence for found in usage.reconcile(session, bazaar.world.config)]


def test_a_proof_uses_the_seconds_from_claim_to_submission(bazaar: Bazaar) -> None:
    bazaar.ask(1, 100)
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.world.now += 7
    bazaar.prove(request_id, seconds=3.0)
    (record,) = records(bazaar)
    assert (record.prover, record.units, record.seconds) == (key_of(1), 1, 3.0)
    assert (record.ask_lamports, record.second_lamports, record.price_lamports) == (100, ASK, ASK)
    assert record.outcome is AttemptState.ACCEPTED


def test_a_failure_is_used_time_too_and_an_unclaimed_attempt_is_not(bazaar: Bazaar) -> None:
    failed, unclaimed = bazaar.place(), bazaar.place()
    bazaar.dispatch()
    attempt, world = bazaar.claim(failed), bazaar.world
    world.now += 2
    failure = Failure(cause=Cause(code=CauseCode.MALFORMED_INPUT), final=True)
    leases.fail(world.database, world.config, attempt.id, attempt.token, failure, world.now)
    with world.database.writing() as session:
        requests.cancel(session, unclaimed, "local", world.now)
    assert usage.close_ended(world.database, world.now) == 2
    assert usage.close_ended(world.database, world.now) == 0
    assert sorted((one.outcome, one.seconds) for one in records(bazaar)) == [
        (AttemptState.FAILED, 2.0),
        (AttemptState.WITHDRAWN, 0.0),
    ]


def test_what_ran_reconciles_up_to_the_receipt(bazaar: Bazaar) -> None:
    for _ in range(2):
        request_id = bazaar.place(pay_until_s=5.0)
        bazaar.dispatch()
        bazaar.prove(request_id, seconds=3.0)
        bazaar.world.now += 3
    assert bazaar.world.settle() == 2
    assert differences(bazaar) == []


@pytest.mark.parametrize(
    ("table", "values", "told"),
    [
        (UsageRow, {"price_lamports": ASK + 1}, "usage says the price is 501, the attempt 500"),
        (UsageRow, {"prover": "0" * 64}, f"the receipt names prover {FLEET}, usage {'0' * 64}"),
        (UsageRow, {"outcome": AttemptState.LOST}, "usage says the attempt was lost, but it was accepted"),
        (RequestRow, {"price_lamports": ASK - 1}, "500 are due by usage and the late rule, the request says 499"),
        (RequestRow, {"price_lamports": ASK - 1}, "the receipt's price is 500, the request's 499"),
        (AttemptRow, {"prover": "1" * 64}, f"usage names prover {FLEET}, the attempt {'1' * 64}"),
    ],
    ids=range(6),
)
def test_each_difference_is_told(
    bazaar: Bazaar, table: type[UsageRow | RequestRow | AttemptRow], values: dict[str, object], told: str
) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.prove(request_id)
    bazaar.world.settle()
    with bazaar.world.database.writing() as session:
        session.query(table).update(values)
    assert told in differences(bazaar)


def test_an_attempt_without_a_record_is_told(bazaar: Bazaar) -> None:
    request_id = bazaar.place()
    bazaar.dispatch()
    bazaar.prove(request_id)
    with bazaar.world.database.writing() as session:
        session.query(UsageRow).delete()
    assert differences(bazaar) == ["attempt 1 has no usage record"]
