"""The kernels' fuzzer: a short run finds nothing, and a run over a layer that is wrong on rare inputs finds that."""

import itertools
import re

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.native.backend import NativeBackend
from tests.fuzz import kernels as fuzz

SECONDS = 20


@pytest.fixture(scope="module")
def layers() -> dict[str, NativeBackend]:
    found = fuzz.layers()
    if len(found) < 2:
        pytest.skip(f"this CPU runs only {', '.join(found)}: there is nothing to compare")
    return found


def test_a_short_run_finds_no_difference(layers: dict[str, NativeBackend]) -> None:
    tally = fuzz.run(itertools.count(), 1, SECONDS, layers, report=lambda line: None)
    assert tally.difference == ""
    assert tally.cases > 50
    assert len(tally.pairs) == len(layers) * (len(layers) - 1) // 2


def test_a_case_is_its_seed_and_number(layers: dict[str, NativeBackend]) -> None:
    for number in range(20):
        (one, rng), (other, same) = fuzz.draw(7, number), fuzz.draw(7, number)
        assert one.what == other.what
        assert rng.getstate() == same.getstate()
        backend = layers["portable"]
        assert fuzz.equal(fuzz.answer(one, backend), fuzz.answer(other, backend))


class ForgetsOpposites(NativeBackend):
    """Takes equal points for opposite ones."""

    def add_points(self, group, a: Array, b: Array) -> Array:  # type: ignore[no-untyped-def]
        total = super().add_points(group, a, b)
        equal = np.array([np.array_equal(x, y) for x, y in zip(a, b, strict=True)], bool)
        total[equal] = 0
        return total


class ReadsTooFar(NativeBackend):
    """Takes a scalar that is not below r."""

    def msm(self, group, bases: Array, scalars: Array, **options) -> Array:  # type: ignore[no-untyped-def]
        try:
            return super().msm(group, bases, scalars, **options)
        except MalformedInput:
            return np.zeros(group.point_shape, np.uint64)


class LosesTheTopBit(NativeBackend):
    """Drops the highest bit of r - 1 in an MSM."""

    def msm(self, group, bases: Array, scalars: Array, **options) -> Array:  # type: ignore[no-untyped-def]
        top = np.array(scalars)
        high = np.uint64((group.scalar.modulus - 1) >> 64 * (group.scalar.limbs - 1))
        top[scalars[:, -1] == high, -1] -= np.uint64(1)
        return super().msm(group, bases, top, **options)


@pytest.mark.parametrize("broken", [ForgetsOpposites, ReadsTooFar, LosesTheTopBit])
def test_a_planted_bug_is_found(layers: dict[str, NativeBackend], broken: type[NativeBackend]) -> None:
    faulty = broken(layers["adx" if "adx" in layers else "portable"]._layer)
    backends = {"portable": layers["portable"], "faulty": faulty}
    lines: list[str] = []
    kind = fuzz.points if broken is ForgetsOpposites else fuzz.msm
    numbers = (n for n in itertools.count() if fuzz.kind_of(3, n) is kind)
    tally = fuzz.run(numbers, 3, 120, backends, report=lines.append)
    assert re.match(r"seed 3, case \d+: (portable|faulty) and (portable|faulty) differ", tally.difference)
    assert re.search(r"repeat: python -m tests.fuzz.kernels --seed 3 --case \d+$", lines[-1])
