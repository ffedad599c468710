"""The properties that docs/admission.md promises of the score."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.models import CauseCode
from proofgrid.network.admission.reputation import FAULTS, HALF_LIFE_S, START, Tally

NOW = 1e9
NEW = Tally(decayed_at=NOW)

counts = st.floats(0, 1e6)
tallies = st.builds(
    lambda s, f, i, up, down: Tally(NOW, successes=s, faults=f, invalid=i, up_s=up, watched_s=up + down),
    counts,
    counts,
    st.floats(0, 20),
    counts,
    counts,
)


@given(tallies)
def test_a_score_lies_between_zero_and_one(tally: Tally) -> None:
    assert 0 <= tally.score <= 1


@given(tallies)
def test_a_success_never_lowers_and_a_fault_never_raises_the_score(tally: Tally) -> None:
    assert tally.succeeded(NOW).score >= tally.score * (1 - 1e-12)
    for code in CauseCode:
        assert tally.failed(NOW, code).score <= tally.score


@given(st.floats(0, 1e9), st.floats(0, 1e6), st.floats(0, 1e6))
def test_an_invalid_proof_costs_more_than_any_number_of_successes_gains(s: float, up: float, down: float) -> None:
    best = Tally(NOW, successes=s, up_s=1e6, watched_s=1e6).failed(NOW, CauseCode.INVALID_PROOF)
    newcomer = Tally(NOW, up_s=up, watched_s=up + down)
    assert best.score < newcomer.score


def test_a_new_prover_starts_low_and_one_bad_day_does_not_lock_it_out() -> None:
    assert NEW.score == START
    busy = NEW
    for _ in range(100):
        busy = busy.succeeded(NOW)
    assert busy.score > 2 * NEW.score
    unlucky = NEW.failed(NOW, CauseCode.WORKER_LOST).failed(NOW, CauseCode.PROVER_ERROR)
    assert unlucky.score > 0.3  # the market's default threshold


@given(tallies)
def test_old_sins_fade_and_so_does_old_glory(tally: Tally) -> None:
    assert tally.at(NOW + 60 * HALF_LIFE_S).score == pytest.approx(START, abs=1e-3)
    half = tally.at(NOW + HALF_LIFE_S)
    assert half.invalid == pytest.approx(tally.invalid / 2)
    assert half.successes == pytest.approx(tally.successes / 2)
    assert tally.at(NOW - 1e6) == tally.at(NOW)


@given(tallies, st.floats(0, 1e7), st.floats(0, 1e7))
def test_fading_in_two_steps_is_fading_in_one(tally: Tally, first: float, second: float) -> None:
    twice, once = tally.at(NOW + first).at(NOW + first + second), tally.at(NOW + first + second)
    assert twice.score == pytest.approx(once.score, rel=1e-6)


@pytest.mark.parametrize("code", [CauseCode.FALSE_PROOF, CauseCode.UNSATISFIED_CIRCUIT, CauseCode.MALFORMED_INPUT])
def test_what_a_requester_can_cause_is_counted_and_costs_nothing(code: CauseCode) -> None:
    after = NEW.failed(NOW, code)
    assert after.score == NEW.score
    assert after.causes == {code.value: 1.0}
    assert code not in FAULTS


def test_a_missed_deadline_weighs_more_than_a_lost_worker() -> None:
    assert NEW.failed(NOW, CauseCode.DEADLINE_PASSED).score < NEW.failed(NOW, CauseCode.WORKER_LOST).score


def test_uptime_is_what_was_heard_without_long_gaps() -> None:
    tally = NEW.heard(NOW)
    for minute in range(1, 121):
        tally = tally.heard(NOW + 30 * minute)
    assert tally.uptime == pytest.approx(1.0)
    gone = tally.heard(NOW + 3600 + 3 * 3600)
    assert gone.uptime == pytest.approx(0.4, abs=0.01)
    assert gone.score < tally.score
    assert gone.heard(NOW).heard_at == gone.heard_at


@settings(max_examples=30)
@given(st.lists(st.floats(0.02, 1e4), min_size=20, max_size=200))
def test_quantiles_are_within_a_bin_of_the_true_ones(latencies: list[float]) -> None:
    tally = NEW
    for seconds in latencies:
        tally = tally.succeeded(NOW, seconds)
    assert len(tally.latencies) == 96
    median = statistics.median_high(latencies) if len(latencies) % 2 else sorted(latencies)[len(latencies) // 2 - 1]
    found = tally.latency(0.5)
    assert found is not None
    assert median / 1.01 <= found <= median * 1.2
    assert NEW.latency(0.5) is None
