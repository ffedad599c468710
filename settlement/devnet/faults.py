"""Faults on demand: what goes wrong with a cluster and its endpoints, decided by a seed.

Every kind draws from a stream of its own, SHA-256 of (seed, kind, how often the kind was asked): the same requests in
the same order meet the same faults, and one kind's rate does not move another's. Forks are drawn by slot.
"""

import hashlib
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from proofgrid.errors import MalformedInput

Kind = Literal["drop", "late", "unseen", "fork", "error", "behind", "reset", "timeout", "limit"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Fault(BaseModel):
    """How often something goes wrong; at most ``count`` times, without end where it is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(default=0.0, ge=0, le=1)
    count: int | None = Field(default=None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"probability": value} if is_number else value


class Plan(BaseModel):
    """Everything that shall go wrong; nothing by default. A number alone is a probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    drop: Fault = Fault()
    """sendTransaction answers with the signature, and the transaction never lands."""
    late: Fault = Fault()
    """The transaction lands ``late_slots`` later, if its blockhash is still good then."""
    unseen: Fault = Fault()
    """The transaction lands, but its status is unknown for ``late_slots``, unless the history is searched."""
    fork: Fault = Fault()
    """By slot: the last ``fork_slots`` slots lose; what landed in them is undone."""
    error: Fault = Fault()
    """HTTP 500, 502 or 503."""
    behind: Fault = Fault()
    """-32005: the node is behind."""
    reset: Fault = Fault()
    """The connection is reset, before or after the request was carried out."""
    timeout: Fault = Fault()
    """No answer for ``timeout_s``, then a reset; before or after the request was carried out."""
    limit: Fault = Fault()
    """HTTP 429 with Retry-After."""
    late_slots: int = Field(default=8, ge=1, le=1000)
    fork_slots: int = Field(default=4, ge=1, le=1000)
    fork_blockhashes: bool = False
    """Whether a fork takes its slots' blockhashes with it, so that its transactions cannot be sent again."""
    timeout_s: float = Field(default=30.0, ge=0, le=600)
    retry_after_s: int = Field(default=1, ge=0, le=600)
    requests_per_slot: int | None = Field(default=None, ge=0)
    """More than so many HTTP requests in a slot get 429."""

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """``drop=0.1,late=1:2,late_slots=8,seed=7``: probabilities, with a count after the colon. MalformedInput."""
        values: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.strip().partition("=")
            probability, _, count = value.partition(":")
            is_fault = name in KINDS
            values[name] = {"probability": probability, **({"count": count} if count else {})} if is_fault else value
        return cls.load(values)

    @classmethod
    def load(cls, values: object) -> "Plan":
        """Raises MalformedInput, saying what is wrong with which field."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise MalformedInput(
                f"faults: {where or 'the plan'}: {first['msg']}; kinds are {', '.join(KINDS)}"
            ) from None


class Faults:
    """A plan being carried out."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self.struck = dict.fromkeys(KINDS, 0)
        """How often each kind happened."""
        self._asked = dict.fromkeys(KINDS, 0)
        self._slot, self._requests = -1, 0

    def strikes(self, kind: Kind, ordinal: int | None = None) -> bool:
        """Whether it happens this time; ``ordinal`` stands for how often the kind was asked before."""
        fault: Fault = getattr(self.plan, kind)
        if not fault.probability or (fault.count is not None and self.struck[kind] >= fault.count):
            return False
        if ordinal is None:
            ordinal = self._asked[kind]
            self._asked[kind] += 1
        happens = self._draw(kind, ordinal) < fault.probability
        self.struck[kind] += happens
        return happens

    def is_over_limit(self, slot: int) -> bool:
        """Count one request of this slot; whether it is one too many."""
        if self.plan.requests_per_slot is None:
            return False
        self._requests = self._requests + 1 if slot == self._slot else 1
        self._slot = slot
        return self._requests > self.plan.requests_per_slot

    def pick(self, kind: Kind, choices: int) -> int:
        """Which of several forms the fault that just struck takes."""
        return int(self._draw(kind + "/form", self.struck[kind]) * choices)

    def _draw(self, stream: str, ordinal: int) -> float:
        """Uniform in [0, 1)."""
        digest = hashlib.sha256(f"{self.plan.seed}/{stream}/{ordinal}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)
