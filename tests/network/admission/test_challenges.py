"""From candidate to admitted, and back: offers, answers, repeats, suspensions."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from proofgrid.config import AdmissionRules, NetworkConfig
from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.kernels.backend import select as select_backend
from proofgrid.models.challenges import (
    Admission,
    Challenge,
    ChallengeCall,
    ChallengeKind,
    ChallengeOffer,
    ChallengeOutcome,
    ChallengeState,
    StandingCode,
)
from proofgrid.network.admission import challenges, records
from proofgrid.network.admission.examiner import Examiner
from proofgrid.network.database import Database
from proofgrid.network.tables.admission import AdmissionRow, ChallengeRow, PointSetRow
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.worker.challenges import solve

ALICE, BOB = "a" * 64, "b" * 64
RULES = AdmissionRules(log_n=5, ntt_log_n=4, proof_log_n=4, target_s=0.01, rotate_after=50)


@dataclass
class Room:
    """One network's admission, and a clock."""

    database: Database
    examiner: Examiner
    store: ArtifactStore
    now: float = 1e9
    held: tuple[str, ...] = field(default=())

    def offer(self, prover: str = ALICE) -> ChallengeOffer:
        return challenges.offer(self.database, self.examiner, prover, ChallengeCall(artifacts=self.held), self.now)

    def challenge(self, prover: str = ALICE) -> Challenge:
        self.held = self.offer(prover).artifacts
        found = self.offer(prover).challenge
        assert found is not None
        return found

    def solution(self, challenge: Challenge) -> bytes:
        return solve(challenge, self.store.path, backend=self.examiner.backend)

    def answer(self, challenge: Challenge, content: bytes | None = None, prover: str = ALICE) -> ChallengeOutcome:
        content = self.solution(challenge) if content is None else content
        return challenges.answer(self.database, self.examiner, prover, challenge.id, content, self.now)

    def admit(self, prover: str = ALICE) -> None:
        for _ in range(RULES.passes):
            challenge = self.challenge(prover)
            self.now += 0.1
            outcome = self.answer(challenge, prover=prover)
            assert outcome.state is ChallengeState.PASSED, outcome

    def row(self, prover: str = ALICE) -> AdmissionRow:
        with self.database.reading() as session:
            return session.get_one(AdmissionRow, prover)

    def repeat(self) -> Challenge:
        self.now = self.row().due_at + 0.1
        return self.challenge()

    def expire(self, *busy: str) -> int:
        return challenges.expire(self.database, self.examiner, frozenset(busy), self.now)


@pytest.fixture
def room(tmp_path: Path, database_url: str | None) -> Iterator[Room]:
    config = NetworkConfig(state_folder=tmp_path, admission=RULES)
    database = Database(database_url or config.resolved_database_url, durable=False)
    store = ArtifactStore(config.store_folder)
    yield Room(database, Examiner.open(config, store, select_backend("native")), store)
    database.close()


def wrong(content: bytes) -> bytes:
    """The same bytes, one of them another."""
    return bytes([content[0] ^ 1]) + content[1:]


def test_a_candidate_is_admitted_after_challenges_of_every_kind(room: Room) -> None:
    kinds = []
    for number in range(RULES.passes):
        standing = room.offer().standing
        assert (standing.admission, standing.passed, standing.needed) == (Admission.CANDIDATE, number, RULES.passes)
        challenge = room.challenge()
        kinds.append(challenge.kind)
        room.now += 0.1
        outcome = room.answer(challenge)
        assert (outcome.state, outcome.cause) == (ChallengeState.PASSED, None)
        assert outcome.seconds == pytest.approx(0.1, abs=1e-3)
    assert set(kinds) == set(ChallengeKind)
    assert outcome.standing.admission is Admission.ADMITTED
    assert outcome.standing.units_per_s is not None
    assert room.row().due_at > room.now


def test_a_candidates_second_challenge_is_as_long_as_its_first_one_shows_and_the_latest_speed_counts(
    room: Room,
) -> None:
    steps, speeds = [], []
    for _ in range(RULES.passes):
        challenge = room.challenge()
        room.now += 0.001 if len(steps) < 3 else 0.01
        room.answer(challenge)
        steps.append((challenge.kind, challenge.steps))
        speeds.append(room.row().msm_per_s)
    first, second = (count for kind, count in steps if kind is ChallengeKind.MSM)
    assert first < second
    assert speeds[0] == pytest.approx(first * 32 / 0.001, rel=0.01)
    assert speeds[-1] == pytest.approx(second * 32 / 0.01, rel=0.01)
    challenge = room.repeat()
    while challenge.kind is not ChallengeKind.MSM:
        room.answer(challenge)
        challenge = room.repeat()
    room.now += 0.0001
    room.answer(challenge)
    assert room.row().msm_per_s < challenge.steps * 32 / 0.0002  # one fast answer does not make a fast prover


