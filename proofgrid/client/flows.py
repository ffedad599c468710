"""The SDK's behaviour, once: register, prove, wait, cancel. Drivers and classes around it are thin."""

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from proofgrid.client.calls import OnUpload as OnUpload
from proofgrid.client.calls import exchange, get, parse, post, upload_bytes, upload_file
from proofgrid.client.chain import require_on_chain
from proofgrid.client.effects import Call, Flow, Work
from proofgrid.client.market import default_cap, quote, recipients
from proofgrid.client.results import Circuit, Fulfilled
from proofgrid.errors import InvalidProof, MalformedInput, QueueError, RequestFailed
from proofgrid.kernels.arrays import decode_elements
from proofgrid.models import (
    CircuitInfo,
    CircuitRegistration,
    Fulfilment,
    InputKind,
    NetworkInfo,
    ProofAnswer,
    ProofRequest,
    ReceiptAnswer,
    RequestStatus,
    Settlement,
)
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.sealing import Envelope, envelop
from proofgrid.verifier.keys import Proof, VerifyingKey, public_inputs_from_json
from proofgrid.verifier.receipts import Receipt

REGISTER_TIMEOUT_S = 600.0
LONG_POLL_S, SHORT_POLL_S = 20.0, 1.0
WAIT_PATIENCE_S = 60.0
"""How long a wait bears a gateway that is away."""

Model = TypeVar("Model", bound=BaseModel)
Inputs = Mapping[str, Any] | Path | str
Witness = bytes | Path | str
Progress = Callable[[RequestStatus], None]


@dataclass(frozen=True)
class Ticket:
    """A placed request: enough to wait for it, here or in another process."""

    request_id: str
    circuit: Circuit
    expected_public_inputs: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Terms:
    """What a requester grants."""

    deadline_s: float = 3600.0
    max_price_lamports: int | None = None
    """None: by a quote, within bounds; see :func:`proofgrid.client.market.default_cap`."""
    idempotency_key: str | None = None
    pay_until_s: float | None = None
    allow: Sequence[str] | None = None
    deny: Sequence[str] = ()


def network() -> Flow[NetworkInfo]:
    return (yield from get("/v1/network", NetworkInfo))


def register(zkey: Path, wasm: Path | None, name: str | None, on_upload: OnUpload | None = None) -> Flow[Circuit]:
    """Upload what the network lacks and register the circuit; the key is read here, not believed.

    Without a ``name`` the circuit has the key file's, as far as that may be one.
    """
    chosen = name or re.sub(r"[^A-Za-z0-9._ -]", "-", zkey.stem)[:96]
    _message(CircuitRegistration, name=chosen, zkey_digest="0" * 64)
    key: VerifyingKey = yield Work(lambda: verifying_key(read_zkey(zkey)))
    zkey_digest = yield from upload_file(zkey, on_upload)
    wasm_digest = None if wasm is None else (yield from upload_file(wasm, on_upload))
    registration = CircuitRegistration(name=chosen, zkey_digest=zkey_digest, wasm_digest=wasm_digest)
    info = yield from post("/v1/circuits", registration, CircuitInfo, timeout_s=REGISTER_TIMEOUT_S)
    if info.verifying_key_digest != key.digest().hex():
        raise QueueError("the network read another verifying key from this zkey than this SDK; compare the versions")
    return Circuit.of(info, key)


def circuit(circuit_id: str, own_key: VerifyingKey | None) -> Flow[Circuit]:
    """A circuit registered before. Without a key of one's own, the network is believed about the key."""
    info = yield from get(f"/v1/circuits/{circuit_id}", CircuitInfo)
    key: VerifyingKey = yield Work(lambda: VerifyingKey.from_json(info.verifying_key))
    if own_key is not None and own_key.digest() != key.digest():
        raise InvalidProof(f"circuit {circuit_id} has another verifying key than the one given")
    return Circuit.of(info, own_key or key)


