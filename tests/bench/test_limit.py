"""The limit against values worked out by hand."""

import pytest

from proofgrid.bench import limit
from proofgrid.kernels.curves import BLS12_381, BN254
from proofgrid.kernels.native.rates import Rates

ZEN5 = Rates(cycles=3.9e9, mul64=3.9e9, vpmadd52=7.8e9)
NO_IFMA = Rates(cycles=3e9, mul64=3e9, vpmadd52=0)


def test_a_bucket_addition_of_bn254_is_590_instructions_for_eight_lanes() -> None:
    assert limit.group_costs(BN254.g1, ZEN5).bucket_addition * 8 == 590


def test_msm_2_16_by_hand() -> None:
    # window 13: 20 windows of 65,536 additions and 2 * 4,096 for the sum, at 295 / 8 cycles each
    additions = 20 * 65_536 + 20 * 2 * 4_096
    assert limit.msm_additions([(254, 65_536)]) == additions
    seconds = limit.seconds(limit.msm_instructions(BN254.g1, [(254, 65_536)], ZEN5), ZEN5, threads=1)
    assert seconds == pytest.approx(additions * 295 / 8 / 3.9e9)
    assert seconds == pytest.approx(0.014, rel=0.01)


def test_ntt_2_18_by_hand() -> None:
    seconds = limit.seconds(limit.ntt_instructions(BN254.Fr, 18, ZEN5), ZEN5, threads=1)
    assert seconds == pytest.approx(2**18 / 2 * 18 * 61 / 16 / 3.9e9)
    assert seconds == pytest.approx(0.0023, rel=0.01)


def test_threads_divide_it() -> None:
    assert limit.seconds(1e9, ZEN5, 2) == limit.seconds(1e9, ZEN5, 1) / 2


def test_without_ifma_it_is_the_scalar_multiplier_s() -> None:
    assert limit.field_costs(BN254.Fq, NO_IFMA) == limit.Costs(36, 30, 36)
    assert limit.field_costs(BLS12_381.Fq, NO_IFMA).multiply == 78
    assert limit.seconds(3e9, NO_IFMA, 1) == 1


def test_the_larger_fields_cost_more() -> None:
    assert limit.field_costs(BLS12_381.Fq, ZEN5) == limit.Costs(257 / 8, 201 / 8, 257 / 8)
    assert limit.field_costs(BLS12_381.Fr, ZEN5) == limit.field_costs(BN254.Fr, ZEN5)
    assert limit.group_costs(BN254.g2, ZEN5).bucket_addition * 8 == 5 * 252 + 202


def test_zeros_are_free_and_ones_cost_an_addition() -> None:
    assert limit.msm_additions([(0, 1000)]) == 0
    assert limit.msm_additions([(0, 1000), (1, 7)]) == 7
    assert limit.msm_additions([(254, 65_536), (1, 7)]) == limit.msm_additions([(254, 65_536)]) + 7


def test_a_batch_of_verifications_costs_less_for_each() -> None:
    one, thousand = (limit.verification_multiplications(BN254, n) for n in (1, 1000))
    assert thousand < 1000 * one / 2
