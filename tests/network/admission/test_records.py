"""What the coordinator's own moves do to a prover's reputation."""

import pytest
from sqlalchemy import update

from proofgrid.models import AttemptState, Cause, CauseCode, Failure, ProveTask
from proofgrid.models.challenges import Admission
from proofgrid.network import leases
from proofgrid.network.admission import challenges, records
from proofgrid.network.admission.reputation import START, Tally
from proofgrid.network.admission.standing import standing
from proofgrid.network.database import AttemptRow, CircuitRow
from proofgrid.network.tables.admission import AdmissionRow
from tests.network.world import World, false_submission

PROVER = "a" * 64


def running(world: World, **changes: float) -> tuple[str, ProveTask]:
    """A request that a prover of another operator proves."""
    request_id, task = world.running(**changes)
    with world.database.writing() as session:
        session.execute(update(AttemptRow).where(AttemptRow.id == task.attempt_id).values(prover=PROVER))
    return request_id, task


def tally(world: World) -> Tally:
    with world.database.reading() as session:
        return records.tally_of(session, PROVER, world.now)


def test_an_accepted_proof_is_a_success_with_its_latency_and_measures_the_speed(world: World) -> None:
    with world.database.writing() as session:
        challenges.enrolled(session, PROVER, world.now)
        session.execute(update(CircuitRow).values(domain_size=8192))
    _, task = running(world)
    world.now += 4.0
    world.submit(task)
    world.coordinator.run_verify(world.now)
    found = tally(world)
    assert (found.successes, found.faults, found.invalid) == (1.0, 0.0, 0.0)
    assert found.latency(0.99) == pytest.approx(4.0, rel=0.2)
    with world.database.reading() as session:
        assert session.get_one(AdmissionRow, PROVER).proven_per_s == pytest.approx(2.0)


def test_a_false_proof_is_invalid_once_however_often_the_loop_runs(world: World) -> None:
    _, task = running(world)
    world.submit(task, false_submission())
    world.coordinator.run_verify(world.now)
    world.coordinator.run_verify(world.now)
    found = tally(world)
    assert (found.invalid, found.causes) == (1.0, {CauseCode.INVALID_PROOF.value: 1.0})
    assert found.score < START


def test_silence_and_a_missed_deadline_are_faults(world: World) -> None:
    running(world)
    world.now += world.config.timing.heartbeat_timeout_s + 1
    world.coordinator.run_reap(world.now)
    assert tally(world).causes == {CauseCode.WORKER_LOST.value: 1.0}
    world.dispatch()
    world.take()  # the same request again, to the own fleet
    running(world, deadline_s=5.0)
    world.now += 5.0
    world.coordinator.run_reap(world.now)
    assert tally(world).causes.keys() == {CauseCode.WORKER_LOST.value, CauseCode.DEADLINE_PASSED.value}


def test_an_attempt_that_ended_for_any_other_reason_than_the_deadline_is_no_fault(world: World) -> None:
    _, task = running(world)
    with world.database.writing() as session:
        attempt = session.get_one(AttemptRow, task.attempt_id)
        records.attempt_withdrawn(session, attempt, AttemptState.RUNNING, world.now)
    assert tally(world) == Tally(decayed_at=world.now)


def test_a_prover_that_gives_up_says_why_and_the_own_fleet_has_no_reputation(world: World) -> None:
    _, task = world.running()
    failure = Failure(cause=Cause(code=CauseCode.PROVER_ERROR, message="broke"), final=False)
    leases.fail(world.database, world.config, task.attempt_id, task.token, failure, world.now)
    with world.database.reading() as session:
        assert not standing(session, world.now)
    assert tally(world) == Tally(decayed_at=world.now)
    _, task = running(world)
    leases.fail(world.database, world.config, task.attempt_id, task.token, failure, world.now, PROVER)
    assert tally(world).faults == 1.0


def test_the_market_reads_everybody_that_asked(world: World) -> None:
    with world.database.writing() as session:
        row = challenges.enrolled(session, PROVER, world.now)
        row.state, row.msm_per_s, row.ntt_per_s = Admission.ADMITTED, 7168.0, 1e18
        challenges.enrolled(session, "b" * 64, world.now)
        records.heard(session, PROVER, world.now)
    with world.database.reading() as session:
        found = standing(session, world.now)
    assert set(found) == {PROVER, "b" * 64}
    assert found[PROVER].admitted
    assert found[PROVER].units_per_s == pytest.approx(1.0)
    assert found[PROVER].reputation == START
    assert not found["b" * 64].admitted
    assert found["b" * 64].units_per_s is None


def test_candidates_that_left_are_forgotten_and_too_many_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proofgrid.errors import QueueError
    from proofgrid.kernels.backend import select as select_backend
    from proofgrid.network.admission.examiner import Examiner

    examiner = Examiner.open(world.config, world.store, select_backend("native"))
    monkeypatch.setattr(challenges, "MAX_CANDIDATES", 1)
    with world.database.writing() as session:
        challenges.enrolled(session, PROVER, world.now)
    with pytest.raises(QueueError), world.database.writing() as session:
        challenges.enrolled(session, "b" * 64, world.now)
    world.now += challenges.FORGOTTEN_AFTER_S + 1
    challenges.tend(world.database, examiner, world.now)
    with world.database.reading() as session:
        assert not standing(session, world.now)
