"""The ordeal, bounded; ``make faults`` runs it with 500 requests, ``make soak`` for as long as one likes."""

from collections import Counter

import pytest

from tests.faults.ordeal import Plan, run
from tests.faults.requesters import Wish, make_jobs


def test_the_same_seed_gives_the_same_requests() -> None:
    first, second = make_jobs(500, 3), make_jobs(500, 3)
    assert first == second != make_jobs(500, 4)
    assert set(Counter(job.wish for job in first)) == set(Wish)


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    told: list[str] = []
    outcome = run(Plan(count=60, seconds=30.0, seed=2), told.append)
    assert outcome.verdict.lines() == [], "\n".join(told)
    assert sum(outcome.endings.values()) == 60
    assert sum(outcome.faults.values()) > 20
