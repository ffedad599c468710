"""snarkjs' JSON, read strictly: sizes are capped before parsing, numbers are canonical decimal strings.

Nothing but :class:`~proofgrid.errors.MalformedInput` comes out of arbitrary bytes or arbitrary JSON.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from proofgrid import documents
from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_points
from proofgrid.kernels.curves import BLS12_381, BN254, CURVES, Curve, Group
from proofgrid.verifier.points import require_point
from proofgrid.verifier.refusals import Reason, RefusedInput

CURVE_NAMES = {"bn128": BN254.name, "bls12381": BLS12_381.name}
"""snarkjs' names of our curves."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,119}", re.ASCII)  # 120 digits hold 2^384 and stay cheap to convert


def malformed(message: str) -> RefusedInput:
    return RefusedInput(message, Reason.DOCUMENT)


def parse_json(data: bytes, limit: int, what: str) -> object:
    """:func:`proofgrid.documents.parse_json` without floats or big integers; raises :class:`RefusedInput`."""
    try:
        document: object = documents.parse_json(data, what, limit=limit, parse_int=_small_int, parse_float=_no_number)
    except MalformedInput as error:
        raise malformed(str(error)) from error
    return document


def read_json(path: Path | str, limit: int, what: str) -> object:
    """:func:`parse_json` of a file of which never more than ``limit`` + 1 bytes are read."""
    with Path(path).open("rb") as file:
        return parse_json(file.read(limit + 1), limit, f"{what} {path}")


def write_json(path: Path | str, document: object) -> None:
    """``document`` as snarkjs writes it: indented by one space."""
    Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _small_int(text: str) -> int:
    if len(text) > 20:  # 2^64 has 20
        raise ValueError("a number of more than 20 digits; field elements are decimal strings")
    return int(text)


def _no_number(text: str) -> object:
    raise ValueError(f"{text[:20]} is not an integer")


def member(document: object, key: str, what: str) -> object:
    """``document[key]`` of a JSON object that must have it."""
    if not isinstance(document, dict):
        raise malformed(f"{what}: expected a JSON object, got {_kind(document)}")
    if key not in document:
        raise malformed(f"{what}: {key!r} is missing")
    return document[key]


def require_members(document: object, known: frozenset[str], what: str) -> None:
    """A JSON object has no member outside ``known``: a misspelt one must not pass for an absent one."""
    if not isinstance(document, dict):
        raise malformed(f"{what}: expected a JSON object, got {_kind(document)}")
    if unknown := len(document.keys() - known):
        raise malformed(f"{what}: {unknown} unknown members; expected {', '.join(sorted(known))}")


def require_list(value: object, length: int | None, what: str) -> list[object]:
    if not isinstance(value, list):
        raise malformed(f"{what}: expected a list, got {_kind(value)}")
    if length is not None and len(value) != length:
        raise malformed(f"{what}: expected {length} elements, got {len(value)}")
    return value


def decimal(value: object, what: str) -> int:
    """A canonical decimal string (no sign, no leading zero, at most 120 digits)."""
    if not isinstance(value, str):
        raise malformed(f"{what}: expected a decimal string, got {_kind(value)}")
    if not _DECIMAL.fullmatch(value):
        raise malformed(f"{what}: not a canonical decimal number")
    return int(value)


def require_protocol(document: object, what: str) -> None:
    if member(document, "protocol", what) != "groth16":
        raise RefusedInput(f"{what}: expected protocol groth16", Reason.WRONG_PROTOCOL)


def curve_of(name: object, what: str) -> Curve:
    """The curve that snarkjs calls ``name``."""
    if not isinstance(name, str) or name not in CURVE_NAMES:
        raise RefusedInput(f"{what}: the curve is not one of {', '.join(CURVE_NAMES)}", Reason.WRONG_CURVE)
    return CURVES[CURVE_NAMES[name]]


def curve_name(curve: Curve) -> str:
    """snarkjs' name of ``curve``."""
    return next(theirs for theirs, ours in CURVE_NAMES.items() if ours == curve.name)


def point_from_json(group: Group, value: object, what: str) -> Array:
    """[x, y, "1"], or [[x0, x1], [y0, y1], ["1", "0"]] in G2; infinity is (0, 1, 0). Not a curve check."""
    coordinates = [_coordinate(group, part, what) for part in require_list(value, 3, what)]
    one, zero = ((1, 0), (0, 0)) if group.name == "g2" else ((1,), (0,))
    if coordinates == [zero, one, zero]:
        return require_point(group, np.zeros(group.point_shape, dtype=np.uint64), what)
    if coordinates[2] != one:
        raise malformed(f"{what}: the third coordinate is not 1")
    numbers = [number for coordinate in coordinates[:2] for number in coordinate]
    if any(number >= group.coordinate.modulus for number in numbers):
        raise RefusedInput(
            f"{what}: a coordinate is not below {group.coordinate.name}'s modulus", Reason.COORDINATE_RANGE
        )
    if not any(numbers):
        raise malformed(f"{what}: (0, 0) is not a point; infinity is (0, 1, 0)")
    data = b"".join(number.to_bytes(group.coordinate.n_bytes, "little") for number in numbers)
    return require_point(group, np.frombuffer(data, dtype="<u8").reshape(group.point_shape).astype(np.uint64), what)


def _coordinate(group: Group, value: object, what: str) -> tuple[int, ...]:
    if group.name == "g1":
        return (decimal(value, what),)
    return tuple(decimal(part, what) for part in require_list(value, 2, what))


def point_to_json(group: Group, point: Array) -> list[object]:
    """The inverse of :func:`point_from_json`."""
    (affine,) = decode_points(group, point[np.newaxis])
    if group.name == "g1":
        return _strings((0, 1, 0) if affine is None else (*affine, 1))
    parts = ((0, 0), (1, 0), (0, 0)) if affine is None else (*affine, (1, 0))
    return [_strings(part) for part in parts if isinstance(part, tuple)]


def _strings(numbers: Iterable[object]) -> list[object]:
    return [str(number) for number in numbers]


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
