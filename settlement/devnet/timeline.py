"""Slots that pass with the wall clock, and ahead of it when told to."""

import math
import time

SLOT_S = 0.4
"""Seconds of a slot on mainnet; also what a warped slot is worth."""


class Timeline:
    """Nothing runs in the background: whoever looks lets the slots pass that are due.

    ``slot_s`` is how long a slot takes here; infinity stops the clock between warps.
    """

    def __init__(self, first_slot: int, slot_s: float = SLOT_S, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        """Seconds by which the chain's clock is ahead of the wall's."""
        self._slot_s = slot_s
        self._slot = first_slot
        self._origin = time.monotonic()

    def due(self) -> int:
        """The slot in which now lies."""
        return self._slot + int((time.monotonic() - self._origin) / self._slot_s)

    def until_next_s(self) -> float:
        """Seconds until the next slot; infinity while the clock stands."""
        if math.isinf(self._slot_s):
            return math.inf
        return self._slot_s - (time.monotonic() - self._origin) % self._slot_s

    def unix_time_s(self) -> int:
        return int(time.time() + self.ahead_s)

    def warp(self, slots: int, seconds: float) -> None:
        """Jump ahead; the past is not touched."""
        self._slot += slots
        self.ahead_s += seconds
