"""The watcher's voice and patience: what was said is not said again, what failed is tried again later and later."""

import time
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from proofgrid.errors import ProofgridError
from proofgrid.settlement.watcher.events import Event, Kind, OnEvent
from proofgrid.settlement.watcher.moves import Outcome
from proofgrid.settlement.watcher.progress import Watched

RETRY_S = (1.0, 60.0)
"""What failed is tried again after the first, then after twice as long, up to the second."""
Subject = tuple[Pubkey, int | None]
"""A batch's address, and a leaf of it or None."""


@dataclass
class Voice:
    """``say`` gets each event that is news."""

    say: OnEvent
    retry_s: tuple[float, float] = RETRY_S
    _said: dict[tuple[Subject | str, Kind], Event] = field(default_factory=dict, init=False)
    _tries: dict[Subject, tuple[int, float]] = field(default_factory=dict, init=False)

    def of(self, one: Watched, kind: Kind, *, leaf: int | None = None, **facts: int | str | None) -> None:
        """Say something of a batch, or of a leaf, unless it was the last of this kind that was said of it."""
        head = {"committer": str(one.committer), "number": one.number, "batch": str(one.address), "leaf": leaf}
        self._news((one.address, leaf), Event.model_validate({"event": kind, **head, **facts}))

    def conclude(self, one: Watched, leaf: int, outcome: Outcome) -> None:
        """Say how a move ended, and when it may be tried again."""
        if outcome.is_over:
            self._tries.pop((one.address, leaf), None)
        else:
            self.again((one.address, leaf))
        self.of(one, outcome.kind, leaf=leaf, signature=outcome.signature, detail=outcome.detail, reward=outcome.reward)

    def trouble(self, where: str, error: ProofgridError) -> None:
        """Say what could not be asked or done, once until it goes well."""
        self._news(where, Event(event="trouble", detail=f"{where}: {error}"))

    def well(self, where: str) -> None:
        self._said.pop((where, "trouble"), None)

    def is_due(self, subject: Subject) -> bool:
        """Whether it is time to try."""
        return time.monotonic() >= self._tries.get(subject, (0, 0.0))[1]

    def again(self, subject: Subject) -> None:
        """It failed: later."""
        tries, _ = self._tries.get(subject, (0, 0.0))
        shortest, longest = self.retry_s
        self._tries[subject] = (tries + 1, time.monotonic() + min(shortest * 2 ** min(tries, 30), longest))

    def forget(self, address: Pubkey) -> None:
        """The batch is done with."""
        self._said = {key: event for key, event in self._said.items() if key[0][0] != address}
        self._tries = {key: tries for key, tries in self._tries.items() if key[0] != address}

    def _news(self, subject: Subject | str, event: Event) -> None:
        if self._said.get((subject, event.event)) != event:
            self._said[subject, event.event] = event
            self.say(event)
