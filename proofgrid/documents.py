"""JSON from outside, parsed strictly: one parser for keys, proofs, circuits' inputs and RPC requests."""

import json
import re
from collections.abc import Callable
from typing import Any

from proofgrid.errors import MalformedInput

MAX_DEPTH = 64
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)  # strings are skipped, closed or not


def parse_json(
    data: bytes,
    what: str,
    *,
    limit: int,
    parse_int: Callable[[str], Any] = int,
    parse_float: Callable[[str], Any] = float,
) -> Any:
    """UTF-8 JSON of at most ``limit`` bytes and ``MAX_DEPTH`` levels, without NaN, infinities or repeated keys.

    ``what`` names the document in messages. Raises :class:`MalformedInput`, whatever the bytes are. Depth is counted
    before parsing: Python's parser recurses on the C stack, and its own guard is only as good as the recursion limit,
    which libraries raise beyond what the stack holds (py_ecc does).
    """
    if len(data) > limit:
        raise MalformedInput(f"{what}: {len(data)} bytes, at most {limit} are read")
    if _depth(data) > MAX_DEPTH:
        raise MalformedInput(f"{what}: nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_repeats,
            parse_int=parse_int,
            parse_float=parse_float,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"{what}: not JSON: {str(error)[:200]}") from error


def _depth(data: bytes) -> int:
    """How deep arrays and objects nest."""
    depth = deepest = 0
    for token in _BRACKETS.finditer(data):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in b"]}":
            depth -= 1
    return deepest


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same key twice")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
