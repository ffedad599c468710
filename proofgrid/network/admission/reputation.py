"""How well a prover did, as one number; the formula and its properties are in docs/admission.md.

    score = (s + PRIOR * START) / (s + f + PRIOR)  *  (1 - UPTIME_SHARE * (1 - uptime))  *  INVALID_FACTOR ^ i

s successes, f faults by weight, i invalid proofs: each halves every ``HALF_LIFE_S``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from proofgrid.models import CauseCode

HALF_LIFE_S = 14 * 86400.0
START = 0.4
"""A prover of whom nothing is known."""
PRIOR = 10.0
"""How many successes it takes until the start weighs as much as they do."""
INVALID_FACTOR = 0.25
"""Below ``START`` with the worst uptime: one fresh invalid proof costs more than all successes can give."""
UPTIME_SHARE = 0.2
CHALLENGE_WEIGHT = 0.2
"""Of a passed repeat, in successes: work that nobody paid for, and a way back after bad luck."""
MISSED_WEIGHT = 3.0
PULSE_GAP_S = 60.0
"""Silence up to it is uptime."""

FAULTS: Mapping[CauseCode, float] = {
    CauseCode.WORKER_LOST: 1.0,
    CauseCode.PROVER_ERROR: 1.0,
    CauseCode.BACKEND_UNAVAILABLE: 1.0,
    CauseCode.INPUTS_MISMATCH: 1.0,
    CauseCode.DEADLINE_PASSED: MISSED_WEIGHT,
}
"""What counts against a prover. Not false witnesses, malformed inputs, lost artifacts: requesters cause them."""

_BINS, _FIRST_S, _PER_OCTAVE = 96, 0.01, 4


@dataclass(frozen=True)
class Tally:
    """Counts as they stand at ``decayed_at``. ``latencies`` is a histogram, four bins an octave from 10 ms on."""

    decayed_at: float
    successes: float = 0.0
    faults: float = 0.0
    invalid: float = 0.0
    causes: Mapping[str, float] = field(default_factory=dict)
    latencies: Sequence[float] = ()
    up_s: float = 0.0
    watched_s: float = 0.0
    heard_at: float | None = None

    @property
    def uptime(self) -> float:
        """Share of the watched time; one of whom nothing is known is presumed up."""
        return (self.up_s + 3600.0) / (self.watched_s + 3600.0)

    @property
    def score(self) -> float:
        """0.0 to 1.0."""
        base = (self.successes + PRIOR * START) / (self.successes + self.faults + PRIOR)
        return float(base * (1 - UPTIME_SHARE * (1 - self.uptime)) * INVALID_FACTOR**self.invalid)

    def at(self, now: float) -> "Tally":
        """The same, faded until ``now``; a clock that goes back fades nothing."""
        kept = 0.5 ** (max(0.0, now - self.decayed_at) / HALF_LIFE_S)
        return replace(
            self,
            decayed_at=max(now, self.decayed_at),
            successes=kept * self.successes,
            faults=kept * self.faults,
            invalid=kept * self.invalid,
            causes={code: kept * count for code, count in self.causes.items() if kept * count > 1e-6},
            latencies=tuple(kept * count for count in self.latencies),
            up_s=kept * self.up_s,
            watched_s=kept * self.watched_s,
        )

    def succeeded(self, now: float, seconds: float | None = None, weight: float = 1.0) -> "Tally":
        """One more success; ``seconds`` from claim to proof go into the histogram."""
        faded = self.at(now)
        latencies = list(faded.latencies or [0.0] * _BINS)
        if seconds is not None:
            latencies[_bin(seconds)] += 1.0
        return replace(faded, successes=faded.successes + weight, latencies=tuple(latencies))

    def failed(self, now: float, code: CauseCode) -> "Tally":
        """One more failure, if it is the prover's; every cause is counted."""
        faded = self.at(now)
        causes = {**faded.causes, code.value: faded.causes.get(code.value, 0.0) + 1.0}
        if code is CauseCode.INVALID_PROOF:
            return replace(faded, causes=causes, invalid=faded.invalid + 1.0)
        return replace(faded, causes=causes, faults=faded.faults + FAULTS.get(code, 0.0))

    def heard(self, now: float) -> "Tally":
        """A sign of life: the time since the last one was up, or, beyond the gap, down."""
        faded = self.at(now)
        if self.heard_at is None or now <= self.heard_at:
            return replace(faded, heard_at=max(now, self.heard_at or now))
        passed = now - self.heard_at
        return replace(
            faded,
            heard_at=now,
            watched_s=faded.watched_s + passed,
            up_s=faded.up_s + (passed if passed <= PULSE_GAP_S else 0.0),
        )

    def latency(self, quantile: float) -> float | None:
        """Seconds from claim to proof that this share of proofs did not exceed, up to 19 %; None without any."""
        total = sum(self.latencies)
        if total <= 0:
            return None
        reached = 0.0
        for place, count in enumerate(self.latencies):
            reached += count
            if reached >= quantile * total and count > 0:
                return float(_FIRST_S * 2 ** ((place + 1) / _PER_OCTAVE))
        return float(_FIRST_S * 2 ** (_BINS / _PER_OCTAVE))


def _bin(seconds: float) -> int:
    if seconds <= _FIRST_S:
        return 0
    return min(_BINS - 1, int(_PER_OCTAVE * math.log2(seconds / _FIRST_S)))
