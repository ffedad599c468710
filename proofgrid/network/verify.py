"""The verify loop: nothing is fulfilled, paid or written on chain before the verifier's yes."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import select

from proofgrid.config import NetworkConfig
from proofgrid.errors import InvalidProof, MalformedInput, NotFound
from proofgrid.kernels.backend import Backend
from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment, Submission, Verification
from proofgrid.network.admission.records import attempt_ended
from proofgrid.network.attempts import end_attempt
from proofgrid.network.database import AttemptRow, CircuitRow, Database, RequestRow
from proofgrid.network.locks import lock_request_of
from proofgrid.network.market.pricing import payable
from proofgrid.network.transitions import move_attempt, move_fulfilment, move_verification
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import Proof, VerifyingKey


@dataclass(frozen=True)
class Verdict:
    """``cause`` is None for a true proof of the right statement."""

    attempt_id: str
    cause: Cause | None


def verify_submitted(
    database: Database,
    store: ArtifactStore,
    config: NetworkConfig,
    clock: Callable[[], float],
    *,
    backend: Backend | None = None,
) -> int:
    """Check each submitted proof and write its verdict and when; their number. Checking holds no transaction."""
    with database.reading() as session:
        rows = session.execute(
            select(AttemptRow.id, AttemptRow.result_digest, RequestRow.expected_public_inputs, CircuitRow.verifying_key)
            .join(AttemptRow.request)
            .join(RequestRow.circuit)
            .where(AttemptRow.state == AttemptState.SUBMITTED)
            .order_by(RequestRow.sequence)
        ).all()
    for identity, digest, expected, key in rows:
        cause = _judge(store, config, digest, expected, VerifyingKey.from_json(key, backend=backend), backend)
        _record(database, config, Verdict(identity, cause), clock())
    return len(rows)


def load_submission(store: ArtifactStore, digest: str, config: NetworkConfig) -> Submission:
    """A stored submission; raises :class:`NotFound`, :class:`MalformedInput`."""
    content = store.read(digest, max_bytes=2 * config.limits.max_submission_bytes)
    try:
        return Submission.model_validate_json(content)
    except ValidationError as error:
        raise MalformedInput(f"the stored proof {digest} is not a submission: {error.errors()[0]['msg']}") from error


def _judge(
    store: ArtifactStore,
    config: NetworkConfig,
    digest: str,
    expected: list[str] | None,
    key: VerifyingKey,
    backend: Backend | None,
) -> Cause | None:
    try:
        submission = load_submission(store, digest, config)
        verify(
            key, [int(value) for value in submission.public_inputs], Proof.from_json(submission.proof), backend=backend
        )
    except (InvalidProof, MalformedInput) as error:
        return Cause(code=CauseCode.INVALID_PROOF, message=f"the verifier refused the proof: {error}"[:2000])
    except NotFound as error:
        return Cause(code=CauseCode.ARTIFACT_UNAVAILABLE, message=f"the submitted proof was lost: {error}")
    if expected is not None and expected != list(submission.public_inputs):
        return Cause(
            code=CauseCode.INPUTS_MISMATCH,
            message="the proof is true, but of other public inputs than the request expects",
        )
    return None


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
        elif attempt.state is AttemptState.SUBMITTED and end_attempt(
            session, attempt, AttemptState.REFUSED, verdict.cause, max_attempts=config.max_attempts, now=now
        ):
            move_verification(session, request.id, request.verification, Verification.INVALID)
