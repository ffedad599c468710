"""Requests as their requesters see them: placed once, watched, cancelled."""

import hashlib
import secrets

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from proofgrid.errors import Conflict, MalformedInput, NotFound
from proofgrid.models import (
    AttemptState,
    AttemptView,
    Cause,
    CauseCode,
    Fulfilment,
    InputKind,
    ProofRequest,
    RequestStatus,
)
from proofgrid.network import circuits
from proofgrid.network.attempts import live_attempt, withdraw
from proofgrid.network.database import AttemptRow, CircuitRow, RequestRow
from proofgrid.network.locks import artifact_lock, lock, lock_requests
from proofgrid.network.market.asks import is_within_reach
from proofgrid.network.market.why import noted
from proofgrid.network.transitions import move_fulfilment
from proofgrid.prover.artifacts import ArtifactStore

# Put together once: that would cost more than the database's part.
_KNOWN = select(RequestRow).where(
    RequestRow.requester == bindparam("requester"), RequestRow.idempotency_key == bindparam("key")
)
_OWNED = (
    select(RequestRow)
    .where(RequestRow.id == bindparam("id"), RequestRow.requester == bindparam("requester"))
    .options(joinedload(RequestRow.attempts))
)
_TOLD_OTHERWISE = {
    "deadline_s",
    "pay_until_s",
    "allow",
    "deny",
    "is_price_default",
    "expected_public_inputs",
    "recipients",
}
"""Fields of a request that its row holds in another form, or not at all."""


def place(session: Session, requester: str, body: ProofRequest, *, ask_lamports: int, now: float) -> str:
    """The request's id; see :func:`admit`."""
    return admit(session, requester, body, ask_lamports=ask_lamports, now=now).id


def admit(session: Session, requester: str, body: ProofRequest, *, ask_lamports: int, now: float) -> RequestRow:
    """The request's row; the same idempotency key gives the same request.

    Raises :class:`NotFound` for an unknown circuit, :class:`MalformedInput` for what the circuit cannot take, and
    :class:`Conflict` if the key was used for another request.
    """
    # Sealing is randomised: a repeat carries other sealed bytes. That they hold the same is the requester's word.
    digest = _digest(body)
    lock(session, key_lock(requester, body.idempotency_key))
    known = session.scalar(_KNOWN, {"requester": requester, "key": body.idempotency_key})
    if known is not None:
        if known.body_digest != digest:
            raise Conflict(f"the idempotency key {body.idempotency_key!r} was used for another request: {known.id}")
        return known
    _require_fitting(session, body)
    row = RequestRow(
        id=secrets.token_hex(32),
        requester=requester,
        body_digest=digest,
        deadline_at=now + body.deadline_s,
        pay_until_at=None if body.pay_until_s is None else now + body.pay_until_s,
        allow=None if body.allow is None else sorted(set(body.allow)),
        deny=sorted(set(body.deny)) or None,
        recipients=None if body.recipients is None else sorted(body.recipients),
        sealed_keys=None if body.recipients is None else dict(body.recipients),
        created_at=now,
        updated_at=now,
        attempts=[],  # known: nobody needs to ask
        **body.model_dump(exclude=_TOLD_OTHERWISE),
    )
    if body.expected_public_inputs is not None:
        row.expected_public_inputs = list(body.expected_public_inputs)
    session.add(row)
    session.flush()
    cap = body.max_price_lamports
    if cap < ask_lamports and not is_within_reach(session, row.circuit_id, cap, now):
        cause = Cause(
            code=CauseCode.PRICE_BELOW_ASK,
            message=f"the ask is {ask_lamports} lamports, the request's cap {cap}; raise the cap: a quote says how far",
        )
        _end(session, row, Fulfilment.REQUESTED, Fulfilment.UNFULFILLABLE, cause, now)
        session.refresh(row)
    return row


def _digest(body: ProofRequest) -> str:
    """What makes two requests the same; a field that is younger than the first requests counts where it is used."""
    unused = {name for name in ("pay_until_s", "deny", "is_price_default") if not getattr(body, name)}
    if body.allow is None:
        unused.add("allow")
    if body.is_price_default:
        unused.add("max_price_lamports")
    return hashlib.sha256(body.model_dump_json(exclude={"sealed_digest", "recipients", *unused}).encode()).hexdigest()


def key_lock(requester: str, idempotency_key: str) -> str:
    """The name that whoever places a request locks before it looks whether it was placed."""
    return f"idempotency key {idempotency_key} of {requester}"


