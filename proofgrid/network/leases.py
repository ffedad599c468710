"""The lease API's effects: claim, heartbeat, submit, fail. A token that has been overtaken changes nothing."""

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from proofgrid.config import NetworkConfig
from proofgrid.errors import AccessDenied, Conflict, MalformedInput, NotFound
from proofgrid.models import AttemptState, Failure, Fulfilment, Heartbeat, HeartbeatAnswer, Lease, Submission
from proofgrid.network.attempts import FINAL_CODES, end_attempt
from proofgrid.network.database import AttemptRow, Database, RequestRow
from proofgrid.network.locks import lock_request_of
from proofgrid.network.transitions import move_attempt, move_fulfilment
from proofgrid.network.workers import live_workers, touch
from proofgrid.prover.artifacts import ArtifactStore

PUT_BACK_S = 1.0
"""How long a task rests that came to a worker which must not have it."""


def authorised(session: Session, attempt_id: str, token: str, prover: str | None = None) -> AttemptRow:
    """The attempt, if the token is its own, and ``prover``, who signed the call, has it.

    Of the fleet's attempts the token is enough. Raises :class:`NotFound`, :class:`Conflict`, :class:`AccessDenied`.
    """
    attempt = session.get(AttemptRow, attempt_id)
    if attempt is None:
        raise NotFound(f"no attempt is named {attempt_id}")
    if not secrets.compare_digest(attempt.token, token):
        raise Conflict("the fencing token is not this attempt's; drop the task")
    if attempt.prover is not None and attempt.prover != prover:
        raise AccessDenied("this attempt is a prover's of another operator: sign the call with that prover's hot key")
    return attempt


def claim(
    database: Database,
    config: NetworkConfig,
    attempt_id: str,
    token: str,
    worker: str,
    now: float,
    prover: str | None = None,
) -> Lease:
    """Give the attempt to ``worker``; raises :class:`Conflict` if it must not have it.

    A worker that failed this request before is turned away while another lives, and the task goes back.
    """
    timing = config.timing
    with database.writing() as session:
        lock_request_of(session, attempt_id)
        attempt = authorised(session, attempt_id, token, prover)
        is_fleet = attempt.prover is None  # other operators name their workers as they like
        if is_fleet:
            touch(session, worker, now)
        if attempt.state is AttemptState.RUNNING and attempt.worker == worker:
            return _lease(attempt, config)  # it holds the lease: the first answer was lost on the way
        if attempt.state not in (AttemptState.QUEUED, AttemptState.SENT):
            raise Conflict(f"the attempt is {attempt.state}; drop the task")
        if attempt.request.deadline_at <= now:
            raise Conflict("the request's deadline has passed; drop the task")
        turned_away = is_fleet and _must_pass(session, attempt, worker, now - timing.worker_timeout_s)
        if turned_away and attempt.state is AttemptState.SENT:
            move_attempt(
                session, attempt_id, token, AttemptState.SENT, AttemptState.QUEUED, not_before=now + PUT_BACK_S
            )
        if not turned_away:
            values = {"worker": worker, "claimed_at": now, "heartbeat_at": now, "progress": 0.0}
            _require(move_attempt(session, attempt_id, token, attempt.state, AttemptState.RUNNING, **values))
            request_id = attempt.request_id
            _require(move_fulfilment(session, request_id, Fulfilment.ASSIGNED, Fulfilment.PROVING, updated_at=now))
    if turned_away:
        raise Conflict(f"worker {worker} failed this request before and another lives; drop the task")
    return _lease(attempt, config)


def _lease(attempt: AttemptRow, config: NetworkConfig) -> Lease:
    return Lease(
        attempt_id=attempt.id,
        deadline_at=attempt.request.deadline_at,
        heartbeat_s=config.timing.heartbeat_s,
        timeout_s=config.timing.heartbeat_timeout_s,
    )


def _must_pass(session: Session, attempt: AttemptRow, worker: str, since: float) -> bool:
    earlier = session.scalars(
        select(AttemptRow.worker)
        .where(AttemptRow.request_id == attempt.request_id, AttemptRow.id != attempt.id)
        .where(AttemptRow.prover.is_(None))
    )
    failed = set(earlier)
    return worker in failed and any(name not in failed for name in live_workers(session, since=since))


