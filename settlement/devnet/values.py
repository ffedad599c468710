"""JSON-RPC's errors, and request parameters read with suspicion: a wrong one is error -32602, never a traceback."""

import base64
import binascii
import json
from typing import Any, Literal, get_args

from solders.hash import Hash
from solders.message import Message, MessageV0, MessageV1, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from proofgrid.settlement.transactions import PACKET_SIZE

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
PREFLIGHT_FAILURE, SIGNATURE_FAILURE, NODE_BEHIND = -32002, -32003, -32005
UNSUPPORTED_VERSION, MIN_CONTEXT_SLOT = -32015, -32016

Commitment = Literal["processed", "confirmed", "finalized"]
COMMITMENTS: tuple[Commitment, ...] = get_args(Commitment)

Json = Any
"""What json.dumps takes."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class RpcError(Exception):
    """An answer that is an error object of JSON-RPC."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def error_form(error: object | None) -> Json:
    """A transaction's error: null, ``"BlockhashNotFound"`` or ``{"InstructionError": [0, {"Custom": 1}]}``."""
    if error is None:
        return None
    return json.loads(RpcSimulateTransactionResult(err=error).to_json())["err"]  # type: ignore[arg-type]


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


class Params:
    """The parameters of one request, by position; each reader raises RpcError with what it expected."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def _at(self, index: int, kind: type, what: str) -> Any:
        value = self._values[index] if index < len(self._values) else None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise RpcError(INVALID_PARAMS, f"Invalid params: parameter {index} must be {what}")
        return value

    def has(self, index: int) -> bool:
        """Whether there is a parameter here, and not null."""
        return index < len(self._values) and self._values[index] is not None

    def number(self, index: int) -> int:
        value: int = self._at(index, int, "a number")
        if not 0 <= value < 2**64:
            raise RpcError(INVALID_PARAMS, f"Invalid params: parameter {index} must fit 64 bits")
        return value

    def texts(self, index: int, limit: int = 256) -> list[str]:
        values: list[Any] = self._at(index, list, "a list of strings")
        if len(values) > limit or not all(isinstance(value, str) for value in values):
            raise RpcError(INVALID_PARAMS, f"Invalid params: parameter {index} must be up to {limit} strings")
        return values

    def options(self, index: int) -> dict[str, Any]:
        """The object at this position; nothing or null is an empty one."""
        if not self.has(index):
            return {}
        found: dict[str, Any] = self._at(index, dict, "an object")
        window = found.get("dataSlice")
        if window is not None and not (
            isinstance(window, dict) and all(_is_size(window.get(name)) for name in ("offset", "length"))
        ):
            raise RpcError(INVALID_PARAMS, "Invalid params: dataSlice must have an offset and a length")
        return found

    def commitment(self, index: int, name: str = "commitment") -> Commitment:
        """What the options at this position say; finalized where they say nothing, as on a cluster."""
        found = self.options(index).get(name)
        if found is None:
            return "finalized"
        if found not in COMMITMENTS:
            raise RpcError(INVALID_PARAMS, f"Invalid params: {name} must be one of {', '.join(COMMITMENTS)}")
        chosen: Commitment = found
        return chosen

    def option_number(self, index: int, name: str) -> int | None:
        """A number among the options at this position."""
        found = self.options(index).get(name)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**64:
            raise RpcError(INVALID_PARAMS, f"Invalid params: {name} must be a number that fits 64 bits")
        return found

    def pubkey(self, index: int) -> Pubkey:
        return pubkey(self._at(index, str, "an address"))

    def signature(self, index: int) -> Signature:
        return signature(self._at(index, str, "a signature"))

    def blockhash(self, index: int) -> Hash:
        text: str = self._at(index, str, "a blockhash")
        try:
            return Hash.from_bytes(from_base58(text[:64]))
        except ValueError as error:
            raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from None

    def transaction(self, index: int, options: dict[str, Any]) -> VersionedTransaction:
        """A serialised transaction of at most 1232 bytes, base58 unless the options say base64."""
        text = self._at(index, str, "an encoded transaction")
        encoding = options.get("encoding") or "base58"
        try:
            if encoding not in ("base58", "base64") or len(text) > 2 * PACKET_SIZE:
                raise ValueError(f"encoding {encoding}, {len(text)} characters")
            raw = base64.b64decode(text, validate=True) if encoding == "base64" else from_base58(text)
        except (ValueError, binascii.Error) as error:
            raise RpcError(INVALID_PARAMS, f"invalid {encoding} encoding: {error}") from None
        if len(raw) > PACKET_SIZE:
            message = f"decoded solana_transaction too large: {len(raw)} bytes (max: {PACKET_SIZE} bytes)"
            raise RpcError(INVALID_PARAMS, f"invalid transaction: {message}")
        try:
            transaction = VersionedTransaction.from_bytes(raw)
            transaction.sanitize()
        except Exception as error:  # noqa: BLE001 - solders raises its own error types for hostile bytes
            raise RpcError(INVALID_PARAMS, f"invalid transaction: {error}") from None
        if getattr(transaction.message, "address_table_lookups", None):
            raise RpcError(INVALID_PARAMS, "invalid transaction: the devnet takes no address lookup tables")
        return transaction

    def message(self, index: int) -> Message | MessageV0 | MessageV1:
        """A transaction's message in base64."""
        text = self._at(index, str, "a message in base64")
        try:
            if len(text) > 2 * PACKET_SIZE:
                raise ValueError(f"{len(text)} characters")
            raw = base64.b64decode(text, validate=True)
            message = from_bytes_versioned(raw)
            unsigned = [Signature.default()] * message.header.num_required_signatures
            VersionedTransaction.populate(message, unsigned).sanitize()
        except Exception as error:  # noqa: BLE001 - solders raises its own error types for hostile bytes
            raise RpcError(INVALID_PARAMS, f"invalid message: {error}") from None
        return message


def pubkey(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from None


def signature(text: str) -> Signature:
    try:
        return Signature.from_string(text)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from None


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1 << 32
