"""The rules of admission as functions of numbers alone: how long a challenge is, when the next comes."""

import hashlib
import math
import random

from proofgrid.config import AdmissionRules
from proofgrid.models.challenges import ChallengeKind

FIRST_STEPS = 8
"""Of a prover whose speed nobody knows."""
MAX_MSM_STEPS, MAX_NTT_STEPS = 2048, 1024
SLOWER = 4.0
"""A repeat that takes so many times what the measured speed promises is late: what was shown before was a burst."""
LONGEST_SUSPENSION_S = 86400.0
_DOWN, _UP = 0.5, 0.2

MSM_PER_UNIT, NTT_PER_UNIT = 7 * 1024, 6 * 1024
"""Of a Groth16 proof for each 1024 constraints: four sums in G1 and one in G2, which costs three; six transforms."""

KINDS = tuple(ChallengeKind)


def kind_of(passed: int, is_admitted: bool, draw: random.Random) -> ChallengeKind:
    """Candidates meet every kind in turn; a repeat is any of them."""
    return draw.choice(KINDS) if is_admitted else KINDS[passed % len(KINDS)]


def log_n_of(rules: AdmissionRules, kind: ChallengeKind) -> int:
    sizes = {ChallengeKind.MSM: rules.log_n, ChallengeKind.NTT: rules.ntt_log_n, ChallengeKind.PROOF: rules.proof_log_n}
    return sizes[kind]


def steps_of(rules: AdmissionRules, kind: ChallengeKind, per_s: float | None) -> int:
    """Steps of a chain for a prover of that measured speed (elements a second); a power of two for transforms."""
    if kind is ChallengeKind.PROOF:
        return 1
    if per_s is None:
        return FIRST_STEPS
    wanted = max(1.0, rules.target_s * per_s / (1 << log_n_of(rules, kind)))
    if kind is ChallengeKind.MSM:
        return min(MAX_MSM_STEPS, max(FIRST_STEPS, math.ceil(wanted)))
    return int(min(MAX_NTT_STEPS, max(FIRST_STEPS, 2 ** round(math.log2(wanted)))))


def time_bound_s(rules: AdmissionRules, kind: ChallengeKind, steps: int, per_s: float | None) -> float:
    """Seconds from issue to answer: by the network's least speed, or by the prover's own if that is better."""
    if kind is ChallengeKind.PROOF:
        return rules.proof_s + rules.grace_s
    least = rules.min_msm_per_s if kind is ChallengeKind.MSM else rules.min_ntt_per_s
    return (steps << log_n_of(rules, kind)) / max(least, (per_s or 0.0) / SLOWER) + rules.grace_s


def smoothed(old: float | None, new: float) -> float:
    """A speed after another measurement: quick to fall, slow to rise."""
    if old is None:
        return new
    share = _DOWN if new < old else _UP
    return (1 - share) * old + share * new


def units_per_s(msm_per_s: float | None, ntt_per_s: float | None, proven_per_s: float | None) -> float | None:
    """Thousands (1024) of constraints a second: the least of what the kernels promise and what requests showed."""
    promised = None
    if msm_per_s and ntt_per_s:
        promised = 1 / (MSM_PER_UNIT / msm_per_s + NTT_PER_UNIT / ntt_per_s)
    known = [speed for speed in (promised, proven_per_s) if speed is not None]
    return min(known, default=None)


def next_repeat_at(rules: AdmissionRules, now: float, slow: int, secret: bytes, draw: random.Random) -> float:
    """When the next repeat is due: exponential, ten times as often after each late one, moved to the next wave.

    A wave begins somewhere in its ``wave_s``, where only the network's secret tells.
    """
    at = now + draw.expovariate(1.0) * rules.repeat_mean_s / 10.0 ** min(slow, 3)
    if slow:
        return at
    number = math.floor(at / rules.wave_s)
    while (start := _wave_start(number, rules.wave_s, secret)) < at:
        number += 1
    return start


def _wave_start(number: int, wave_s: float, secret: bytes) -> float:
    digest = hashlib.sha256(b"proofgrid-admission-wave-v1" + secret + number.to_bytes(8, "little")).digest()
    return wave_s * (number + int.from_bytes(digest[:6], "little") / 2**48)


def suspension_s(rules: AdmissionRules, earlier: int) -> float:
    """How long a prover must wait before it may try again."""
    return float(min(LONGEST_SUSPENSION_S, rules.suspension_s * 2.0 ** min(earlier, 30)))
