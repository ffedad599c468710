"""A prover's challenges in the database: offered, answered, missed; and what follows for its admission.

Each move of a challenge is a compare-and-set from ``open``; what follows is written in the same transaction, under a
lock on the prover's row. Answers are judged outside of any transaction.
"""

import hashlib
import random
import secrets
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from proofgrid.config import AdmissionRules
from proofgrid.errors import Conflict, InvalidProof, NotFound, QueueError
from proofgrid.models.challenges import (
    Admission,
    Challenge,
    ChallengeCall,
    ChallengeKind,
    ChallengeOffer,
    ChallengeOutcome,
    ChallengeState,
    ProverStanding,
    StandingCause,
)
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.admission import causes, policy
from proofgrid.network.admission.examiner import Exam, Examiner
from proofgrid.network.admission.records import change, heard, tally_of
from proofgrid.network.admission.reputation import CHALLENGE_WEIGHT
from proofgrid.network.database import AttemptRow, Database
from proofgrid.network.tables.admission import AdmissionRow, ChallengeRow, PointSetRow

ASK_AGAIN_S = 10.0
SLOW_LIMIT = 2
"""Repeats missed or late in a row that suspend a prover."""
MAX_CANDIDATES = 10_000
"""Keys are free: so many may try at once."""
FORGOTTEN_AFTER_S = 86400.0
KEPT_S = 7 * 86400.0
"""Challenges that ended; their effect stays in the prover's row."""
_CLOSED = tuple(state for state in ChallengeState if state is not ChallengeState.OPEN)
_DRAW = random.SystemRandom()


def offer(database: Database, examiner: Examiner, prover: str, call: ChallengeCall, now: float) -> ChallengeOffer:
    """The challenge that is open or due for ``prover``, or when to ask again. Asking twice gives the same challenge.

    The first call makes the prover a candidate. Its clock starts here, so what a challenge needs is named beforehand
    and must be held (``call.artifacts``).
    """
    rules = examiner.rules
    points, key = examiner.current_set(database, now), examiner.proving_key()
    with database.writing() as session:
        row = enrolled(session, prover, now)
        if row.state is Admission.ADMITTED:
            heard(session, prover, now)
        challenge = _open(session, prover)
        if challenge is not None and challenge.answer_until < now:
            _end_slow(session, examiner, row, challenge, causes.no_answer(challenge), now)
            challenge = None
        if challenge is None and row.due_at <= now and {points.digest, key} <= set(call.artifacts):
            if row.state is Admission.SUSPENDED:
                row.state, row.passed, row.slow, row.updated_at = Admission.CANDIDATE, 0, 0, now
            challenge = _issue(session, rules, row, points, key, now)
        standing = _standing(session, rules, row, now)
    return ChallengeOffer(
        challenge=None if challenge is None else _message(challenge),
        artifacts=(points.digest, key),
        standing=standing,
    )


def answer(
    database: Database, examiner: Examiner, prover: str, challenge_id: str, content: bytes, now: float
) -> ChallengeOutcome:
    """Judge an answer that came at ``now``; the same answer again gets the same outcome.

    Raises NotFound for another's challenge, Conflict for a second answer, MalformedInput for one of the wrong form,
    which counts as none.
    """
    digest = hashlib.sha256(content).hexdigest()
    with database.reading() as session:
        row = session.get(ChallengeRow, challenge_id)
        if row is None or row.prover != prover:
            raise NotFound(f"no challenge of this prover is named {challenge_id}")
    if row.state is not ChallengeState.OPEN:
        return _again(database, examiner, row, digest, now)
    cause: StandingCause | None = None
    if now > row.answer_until:
        state, cause = ChallengeState.LATE, causes.too_slow(row, now)
    else:
        state = ChallengeState.PASSED
        try:
            examiner.judge(Exam(row.kind, bytes.fromhex(row.seed), row.log_n, row.steps, row.set_number), content)
        except InvalidProof as error:
            state, cause = ChallengeState.WRONG, causes.wrong_answer(row, error)
    with database.writing() as session:
        if not _move(session, row.id, state, seconds=now - row.issued_at, answer_digest=digest, cause=_document(cause)):
            moved = session.get_one(ChallengeRow, row.id)
            return _outcome(session, examiner, moved, now) if moved.answer_digest == digest else _refuse()
        standing = enrolled(session, prover, now)
        if state is ChallengeState.PASSED:
            _passed(session, examiner, standing, row, now)
        elif state is ChallengeState.WRONG:
            suspend(examiner.rules, standing, cast(StandingCause, cause), now)
        else:
            _slow(examiner, standing, cast(StandingCause, cause), now)
        return _outcome(session, examiner, session.get_one(ChallengeRow, row.id), now)


