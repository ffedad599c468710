"""The public price index: what units were cleared for, smoothed, times how scarce capacity is, bounded per step.

    paid    EWMA of the median clearing price per unit of each step (weight ``WEIGHT``)
    index   paid * demand, moved towards that by at most ``MAX_STEP`` of itself (and at least 1) in a step
    demand  sqrt((waiting + 1) / (free + 1)), within 1/2 .. 2

One for each size of circuit (powers of two), since a base price weighs more on a small one. Per unit, in millionths.
The median, so that one absurd deal in a step moves nothing; the bounded step, so that many need as many steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from proofgrid.network.market.pricing import MICRO

STEP_S = 10.0
WEIGHT = 0.2
MAX_STEP = 0.125
DEMAND_BOUNDS = (0.5, 2.0)
_TOP = 1 << 62


@dataclass(frozen=True)
class Level:
    """Where the index of one size of circuit stands."""

    paid: int
    index: int


def per_unit(price: int, units: int) -> int:
    """A clearing price per unit, in millionths; bounded, so that columns hold it."""
    return min(price * MICRO // max(units, 1), _TOP)


def demand(waiting: int, free: int) -> float:
    """How scarce capacity is: 1 where as many requests wait as slots are free."""
    low, high = DEMAND_BOUNDS
    return min(high, max(low, math.sqrt((waiting + 1) / (free + 1))))


def step(level: Level | None, deals: Sequence[int], waiting: int, free: int) -> Level | None:
    """The next level after a step with these clearing prices per unit; None while nothing was ever cleared."""
    if level is None:
        return Level(median_low(deals), median_low(deals)) if deals else None
    paid = level.paid
    if deals:
        paid = round((1 - WEIGHT) * paid + WEIGHT * median_low(deals))
    aim = round(paid * demand(waiting, free))
    reach = max(1, int(level.index * MAX_STEP))
    return Level(min(paid, _TOP), min(_TOP, max(level.index - reach, min(level.index + reach, aim))))
