"""The kernels' fuzzer: a short run finds nothing, and a run over a layer that is wrong on rare inputs finds that."""

import itertools
import re

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.native.backend import NativeBackend
from tests.fuzz import kernel_cases as cases
from tests.fuzz import kernels as fuzz

SECONDS = 20


@pytest.fixture(scope="module")
def layers() -> dict[str, NativeBackend]:
    found = cases.layers()
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
        (one, rng), (other, same) = cases.draw(7, number), cases.draw(7, number)
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


class MixesUpTwo(NativeBackend):
    """Gives the multiples of the last two points in each other's place."""

    def scale_each(self, group, bases: Array, scalars: Array, **options) -> Array:  # type: ignore[no-untyped-def]
        found = super().scale_each(group, bases, scalars, **options)
        return np.concatenate([found[:-2], found[-2:][::-1]])


class SkipsTheEnd(NativeBackend):
    """Leaves out of its sum what does not fill a word."""

    def checksum(self, data, **options) -> int:  # type: ignore[no-untyped-def]
        return super().checksum(data[: len(data) // 8 * 8], **options)


class TakesOneForm(NativeBackend):
    """Answers in canonical form, whatever was asked for."""

    def scale(self, group, base: Array, scalars: Array, **options) -> Array:  # type: ignore[no-untyped-def]
        return super().scale(group, base, scalars, **options | {"result_mont": False})


class SpoilsItsTable(NativeBackend):
    """Right in its first transform of a size and wrong in the second."""

    def ntt(self, field, values: Array, **options) -> Array:  # type: ignore[no-untyped-def]
        seen: set[int] = self.__dict__.setdefault("seen", set())
        found = super().ntt(field, values, **options)
        if len(values) in seen:
            found[-1, 0] ^= np.uint64(1)
        seen.add(len(values))
        return found


PLANTED: dict[type[NativeBackend], cases.Kind] = {
    ForgetsOpposites: cases.points,
    ReadsTooFar: cases.msm,
    LosesTheTopBit: cases.msm,
    MixesUpTwo: cases.scale_each,
    SkipsTheEnd: cases.checksum,
    TakesOneForm: cases.scale,
    SpoilsItsTable: cases.ntt,
}


@pytest.mark.parametrize("broken", PLANTED)
def test_a_planted_bug_is_found(layers: dict[str, NativeBackend], broken: type[NativeBackend]) -> None:
    faulty = broken(layers["adx" if "adx" in layers else "portable"]._layer)
    backends = {"portable": layers["portable"], "faulty": faulty}
    lines: list[str] = []
    numbers = (n for n in itertools.count() if cases.kind_of(3, n) is PLANTED[broken])
    tally = fuzz.run(numbers, 3, 120, backends, report=lines.append)
    assert re.match(r"seed 3, case \d+: (portable|faulty) and (portable|faulty) differ", tally.difference)
    assert re.search(r"repeat: python -m tests.fuzz.kernels --seed 3 --case \d+$", lines[-1])


class Recording(NativeBackend):
    """Notes which of its functions are asked for."""

    asked: set[str]

    def __getattribute__(self, name: str) -> object:
        object.__getattribute__(self, "__dict__").setdefault("asked", set()).add(name)
        return super().__getattribute__(name)


def test_every_kernel_is_drawn(layers: dict[str, NativeBackend]) -> None:
    recording = Recording(layers["portable"]._layer)
    kernels = {name for name in vars(Backend) if not name.startswith("_") and callable(getattr(Backend, name))}
    for number in range(1000):
        case, _ = cases.draw(5, number)
        if case.size < 1 << 10:
            fuzz.answer(case, recording)
        if kernels <= recording.asked:
            return
    raise AssertionError(f"never asked for: {kernels - recording.asked}")