def prove(target: Circuit, inputs: Inputs | None, witness: Witness | None, terms: Terms) -> Flow[Ticket]:
    """Seal, upload, ask. Trouble on the way is retried under one idempotency key, so it is one request."""
    terms = replace(terms, idempotency_key=terms.idempotency_key or uuid.uuid4().hex)
    _request(target, terms, InputKind.INPUTS, "0" * 64, None)
    kind, plain = yield Work(lambda: _plain(target, inputs, witness))
    expected = _public_inputs(target, plain) if kind is InputKind.WITNESS else None
    found = yield from quote(target.id, terms.deadline_s)
    cap = default_cap(found) if terms.max_price_lamports is None else terms.max_price_lamports
    info = yield from network()
    # Whoever gets inputs alone says what they came to: a stranger could prove another statement of this circuit.
    strangers = () if expected is None else found.eligible
    who = recipients(info.fleet_key, strangers, terms.allow, terms.deny)
    sealed: Envelope = yield Work(lambda: envelop(who, target.id, kind, plain))
    digest = hashlib.sha256(sealed.content).hexdigest()
    yield from upload_bytes(sealed.content, digest)
    request = _request(target, terms, kind, digest, expected, cap, sealed.keys)
    placed = yield from post("/v1/requests", request, RequestStatus)
    return Ticket(placed.id, target, expected)


def _request(
    target: Circuit,
    terms: Terms,
    kind: InputKind,
    sealed_digest: str,
    expected: tuple[str, ...] | None,
    cap: int = 0,
    sealed_keys: Mapping[str, str] | None = None,
) -> ProofRequest:
    return _message(
        ProofRequest,
        idempotency_key=terms.idempotency_key,
        circuit_id=target.id,
        sealed_digest=sealed_digest,
        input_kind=kind,
        expected_public_inputs=expected,
        deadline_s=terms.deadline_s,
        pay_until_s=terms.pay_until_s,
        max_price_lamports=cap if terms.max_price_lamports is None else terms.max_price_lamports,
        is_price_default=terms.max_price_lamports is None,
        allow=None if terms.allow is None else tuple(terms.allow),
        deny=tuple(terms.deny),
        recipients=None if sealed_keys is None else dict(sealed_keys),
    )


