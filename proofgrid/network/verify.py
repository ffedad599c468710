"""The verify loop: nothing is fulfilled, paid or written on chain before the verifier's yes."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from proofgrid.config import NetworkConfig
from proofgrid.errors import MalformedInput, NotFound
from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment, Submission, Verification
from proofgrid.network.admission.records import attempt_ended
from proofgrid.network.attempts import end_attempt
from proofgrid.network.database import AttemptRow, CircuitRow, Database, RequestRow
from proofgrid.network.judging.cases import Case, Judge, JudgeFailed, Key, read_submission
from proofgrid.network.locks import lock_request_of
from proofgrid.network.market.pricing import payable
from proofgrid.network.transitions import move_attempt, move_fulfilment, move_verification
from proofgrid.prover.artifacts import ArtifactStore

log = logging.getLogger(__name__)

REFUSALS = frozenset({CauseCode.INVALID_PROOF, CauseCode.INPUTS_MISMATCH})
"""The verifier's no. Any other cause is an accident, which says nothing of the proof."""


@dataclass(frozen=True)
class Verdict:
    """``cause`` is None for a true proof of the right statement."""

    attempt_id: str
    cause: Cause | None


MOST_AT_ONCE = 32
"""Proofs of one key that are judged together: one of them that kills the judge costs each of the others a turn."""
TICK_S = 20.0
"""What a tick may take before it leaves the rest to the next, so that health is told of each."""


@dataclass(frozen=True)
class _Submitted:
    attempt_id: str
    digest: str
    expected: tuple[str, ...] | None


def verify_submitted(
    database: Database, store: ArtifactStore, judge: Judge, config: NetworkConfig, clock: Callable[[], float]
) -> int:
    """Check each submitted proof and write its verdict and when; their number. Checking holds no transaction.

    Proofs of one key are judged together. Where the judge fails over them, each is judged alone, and who is alone when
    it fails twice, the second time a fresh one, ends as ``VERIFIER_FAILED``: nobody else pays for that.
    """
    ends_at, done = time.monotonic() + TICK_S, 0
    for key, submitted in _submitted(database):
        for verdict in _verdicts(store, judge, config, key, submitted):
            _record(database, config, verdict, clock())
            done += 1
            if time.monotonic() > ends_at:
                return done
    return done


def load_submission(store: ArtifactStore, digest: str, config: NetworkConfig) -> Submission:
    """A stored submission; raises :class:`NotFound`, :class:`MalformedInput`."""
    return read_submission(_content(store, digest, config), f"the stored proof {digest}")


def _content(store: ArtifactStore, digest: str, config: NetworkConfig) -> bytes:
    return store.read(digest, max_bytes=2 * config.limits.max_submission_bytes)


def _submitted(database: Database) -> Iterator[tuple[Key, list[_Submitted]]]:
    """What waits for a verdict, by key, the longest waiting first, at most ``MOST_AT_ONCE`` at a time."""
    with database.reading() as session:
        rows = session.execute(
            select(
                AttemptRow.id,
                AttemptRow.result_digest,
                RequestRow.expected_public_inputs,
                CircuitRow.verifying_key_digest,
                CircuitRow.verifying_key,
            )
            .join(AttemptRow.request)
            .join(RequestRow.circuit)
            .where(AttemptRow.state == AttemptState.SUBMITTED)
            .order_by(RequestRow.sequence)
        ).all()
    keys: dict[str, Key] = {}
    waiting: dict[str, list[_Submitted]] = {}
    for identity, digest, expected, key_digest, document in rows:
        keys.setdefault(key_digest, Key(key_digest, document))
        one = _Submitted(identity, digest, None if expected is None else tuple(expected))
        waiting.setdefault(key_digest, []).append(one)
    for key_digest, of_key in waiting.items():
        for start in range(0, len(of_key), MOST_AT_ONCE):
            yield keys[key_digest], of_key[start : start + MOST_AT_ONCE]


def _verdicts(
    store: ArtifactStore, judge: Judge, config: NetworkConfig, key: Key, submitted: Sequence[_Submitted]
) -> Iterator[Verdict]:
    """A verdict for each; what the store has lost or never should have taken is not shown to the judge."""
    cases: dict[str, Case] = {}
    for one in submitted:
        try:
            cases[one.attempt_id] = Case(_content(store, one.digest, config), one.expected)
        except NotFound as error:
            cause = Cause(code=CauseCode.ARTIFACT_UNAVAILABLE, message=f"the submitted proof was lost: {error}")
            yield Verdict(one.attempt_id, cause)
        except MalformedInput as error:
            yield Verdict(one.attempt_id, Cause(code=CauseCode.INVALID_PROOF, message=str(error)[:2000]))
    if not cases:
        return
    try:
        said = judge.judge(key, list(cases.values()))
    except JudgeFailed as error:
        log.warning("the verifier failed over %d proofs (%s); each is judged alone", len(cases), error)
        tries = 1 if len(cases) == 1 else 2  # who was alone has had a try
        for identity, case in cases.items():
            yield Verdict(identity, _alone(judge, key, case, tries))
    else:
        for identity, opinion in zip(cases, said, strict=True):
            yield Verdict(identity, opinion)


def _alone(judge: Judge, key: Key, case: Case, tries: int) -> Cause | None:
    """The opinion on one case, the last try by a fresh judge."""
    words = ""
    for _ in range(tries):
        try:
            return judge.judge(key, [case])[0]
        except JudgeFailed as error:
            words = str(error)
    message = f"the verifier failed over this proof alone and gave no verdict: {words}"
    return Cause(code=CauseCode.VERIFIER_FAILED, message=message[:2000])


def _price(attempt: AttemptRow, config: NetworkConfig) -> int:
    """What the requester pays: the price of the assignment, by the late rule, within the cap."""
    request = attempt.request
    price = config.ask_lamports if attempt.price_lamports is None else attempt.price_lamports
    arrived_at = request.deadline_at if attempt.submitted_at is None else attempt.submitted_at
    due = payable(price, arrived_at, request.pay_until_at, config.market.late_bps)
    return min(due, request.max_price_lamports)


def _record(database: Database, config: NetworkConfig, verdict: Verdict, now: float) -> None:
    with database.writing() as session:
        lock_request_of(session, verdict.attempt_id)
        attempt = session.get_one(AttemptRow, verdict.attempt_id)
        request = attempt.request
        if verdict.cause is None:
            if not move_attempt(
                session, attempt.id, attempt.token, AttemptState.SUBMITTED, AttemptState.ACCEPTED, finished_at=now
            ):
                return  # somebody else judged it
            attempt_ended(session, attempt, AttemptState.ACCEPTED, None, now)
            values = {"fulfilled_at": now, "updated_at": now, "price_lamports": _price(attempt, config)}
            move_fulfilment(session, request.id, Fulfilment.PROVING, Fulfilment.FULFILLED, **values)
            move_verification(session, request.id, request.verification, Verification.VALID)
        elif attempt.state is AttemptState.SUBMITTED:
            refused = verdict.cause.code in REFUSALS
            ended = AttemptState.REFUSED if refused else AttemptState.FAILED
            moved = end_attempt(session, attempt, ended, verdict.cause, max_attempts=config.max_attempts, now=now)
            if moved and refused:
                move_verification(session, request.id, request.verification, Verification.INVALID)