def heartbeat(
    database: Database,
    config: NetworkConfig,
    attempt_id: str,
    token: str,
    beat: Heartbeat,
    now: float,
    prover: str | None = None,
) -> HeartbeatAnswer:
    """Renew a lease; raises :class:`Conflict` once it is lost."""
    with database.writing() as session:
        lock_request_of(session, attempt_id)
        attempt = authorised(session, attempt_id, token, prover)
        if attempt.state is not AttemptState.RUNNING:
            raise Conflict(f"the lease is lost: the attempt is {attempt.state}; stop proving")
        session.execute(
            update(AttemptRow)
            .where(AttemptRow.id == attempt_id, AttemptRow.state == AttemptState.RUNNING)
            .values(heartbeat_at=now, progress=beat.progress)
        )
        if attempt.worker is not None and attempt.prover is None:
            touch(session, attempt.worker, now)
    return HeartbeatAnswer(lease_ends_at=now + config.timing.heartbeat_timeout_s)


def submit(
    database: Database,
    store: ArtifactStore,
    attempt_id: str,
    token: str,
    submission: Submission,
    now: float,
    prover: str | None = None,
) -> None:
    """Take a proof for the verifier; sending the same again is the same. Raises :class:`Conflict`."""
    with database.reading() as session:  # a stale token costs no write
        attempt = authorised(session, attempt_id, token, prover)
        if attempt.state not in (AttemptState.RUNNING, AttemptState.SUBMITTED, AttemptState.ACCEPTED):
            raise Conflict(f"the lease is lost: the attempt is {attempt.state}; drop the proof")
    try:
        content = submission.model_dump_json().encode()
    except ValueError as error:  # nested too deep, or half a surrogate pair
        raise MalformedInput("the proof cannot be written as JSON; expected snarkjs' proof.json") from error
    digest = store.put(content)
    with database.writing() as session:
        lock_request_of(session, attempt_id)
        values = {"result_digest": digest, "progress": 1.0, "heartbeat_at": now, "submitted_at": now}
        if move_attempt(session, attempt_id, token, AttemptState.RUNNING, AttemptState.SUBMITTED, **values):
            return
        attempt = authorised(session, attempt_id, token, prover)
        if attempt.result_digest != digest or attempt.state not in (AttemptState.SUBMITTED, AttemptState.ACCEPTED):
            raise Conflict(f"the attempt is {attempt.state}; drop the proof")


def fail(
    database: Database,
    config: NetworkConfig,
    attempt_id: str,
    token: str,
    failure: Failure,
    now: float,
    prover: str | None = None,
) -> None:
    """A worker gives up: the request goes to another, or ends if the cause is final. Raises :class:`Conflict`.

    Only the operator's own fleet is believed that no other would do better.
    """
    final = failure.final and failure.cause.code in FINAL_CODES
    with database.writing() as session:
        lock_request_of(session, attempt_id)
        attempt = authorised(session, attempt_id, token, prover)
        if attempt.state is not AttemptState.RUNNING:
            raise Conflict(f"the attempt is {attempt.state} already")
        end_attempt(
            session,
            attempt,
            AttemptState.FAILED,
            failure.cause,
            max_attempts=config.max_attempts,
            now=now,
            final=final and attempt.prover is None,
        )


def artifacts_of(session: Session, attempt_id: str, token: str, prover: str | None = None) -> frozenset[str]:
    """Digests of the artifacts that the holder of a lease may fetch."""
    attempt = authorised(session, attempt_id, token, prover)
    if attempt.state is not AttemptState.RUNNING:
        raise Conflict(f"the lease is lost: the attempt is {attempt.state}")
    request: RequestRow = attempt.request
    digests = (request.circuit.zkey_digest, request.circuit.wasm_digest, request.sealed_digest)
    return frozenset(digest for digest in digests if digest is not None)


def _require(moved: bool) -> None:
    if not moved:
        raise Conflict("the attempt moved on; drop the task")
