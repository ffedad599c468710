"""The rules as functions of numbers."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgrid.config import AdmissionRules
from proofgrid.models.challenges import ChallengeKind
from proofgrid.network.admission import policy

RULES = AdmissionRules()
SECRET = bytes(32)
speeds = st.floats(1e3, 1e12)


@given(st.sampled_from(ChallengeKind), st.none() | speeds)
def test_steps_and_answers_stay_within_what_the_protocol_carries(kind: ChallengeKind, per_s: float | None) -> None:
    from proofgrid.models.challenges import MAX_ANSWER_BYTES, MAX_STEPS

    steps = policy.steps_of(RULES, kind, per_s)
    assert 1 <= steps <= MAX_STEPS
    sizes = {ChallengeKind.MSM: 64 * steps, ChallengeKind.NTT: 32 << RULES.ntt_log_n, ChallengeKind.PROOF: 256}
    assert sizes[kind] <= MAX_ANSWER_BYTES
    if kind is ChallengeKind.NTT:
        assert steps & (steps - 1) == 0  # few lengths, so few functionals


@given(speeds)
def test_a_prover_that_keeps_its_speed_is_in_time_and_one_that_lost_most_of_it_is_not(per_s: float) -> None:
    for kind in (ChallengeKind.MSM, ChallengeKind.NTT):
        steps = policy.steps_of(RULES, kind, per_s)
        work = steps << policy.log_n_of(RULES, kind)
        bound = policy.time_bound_s(RULES, kind, steps, per_s)
        assert work / per_s <= bound or per_s < RULES.min_ntt_per_s
        slow = max(per_s / (1.1 * policy.SLOWER), 0.0)
        if per_s / policy.SLOWER > RULES.min_ntt_per_s:
            assert work / slow + RULES.grace_s > bound


def test_candidates_meet_every_kind_in_turn() -> None:
    draw = random.Random(1)
    assert {policy.kind_of(passed, False, draw) for passed in range(3)} == set(ChallengeKind)
    assert {policy.kind_of(7, True, draw) for _ in range(100)} == set(ChallengeKind)


def test_a_speed_falls_faster_than_it_rises() -> None:
    assert policy.smoothed(None, 3.0) == 3.0
    assert 100 - policy.smoothed(100.0, 50.0) > policy.smoothed(100.0, 150.0) - 100
    assert 50 <= policy.smoothed(100.0, 50.0) <= 100 <= policy.smoothed(100.0, 150.0) <= 150


def test_units_are_what_kernels_promise_until_requests_show_less() -> None:
    assert policy.units_per_s(None, 1e6, None) is None
    promised = policy.units_per_s(1e6, 1e7, None)
    assert promised == pytest.approx(1 / (7 * 1024 / 1e6 + 6 * 1024 / 1e7))
    assert policy.units_per_s(1e6, 1e7, promised / 2) == promised / 2
    assert policy.units_per_s(1e6, 1e7, promised * 9) == promised
    assert policy.units_per_s(None, None, 4.0) == 4.0


def test_repeats_come_at_random_about_as_often_as_said_and_sooner_after_a_late_one() -> None:
    draw = random.Random(1)
    waits = [policy.next_repeat_at(RULES, 1e9, 0, SECRET, draw) - 1e9 for _ in range(2000)]
    assert min(waits) >= 0
    assert statistics.mean(waits) == pytest.approx(RULES.repeat_mean_s + RULES.wave_s / 2, rel=0.1)
    assert statistics.stdev(waits) > RULES.repeat_mean_s / 2
    soon = [policy.next_repeat_at(RULES, 1e9, 1, SECRET, draw) - 1e9 for _ in range(2000)]
    assert statistics.mean(soon) == pytest.approx(RULES.repeat_mean_s / 10, rel=0.1)


def test_repeats_of_different_provers_meet_in_waves_that_only_the_secret_tells() -> None:
    draw = random.Random(1)
    at = {policy.next_repeat_at(RULES, 1e9, 0, SECRET, draw) for _ in range(500)}
    assert len(at) < 120  # 500 repeats within about 8 hours of 5 minutes each
    assert not at & {policy.next_repeat_at(RULES, 1e9, 0, b"1" * 32, draw) for _ in range(500)}


def test_suspensions_double_up_to_a_day() -> None:
    lengths = [policy.suspension_s(RULES, earlier) for earlier in range(12)]
    assert lengths[:3] == [RULES.suspension_s, 2 * RULES.suspension_s, 4 * RULES.suspension_s]
    assert lengths[-1] == policy.suspension_s(RULES, 10**6) == policy.LONGEST_SUSPENSION_S
