"""Why the verifier said no: one stable word for each refusal.

The line between the two errors: *malformed* is what needs no pairing to refuse (not a field element, not a
point, not a group element, not that many inputs); *invalid* is a well-formed proof that is false.
"""

from collections.abc import Mapping
from enum import StrEnum

from proofgrid.errors import InvalidProof, MalformedInput


class Reason(StrEnum):
    """The stable, machine-readable name of a refusal."""

    DOCUMENT = "document"  # not the JSON or the bytes of a key, a proof, a list of inputs or a receipt
    WRONG_CURVE = "wrong_curve"
    WRONG_PROTOCOL = "wrong_protocol"
    COORDINATE_RANGE = "coordinate_range"  # a coordinate >= q
    NOT_ON_CURVE = "not_on_curve"
    NOT_IN_SUBGROUP = "not_in_subgroup"
    POINT_AT_INFINITY = "point_at_infinity"
    FORGEABLE_KEY = "forgeable_key"  # gamma and delta of a key without a contribution
    INPUT_COUNT = "input_count"
    INPUT_RANGE = "input_range"  # an input outside [0, r): it would alias another statement
    EQUATION = "equation"  # the pairing equation does not hold
    BATCH = "batch"  # some entries of a batch are refused; ``indices`` names them
    MERKLE_PATH = "merkle_path"  # the path does not lead from the leaf to the root
    LEAF = "leaf"  # the leaf speaks of another key, of other inputs or of another proof

    @property
    def words(self) -> str:
        """The name as a message says it."""
        return self.value.replace("_", " ")


class RefusedInput(MalformedInput):
    """A :class:`~proofgrid.errors.MalformedInput` of the verifier, with its ``reason``."""

    def __init__(self, message: str, reason: Reason = Reason.DOCUMENT) -> None:
        super().__init__(message)
        self.reason = reason


class RefusedProof(InvalidProof):
    """The verifier's no, with its ``reason``; for a batch ``indices`` and ``reasons`` name the entries."""

    def __init__(
        self, message: str, reason: Reason = Reason.EQUATION, reasons: Mapping[int, Reason] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.reasons = dict(reasons or {})

    @property
    def indices(self) -> tuple[int, ...]:
        """Positions of the refused entries of a batch, ascending; empty for a single proof."""
        return tuple(sorted(self.reasons))