def expire(database: Database, examiner: Examiner, busy: frozenset[str], now: float) -> int:
    """End challenges without an answer, and note admitted provers that do not come for a repeat; their number.

    ``busy`` provers have work: theirs waits.
    """
    late = select(ChallengeRow).where(ChallengeRow.state == ChallengeState.OPEN, ChallengeRow.answer_until < now)
    absent = select(AdmissionRow.prover).where(
        AdmissionRow.state == Admission.ADMITTED, AdmissionRow.due_at < now - examiner.rules.fetch_s
    )
    with database.reading() as session:
        overdue = session.scalars(late).all()
        missing = [prover for prover in session.scalars(absent) if prover not in busy and not _open(session, prover)]
    done = 0
    for challenge in overdue:
        with database.writing() as session:
            row = enrolled(session, challenge.prover, now)
            done += _end_slow(session, examiner, row, challenge, causes.no_answer(challenge), now)
    for prover in missing:
        with database.writing() as session:
            row = enrolled(session, prover, now)
            if row.state is Admission.ADMITTED and row.due_at < now - examiner.rules.fetch_s:
                _slow(examiner, row, causes.not_fetched(examiner.rules.fetch_s), now)
                done += 1
    return done


def tend(database: Database, examiner: Examiner, now: float) -> int:
    """:func:`expire`, and what is old is forgotten; a coordinator's tick. The number of challenges that ended."""
    busy = select(AttemptRow.prover).where(AttemptRow.prover.is_not(None), AttemptRow.state.in_(LIVE_ATTEMPTS))
    gone = (AdmissionRow.state == Admission.CANDIDATE) & (AdmissionRow.updated_at < now - FORGOTTEN_AFTER_S)
    old = (ChallengeRow.state.in_(_CLOSED)) & (ChallengeRow.answer_until < now - KEPT_S)
    with database.reading() as session:
        working = frozenset(prover for prover in session.scalars(busy.distinct()) if prover is not None)
        has_gone = session.scalar(select(AdmissionRow.prover).where(gone).limit(1)) is not None
        has_old = session.scalar(select(ChallengeRow.id).where(old).limit(1)) is not None
    if has_gone or has_old:
        with database.writing() as session:
            session.execute(delete(AdmissionRow).where(gone))
            session.execute(delete(ChallengeRow).where(old))
    return expire(database, examiner, working, now)


def enrolled(session: Session, prover: str, now: float) -> AdmissionRow:
    """The prover's row, locked; a candidate's if it is new."""
    row = session.get(AdmissionRow, prover, with_for_update=True)
    if row is None:
        candidates = select(func.count()).where(AdmissionRow.state == Admission.CANDIDATE)
        if (session.scalar(candidates) or 0) >= MAX_CANDIDATES:
            raise QueueError("too many provers want to be admitted at this moment; ask again in an hour")
        row = AdmissionRow(prover=prover, due_at=now, created_at=now, updated_at=now)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # two first calls at once
            row = session.get_one(AdmissionRow, prover, with_for_update=True, populate_existing=True)
    return row


def suspend(rules: AdmissionRules, row: AdmissionRow, cause: StandingCause, now: float) -> None:
    """Take a prover out of work until it passes again; each suspension is twice as long as the one before."""
    row.state, row.passed, row.slow, row.cause = Admission.SUSPENDED, 0, 0, _document(cause)
    row.due_at = now + policy.suspension_s(rules, row.suspensions)
    row.suspensions, row.updated_at = row.suspensions + 1, now


def _passed(session: Session, examiner: Examiner, row: AdmissionRow, challenge: ChallengeRow, now: float) -> None:
    rules = examiner.rules
    speed = (challenge.steps << challenge.log_n) / max(now - challenge.issued_at, 1e-3)
    # A candidate's first challenges are short, and their times mostly the way there and back: the latest counts.
    is_first = row.state is Admission.CANDIDATE
    if challenge.kind is ChallengeKind.MSM:
        row.msm_per_s = speed if is_first else policy.smoothed(row.msm_per_s, speed)
    elif challenge.kind is ChallengeKind.NTT:
        row.ntt_per_s = speed if is_first else policy.smoothed(row.ntt_per_s, speed)
    row.passed, row.slow, row.updated_at = row.passed + 1, 0, now
    if row.state is Admission.CANDIDATE and row.passed >= rules.passes:
        row.state = Admission.ADMITTED
    if row.state is Admission.ADMITTED:
        row.cause = None
        row.due_at = policy.next_repeat_at(rules, now, row.slow, examiner.secret, _DRAW)
        change(session, row.prover, now, lambda tally: tally.succeeded(now, weight=CHALLENGE_WEIGHT))
    else:
        row.due_at = now


