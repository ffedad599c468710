"""JSON-RPC 2.0: bytes to requests, requests to answers."""

import json
import logging
from collections.abc import Callable
from typing import Any

from proofgrid.documents import parse_json
from proofgrid.errors import MalformedInput
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods import CONTROL_PREFIX, call
from proofgrid.settlement.devnet.values import INTERNAL, INVALID_REQUEST, PARSE_ERROR, Json, RpcError

MAX_BODY_BYTES = 256 << 10
MAX_BATCH = 100
_log = logging.getLogger(__name__)

Call = Callable[[str, list[Json]], Json]
"""A method's name and its parameters to its result; raises RpcError."""


def answer(ledger: Ledger, body: bytes) -> bytes:
    """The response to one request or a batch, errors included; empty for nothing but notifications."""
    try:
        request = parse(body)
    except RpcError as error:
        return encode(error_answer(None, error))
    return encode(respond(lambda method, params: call(ledger, method, params), request))


def parse(body: bytes) -> Json:
    """A request or a batch; raises RpcError."""
    try:
        request = parse_json(body, "request", limit=MAX_BODY_BYTES)
    except MalformedInput:
        raise RpcError(PARSE_ERROR, "Parse error") from None
    if isinstance(request, list) and not 1 <= len(request) <= MAX_BATCH:
        raise RpcError(INVALID_REQUEST, f"a batch has 1 to {MAX_BATCH} requests")
    return request


def respond(call: Call, request: Json) -> Json:
    """The answer to a request or a batch; None where none is due."""
    if isinstance(request, list):
        return [answered for one in request if (answered := _respond_one(call, one)) is not None] or None
    return _respond_one(call, request)


def is_control(request: Json) -> bool:
    """Whether every call in it is of a method that only a devnet has."""
    calls = request if isinstance(request, list) else [request]
    return all(isinstance(one, dict) and str(one.get("method", "")).startswith(CONTROL_PREFIX) for one in calls)


def _respond_one(call: Call, request: Any) -> Json:
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        return error_answer(None, RpcError(INVALID_REQUEST, "Invalid request"))
    identity, params = request.get("id"), request.get("params")
    if not isinstance(identity, str | int | float | None) or not isinstance(params, list | None):
        return error_answer(
            None, RpcError(INVALID_REQUEST, "Invalid request: params are a list, the id a string or number")
        )
    try:
        result = call(request["method"], params or [])
    except RpcError as error:
        return error_answer(identity, error) if "id" in request else None
    except Exception:  # noqa: BLE001 - the border: a defect of ours is the caller's -32603 and our log's traceback
        _log.exception("the devnet failed at %s", request["method"])
        return error_answer(identity, RpcError(INTERNAL, "Internal error"))
    return {"jsonrpc": "2.0", "result": result, "id": identity} if "id" in request else None


def error_answer(identity: Any, error: RpcError) -> Json:
    described: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        described["data"] = error.data
    return {"jsonrpc": "2.0", "error": described, "id": identity}


def encode(value: Json) -> bytes:
    """Compact JSON; nothing for None."""
    return b"" if value is None else json.dumps(value, separators=(",", ":")).encode()