def require_uploaded(session: Session, store: ArtifactStore, digest: str) -> None:
    """Raise :class:`NotFound` unless the artifact is here; until the transaction ends nobody sweeps it away."""
    lock(session, artifact_lock(digest))
    if not store.exists(digest):
        raise NotFound(f"the artifact {digest} has not been uploaded")


def _require_fitting(session: Session, body: ProofRequest) -> None:
    circuit = session.get(CircuitRow, body.circuit_id) or circuits.find(session, body.circuit_id)
    if body.input_kind is InputKind.INPUTS and circuit.wasm_digest is None:
        raise MalformedInput(
            f"circuit {circuit.id} was registered without its wasm, so inputs cannot become a witness; "
            "register it with the wasm or send a witness"
        )
    expected = body.expected_public_inputs
    if expected is not None and len(expected) != circuit.n_public:
        raise MalformedInput(
            f"expected_public_inputs: the circuit has {circuit.n_public} public inputs, got {len(expected)}"
        )


def owned(session: Session, request_id: str, requester: str) -> RequestRow:
    """The row, if it is this requester's; somebody else's is :class:`NotFound` too."""
    row = session.scalars(_OWNED, {"id": request_id, "requester": requester}).unique().one_or_none()
    if row is None:
        raise NotFound(f"no request of yours is named {request_id}")
    return row


def status(session: Session, request_id: str, requester: str) -> RequestStatus:
    """How a request stands, its attempts among it."""
    return status_of(owned(session, request_id, requester))


def status_of(row: RequestRow) -> RequestStatus:
    """What its requester sees of a row."""
    running = [attempt.progress for attempt in row.attempts if attempt.state.is_live]
    return RequestStatus(
        id=row.id,
        circuit_id=row.circuit_id,
        fulfilment=row.fulfilment,
        verification=row.verification,
        settlement=row.settlement,
        progress=1.0 if row.fulfilment is Fulfilment.FULFILLED else max(running, default=0.0),
        cause=None if row.cause is None else Cause.model_validate(row.cause),
        attempts=tuple(_view(attempt) for attempt in row.attempts),
        price_lamports=row.price_lamports,
        created_at=row.created_at,
        deadline_at=row.deadline_at,
        pay_until_at=row.pay_until_at,
        fulfilled_at=row.fulfilled_at,
        committed_at=row.committed_at,
    )


def _view(attempt: AttemptRow) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        state=attempt.state,
        prover=attempt.prover,
        price_lamports=attempt.price_lamports,
        worker=attempt.worker,
        progress=attempt.progress,
        cause=None if attempt.cause is None else Cause.model_validate(attempt.cause),
        claimed_at=attempt.claimed_at,
        submitted_at=attempt.submitted_at,
        finished_at=attempt.finished_at,
    )


def cancel(session: Session, request_id: str, requester: str, now: float) -> None:
    """Withdraw a request that no worker has claimed; cancelling twice is the same.

    Raises :class:`Conflict` once a worker proves it or it has ended otherwise.
    """
    lock_requests(session, [request_id])
    row = owned(session, request_id, requester)
    if row.fulfilment is Fulfilment.CANCELLED:
        return
    if row.fulfilment not in (Fulfilment.REQUESTED, Fulfilment.ASSIGNED):
        raise Conflict(f"the request is {row.fulfilment}; it can be cancelled only before a worker claims it")
    cause = Cause(code=CauseCode.CANCELLED_BY_REQUESTER, message="cancelled before a worker claimed it")
    _end(session, row, row.fulfilment, Fulfilment.CANCELLED, cause, now)


def expire(session: Session, row: RequestRow, now: float) -> bool:
    """End a late request, which the caller locked; False if a proof already waits for the verifier's word."""
    attempt = live_attempt(session, row.id)
    if attempt is not None and attempt.state is AttemptState.SUBMITTED:
        return False
    tried = f" after {len(row.attempts)} attempts" if row.attempts else f": nobody took it{_skips(session, row)}"
    cause = Cause(code=CauseCode.DEADLINE_PASSED, message=f"the deadline passed{tried}")
    _end(session, row, row.fulfilment, Fulfilment.EXPIRED, cause, now)
    return True


def _skips(session: Session, row: RequestRow) -> str:
    told = "; ".join(skip.sentence for skip in noted(session, row.id, row.max_price_lamports))
    return f" ({told})"[:1500] if told else ""


def _end(session: Session, row: RequestRow, old: Fulfilment, new: Fulfilment, cause: Cause, now: float) -> None:
    document = cause.model_dump(mode="json")
    if not move_fulfilment(session, row.id, old, new, cause=document, updated_at=now):
        raise Conflict(f"request {row.id} moved on while it was being ended; look at its status again")
    withdraw(session, row.id, now)