def _slow(examiner: Examiner, row: AdmissionRow, cause: StandingCause, now: float) -> None:
    """A challenge was missed or late: candidates begin anew, others are asked again soon, then suspended."""
    row.slow, row.passed, row.cause, row.updated_at = row.slow + 1, 0, _document(cause), now
    if row.state is not Admission.ADMITTED or row.slow >= SLOW_LIMIT:
        suspend(examiner.rules, row, cause, now)
    else:
        row.due_at = policy.next_repeat_at(examiner.rules, now, row.slow, examiner.secret, _DRAW)


def _end_slow(
    session: Session, examiner: Examiner, row: AdmissionRow, challenge: ChallengeRow, cause: StandingCause, now: float
) -> bool:
    if not _move(session, challenge.id, ChallengeState.LATE, seconds=now - challenge.issued_at, cause=_document(cause)):
        return False
    _slow(examiner, row, cause, now)
    return True


def _issue(
    session: Session, rules: AdmissionRules, row: AdmissionRow, points: PointSetRow, key: str, now: float
) -> ChallengeRow:
    kind = policy.kind_of(row.passed, row.state is Admission.ADMITTED, _DRAW)
    per_s = row.msm_per_s if kind is ChallengeKind.MSM else row.ntt_per_s
    steps = policy.steps_of(rules, kind, per_s)
    artifacts = {ChallengeKind.MSM: points.digest, ChallengeKind.PROOF: key}
    challenge = ChallengeRow(
        id=secrets.token_hex(16),
        prover=row.prover,
        kind=kind,
        seed=secrets.token_hex(32),
        log_n=points.log_n if kind is ChallengeKind.MSM else policy.log_n_of(rules, kind),
        steps=steps,
        artifact=artifacts.get(kind),
        set_number=points.number,
        issued_at=now,
        answer_until=now + policy.time_bound_s(rules, kind, steps, per_s),
    )
    session.add(challenge)
    session.execute(
        update(PointSetRow).where(PointSetRow.number == points.number).values(n_issued=PointSetRow.n_issued + 1)
    )
    session.flush()
    return challenge


def _open(session: Session, prover: str) -> ChallengeRow | None:
    return session.scalar(
        select(ChallengeRow).where(ChallengeRow.prover == prover, ChallengeRow.state == ChallengeState.OPEN)
    )


def _move(session: Session, challenge_id: str, new: ChallengeState, **values: Any) -> bool:
    statement = update(ChallengeRow).where(ChallengeRow.id == challenge_id, ChallengeRow.state == ChallengeState.OPEN)
    result = cast(
        CursorResult[Any],
        session.execute(statement.values(state=new, **values), execution_options={"synchronize_session": "fetch"}),
    )
    return result.rowcount == 1


def _again(database: Database, examiner: Examiner, row: ChallengeRow, digest: str, now: float) -> ChallengeOutcome:
    if row.answer_digest is not None and row.answer_digest != digest:
        _refuse()
    with database.reading() as session:
        return _outcome(session, examiner, row, now)


def _refuse() -> ChallengeOutcome:
    raise Conflict("this challenge was answered before; ask for the next one")


def _outcome(session: Session, examiner: Examiner, challenge: ChallengeRow, now: float) -> ChallengeOutcome:
    row = session.get_one(AdmissionRow, challenge.prover)
    return ChallengeOutcome(
        state=challenge.state,
        seconds=challenge.seconds or 0.0,
        cause=None if challenge.cause is None else StandingCause.model_validate(challenge.cause),
        standing=_standing(session, examiner.rules, row, now),
    )


def _standing(session: Session, rules: AdmissionRules, row: AdmissionRow, now: float) -> ProverStanding:
    # A repeat's time is the coordinator's secret: an admitted prover asks every few seconds.
    is_told = row.state is not Admission.ADMITTED
    return ProverStanding(
        admission=row.state,
        passed=min(row.passed, rules.passes),
        needed=rules.passes,
        units_per_s=policy.units_per_s(row.msm_per_s, row.ntt_per_s, row.proven_per_s),
        reputation=tally_of(session, row.prover, now).score,
        cause=None if row.cause is None else StandingCause.model_validate(row.cause),
        ask_again_at=max(row.due_at, now) if is_told else now + ASK_AGAIN_S,
    )


def _message(row: ChallengeRow) -> Challenge:
    return Challenge(
        id=row.id,
        kind=row.kind,
        seed=row.seed,
        log_n=row.log_n,
        steps=row.steps,
        artifact=row.artifact,
        issued_at=row.issued_at,
        answer_until=row.answer_until,
    )


def _document(cause: StandingCause | None) -> dict[str, Any] | None:
    return None if cause is None else cause.model_dump(mode="json")