def test_nothing_is_offered_before_points_and_key_are_held_and_none_before_it_is_due(room: Room) -> None:
    offered = room.offer()
    assert offered.challenge is None
    assert len(offered.artifacts) == 2
    assert all(room.store.exists(digest) for digest in offered.artifacts)
    room.held = offered.artifacts[:1]
    assert room.offer().challenge is None
    room.admit()
    assert room.offer().challenge is None


def test_the_time_of_a_repeat_is_not_told(room: Room) -> None:
    room.admit()
    assert room.offer().standing.ask_again_at == room.now + challenges.ASK_AGAIN_S
    assert room.row().due_at > room.now + challenges.ASK_AGAIN_S


def test_asking_twice_gives_the_same_challenge_and_its_clock_runs_on(room: Room) -> None:
    first = room.challenge()
    room.now += 1
    assert room.challenge() == first


def test_an_answer_is_for_its_prover_and_its_challenge_and_counts_once(room: Room) -> None:
    challenge = room.challenge()
    content = room.solution(challenge)
    with pytest.raises(NotFound):
        room.answer(challenge, content, prover=BOB)
    with pytest.raises(NotFound):
        room.answer(challenge.model_copy(update={"id": "0" * 32}), content)
    first = room.answer(challenge, content)
    assert room.answer(challenge, content).standing == first.standing
    assert room.row().passed == 1
    with pytest.raises(Conflict):
        room.answer(challenge, wrong(content))


def test_two_provers_have_different_challenges_and_one_cannot_use_the_others_answer(room: Room) -> None:
    mine, theirs = room.challenge(ALICE), room.challenge(BOB)
    assert mine.seed != theirs.seed
    outcome = room.answer(mine, room.solution(theirs))
    assert (outcome.state, outcome.cause and outcome.cause.code) == (ChallengeState.WRONG, StandingCode.WRONG_ANSWER)


@pytest.mark.parametrize("kind", ChallengeKind)
def test_a_wrong_answer_of_any_kind_suspends_with_a_cause_that_says_what_to_do(room: Room, kind: ChallengeKind) -> None:
    challenge = room.challenge()
    while challenge.kind is not kind:
        room.answer(challenge)
        challenge = room.challenge()
    if kind is ChallengeKind.PROOF:  # a proof that is well formed, of another statement
        outcome = room.answer(challenge, room.solution(challenge.model_copy(update={"seed": "7" * 64})))
    else:
        content = room.solution(challenge)
        # Every sum is wrong: which ones are looked at is drawn.
        spoilt = b"".join(wrong(content[at : at + 32]) for at in range(0, len(content), 32))
        outcome = room.answer(challenge, spoilt)
    assert outcome.state is ChallengeState.WRONG
    assert outcome.standing.admission is Admission.SUSPENDED
    cause = outcome.standing.cause
    assert cause is not None
    assert cause.code is StandingCode.WRONG_ANSWER
    assert cause.advice
    assert room.offer().challenge is None
    assert outcome.standing.ask_again_at == room.now + RULES.suspension_s


def test_an_answer_of_the_wrong_form_is_told_and_counts_as_none(room: Room) -> None:
    challenge = room.challenge()
    with pytest.raises(MalformedInput):
        room.answer(challenge, b"\0")
    assert room.answer(challenge).state is ChallengeState.PASSED


def test_a_suspended_prover_passes_everything_again_and_waits_twice_as_long_the_next_time(room: Room) -> None:
    waits = []
    for _ in range(2):
        challenge = room.challenge()
        content = room.solution(challenge)
        spoilt = b"".join(wrong(content[at : at + 64]) for at in range(0, len(content), 64))
        outcome = room.answer(challenge, spoilt)
        waits.append(outcome.standing.ask_again_at - room.now)
        room.now = outcome.standing.ask_again_at - 1
        assert room.offer().challenge is None
        room.now += 1
    assert waits == [RULES.suspension_s, 2 * RULES.suspension_s]
    room.admit()
    assert (room.row().state, room.row().cause) == (Admission.ADMITTED, None)


def test_an_answer_up_to_the_bound_counts_and_one_after_it_does_not(room: Room) -> None:
    challenge = room.challenge()
    room.now = challenge.answer_until
    assert room.answer(challenge).state is ChallengeState.PASSED
    challenge = room.challenge()
    room.now = challenge.answer_until + 0.001
    outcome = room.answer(challenge)
    assert (outcome.state, outcome.cause and outcome.cause.code) == (ChallengeState.LATE, StandingCode.TOO_SLOW)
    assert outcome.standing.admission is Admission.SUSPENDED