def _message(kind: type[Model], **values: Any) -> Model:
    """A message of the caller's arguments; raises :class:`MalformedInput` that names the wrong one."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise MalformedInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _plain(target: Circuit, inputs: Inputs | None, witness: Witness | None) -> tuple[InputKind, bytes]:
    if (inputs is None) == (witness is None):
        raise MalformedInput("give either inputs= (a dict or a JSON file) or witness= (a .wtns file or its bytes)")
    if witness is not None:
        return InputKind.WITNESS, witness if isinstance(witness, bytes) else Path(witness).read_bytes()
    if not target.takes_inputs:
        raise MalformedInput("this circuit was registered without its wasm: register(zkey=…, wasm=…) or give a witness")
    if isinstance(inputs, Mapping):
        return InputKind.INPUTS, encode_inputs(inputs)
    return InputKind.INPUTS, Path(str(inputs)).read_bytes()


def encode_inputs(inputs: Mapping[str, Any]) -> bytes:
    """A circuit's inputs as JSON; numpy's arrays and integers are lists and integers.

    Raises :class:`MalformedInput` for what is no number, string, list or mapping.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.integer):
            return value.tolist()
        if isinstance(value, Mapping):
            return dict(value)
        raise MalformedInput(f"an input signal holds a {type(value).__name__}; expected integers, strings, lists")

    try:
        return json.dumps(dict(inputs), default=plain, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedInput("the inputs cannot be written as JSON; expected integers, strings, lists") from error


def _public_inputs(target: Circuit, plain: bytes) -> tuple[str, ...]:
    wtns = read_wtns(plain)
    if wtns.curve != target.verifying_key.curve or len(wtns.values) <= target.verifying_key.n_public:
        raise MalformedInput("the witness does not belong to this circuit: another curve, or too few values")
    return tuple(map(str, decode_elements(wtns.values[1 : target.verifying_key.n_public + 1])))


def status(request_id: str, wait_s: float = 0.0, patience_s: float = 3.0) -> Flow[RequestStatus]:
    return (
        yield from get(
            f"/v1/requests/{request_id}",
            RequestStatus,
            params={"wait": f"{wait_s:g}"} if wait_s else None,
            timeout_s=30.0 + wait_s,
            patience_s=patience_s,
        )
    )


def cancel(request_id: str) -> Flow[RequestStatus]:
    reply = yield from exchange(Call("DELETE", f"/v1/requests/{request_id}"))
    return parse(RequestStatus, reply.body)


def wait(ticket: Ticket, timeout_s: float | None, on_status: Progress | None, rpc_url: str | None) -> Flow[Fulfilled]:
    """The proof, once it is verified, committed on chain, and checked here.

    Raises :class:`RequestFailed` with the cause if the request ended without one, :class:`QueueError` when
    ``timeout_s`` has passed (the request goes on; wait again), and :class:`InvalidProof` for anything that is false.
    """
    ends_at = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = LONG_POLL_S if ends_at is None else max(0.0, ends_at - time.monotonic())
        poll_s = min(left_s, LONG_POLL_S if on_status is None else SHORT_POLL_S)
        now = yield from status(ticket.request_id, poll_s, WAIT_PATIENCE_S if ends_at is None else left_s)
        if on_status is not None:
            on_status(now)
        if now.fulfilment is Fulfilment.FULFILLED and now.settlement is not Settlement.UNSETTLED:
            return (yield from _fetch(ticket, now, rpc_url))
        if now.fulfilment.is_terminal and now.fulfilment is not Fulfilment.FULFILLED:
            why = f": {now.cause.code}: {now.cause.message}" if now.cause else ""
            raise RequestFailed(f"request {now.id} ended {now.fulfilment}{why}", now.cause.code if now.cause else None)
        if ends_at is not None and time.monotonic() >= ends_at:
            raise QueueError(
                f"request {now.id} is {now.fulfilment} (settlement {now.settlement}) after {timeout_s:g} s; it goes "
                "on: wait again, or cancel it"
            )


def _fetch(ticket: Ticket, last: RequestStatus, rpc_url: str | None) -> Flow[Fulfilled]:
    answer = yield from get(f"/v1/requests/{ticket.request_id}/proof", ProofAnswer)
    found = yield from get(f"/v1/requests/{ticket.request_id}/receipt", ReceiptAnswer)
    proof, inputs, receipt = yield Work(lambda: _check(ticket, answer, found))
    if rpc_url is not None:
        yield from require_on_chain(receipt, rpc_url)
    return Fulfilled(
        request_id=ticket.request_id,
        proof=proof,
        public_inputs=inputs,
        receipt=receipt,
        chain_id=found.chain_id,
        is_current_chain=found.is_current_chain,
        on_chain=rpc_url is not None,
        status=last,
    )


def _check(ticket: Ticket, answer: ProofAnswer, found: ReceiptAnswer) -> tuple[Proof, tuple[int, ...], Receipt]:
    """Everything that can be checked without asking anybody."""
    proof = Proof.from_json(answer.proof)
    inputs = public_inputs_from_json(list(answer.public_inputs))
    receipt = Receipt.decode_json(json.dumps(found.receipt).encode())
    if receipt.leaf.request_id.hex() != ticket.request_id:
        raise InvalidProof("the receipt is of another request")
    expected = ticket.expected_public_inputs
    if expected is not None and tuple(map(str, inputs)) != expected:
        raise InvalidProof("the proof is of other public inputs than the witness that was sent")
    receipt.check(ticket.circuit.verifying_key, inputs, proof)
    return proof, tuple(inputs), receipt