def test_a_late_repeat_is_asked_again_soon_and_a_second_one_suspends(room: Room) -> None:
    room.admit()
    challenge = room.repeat()
    room.now = challenge.answer_until + 1
    assert room.expire() == 1
    row = room.row()
    assert (row.state, row.slow) == (Admission.ADMITTED, 1)
    challenge = room.repeat()
    room.now = challenge.answer_until + 1
    assert room.offer().standing.admission is Admission.SUSPENDED  # seen without the loop, too
    assert room.expire() == 0


def test_a_passed_repeat_clears_a_late_one_and_counts_for_reputation(room: Room) -> None:
    room.admit()
    challenge = room.repeat()
    room.now = challenge.answer_until + 1
    room.expire()
    challenge = room.repeat()
    before = room.offer().standing.reputation
    outcome = room.answer(challenge)
    assert outcome.state is ChallengeState.PASSED
    assert (room.row().slow, outcome.standing.cause) == (0, None)
    assert outcome.standing.reputation > before


def test_an_idle_prover_that_does_not_come_is_late_and_a_busy_one_is_left_alone(room: Room) -> None:
    room.admit()
    room.now = room.row().due_at + RULES.fetch_s
    assert room.expire() == 0
    room.now += 0.001
    assert room.expire(ALICE) == 0
    assert room.expire() == 1
    room.now = room.row().due_at + RULES.fetch_s + 1
    assert room.expire() == 1
    assert room.row().state is Admission.SUSPENDED
    cause = room.row().cause
    assert cause is not None
    assert cause["code"] == StandingCode.NOT_FETCHED


def test_points_are_rotated_and_an_open_challenge_over_the_old_ones_is_still_judged(room: Room) -> None:
    old = room.challenge()
    assert old.kind is ChallengeKind.MSM
    with room.database.writing() as session:
        session.get_one(PointSetRow, 0).n_issued = RULES.rotate_after
    fresh = room.offer(BOB).artifacts
    assert old.artifact not in fresh
    assert room.answer(old).state is ChallengeState.PASSED
    with room.database.reading() as session:
        assert [row.number for row in session.scalars(select(PointSetRow).order_by(PointSetRow.number))] == [0, 1]


def test_a_restart_keeps_secret_points_key_and_open_challenges(room: Room, tmp_path: Path) -> None:
    challenge = room.challenge()
    content = room.solution(challenge)
    config = NetworkConfig(state_folder=tmp_path, admission=RULES)
    again = dataclasses.replace(room, examiner=Examiner.open(config, room.store, room.examiner.backend))
    assert again.offer().artifacts == room.held
    assert again.answer(challenge, content).state is ChallengeState.PASSED
    assert (tmp_path / "secrets" / "admission").stat().st_mode & 0o777 == 0o600


def test_another_secret_makes_another_set_and_drops_what_it_cannot_judge(room: Room, tmp_path: Path) -> None:
    old = room.challenge()
    (tmp_path / "secrets" / "admission").unlink()
    room.examiner = Examiner.open(
        NetworkConfig(state_folder=tmp_path, admission=RULES), room.store, room.examiner.backend
    )
    fresh = room.challenge()
    assert (fresh.artifact != old.artifact, fresh.id != old.id) == (True, True)
    assert room.answer(fresh).state is ChallengeState.PASSED
    with pytest.raises(NotFound):
        room.answer(old)


def test_asking_is_a_sign_of_life_and_silence_is_downtime(room: Room) -> None:
    room.admit()
    for _ in range(30):
        room.offer()
        room.now += 10
    with room.database.reading() as session:
        tally = records.tally_of(session, ALICE, room.now)
    assert tally.watched_s == pytest.approx(tally.up_s)
    assert 240 <= tally.up_s <= 300
    room.now += 3600
    room.offer()
    with room.database.reading() as session:
        assert records.tally_of(session, ALICE, room.now).uptime < 0.6


def test_challenges_that_ended_are_forgotten_after_a_week_and_their_effect_is_not(room: Room) -> None:
    room.admit()
    room.now += challenges.KEPT_S
    challenges.tend(room.database, room.examiner, room.now)
    with room.database.reading() as session:
        assert len(session.scalars(select(ChallengeRow)).all()) == RULES.passes
    room.now += 3600
    challenges.tend(room.database, room.examiner, room.now)
    with room.database.reading() as session:
        assert not session.scalars(select(ChallengeRow)).all()
    assert room.row().msm_per_s is not None


def test_the_database_allows_one_open_challenge(room: Room) -> None:
    challenge = room.challenge()
    with room.database.reading() as session:
        row = session.get_one(ChallengeRow, challenge.id)
        values = {column.key: getattr(row, column.key) for column in ChallengeRow.__table__.columns}
    with pytest.raises(IntegrityError), room.database.writing() as session:  # noqa: PT012
        session.add(ChallengeRow(**{**values, "id": "1" * 32}))
        session.flush()
