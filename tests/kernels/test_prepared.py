"""Prepared bases and many MSMs at once, against the plain MSM and the reference."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from proofgrid.errors import Cancelled, MalformedInput
from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BLS12_381, BN254, Group
from proofgrid.kernels.prepared import MsmJob, PreparedBases, aligned_bytes
from tests.kernels import backends
from tests.kernels.test_msm import CASES, multiples_of_the_generator
from tests.kernels.test_native_runtime import random_scalars

G1, G2 = BN254.g1, BN254.g2


def mont(backend: Backend, group: Group, points: Array) -> Array:
    return backend.to_mont(group.coordinate, points.reshape(-1, group.coordinate.limbs)).reshape(points.shape)


def bases_of(backend: Backend, group: Group, count: int, *, infinite: float = 0.0) -> Array:
    """``count`` bases in Montgomery form, of few different points; a share of them is infinity."""
    points = multiples_of_the_generator(group)(tuple(range(1, 8)))
    random = np.random.default_rng(count)
    bases = mont(backend, group, points)[random.integers(0, 7, count)]
    bases[random.random(count) < infinite] = 0
    return bases


def mixed_scalars(count: int) -> Array:
    """A third zero, a third small, the rest dense."""
    scalars = random_scalars(count)
    scalars[::3] = 0
    scalars[1::3, 1:] = 0
    scalars[1::3, 0] %= np.uint64(300)
    return scalars


@pytest.mark.parametrize("name", CASES)
def test_prepared_bases_give_the_same_sum(group: Group, native: Backend, name: str) -> None:
    case = CASES[name](group.curve.r)
    case = (case * 200)[:200]
    points = multiples_of_the_generator(group)
    bases_mont = mont(native, group, points(tuple(log for log, _ in case)))
    scalars = encode_elements(group.scalar, [scalar for _, scalar in case])
    expected = points((sum(log * scalar for log, scalar in case) % group.curve.r,))[0]
    prepared = native.prepare(group, bases_mont)
    assert len(prepared) == 200
    assert (native.msm(group, prepared, scalars) == expected).all()


@pytest.mark.parametrize("multiples", [2, 3, 6, 8, 16])
@pytest.mark.parametrize("name", CASES)
def test_multiples_give_the_same_sum(group: Group, native: Any, name: str, multiples: int) -> None:
    case = (CASES[name](group.curve.r) * 100)[:100]
    points = multiples_of_the_generator(group)
    bases_mont = mont(native, group, points(tuple(log for log, _ in case)))
    scalars = encode_elements(group.scalar, [scalar for _, scalar in case])
    expected = points((sum(log * scalar for log, scalar in case) % group.curve.r,))[0]
    prepared = native.prepare(group, bases_mont, multiples=multiples)
    assert prepared.multiples in (1, multiples)
    for window in (0, 2, 5, 15):
        assert (native.msm_many([MsmJob(group, prepared, scalars)], window=window)[0] == expected).all()


@pytest.mark.parametrize("window", [5, 6, 10])
def test_a_row_of_few_buckets_that_threads_share(group: Group, native: Any, window: int) -> None:
    """A row of 32 buckets on its own was once summed up after its running sums had changed."""
    bases, scalars = bases_of(native, group, 40), random_scalars(40)
    expected = native.msm(group, bases, scalars, bases_mont=True)
    for multiples in (1, 9, 17):
        prepared = native.prepare(group, bases, multiples=multiples)
        for threads in (1, 2, 3):
            jobs, control = [MsmJob(group, prepared, scalars)], Control(threads)
            assert (native.msm_many(jobs, control=control, window=window)[0] == expected).all()


def test_multiples_are_checked(native: Backend, reference: Backend) -> None:
    bases, scalars = bases_of(native, G1, 70), random_scalars(70)
    for wrong in (0, -1, 1.5):
        for backend in (native, reference):
            with pytest.raises(MalformedInput, match="multiples"):
                backend.prepare(G1, bases, multiples=wrong)  # type: ignore[arg-type]
    assert native.prepare(G1, bases, multiples=100).multiples in (1, 16)
    prepared = native.prepare(G1, bases, multiples=3)
    for claimed in (0, prepared.multiples + 1, 18, 1 << 31):
        with pytest.raises(MalformedInput):
            native.msm(G1, replace(prepared, multiples=claimed), scalars)


def test_the_reference_takes_its_own_form(group: Group, reference: Backend, native: Backend) -> None:
    bases, scalars = bases_of(native, group, 4), mixed_scalars(4)
    bases[2] = 0
    expected = native.msm(group, bases, scalars, bases_mont=True)
    assert (reference.msm(group, reference.prepare(group, bases), scalars) == expected).all()
    jobs = [MsmJob(group, bases, scalars, True), MsmJob(group, reference.prepare(group, bases), scalars)]
    assert all((total == expected).all() for total in reference.msm_many(jobs))


@pytest.mark.parametrize("infinite", [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 5000])
def test_infinite_bases_count_for_nothing(native: Backend, count: int, infinite: float) -> None:
    bases, scalars = bases_of(native, G1, count, infinite=infinite), mixed_scalars(count)
    finite = bases.any(axis=(1, 2))
    expected = native.msm(G1, bases[finite], scalars[finite], bases_mont=True)
    assert (native.msm(G1, bases, scalars, bases_mont=True) == expected).all()
    assert (native.msm(G1, native.prepare(G1, bases), scalars) == expected).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("curve", [BN254, BLS12_381], ids=lambda curve: curve.name)
def test_many_jobs_are_each_alone(native: Backend, curve: Any, threads: int) -> None:
    """The five of a proof: three of the whole witness, one of its tail, one of its own; and an empty one."""
    witness, other = mixed_scalars(700), random_scalars(512)
    g1, g2 = (bases_of(native, group, 700, infinite=0.3) for group in (curve.g1, curve.g2))
    jobs = [
        MsmJob(curve.g1, g1, witness, True),
        MsmJob(curve.g2, native.prepare(curve.g2, g2), witness),
        MsmJob(curve.g1, native.prepare(curve.g1, g1[3:]), witness[3:]),
        MsmJob(curve.g1, native.prepare(curve.g1, g1[:512]), other),
        MsmJob(curve.g1, native.prepare(curve.g1, g1[100:200]), witness[100:200]),
        MsmJob(curve.g2, native.prepare(curve.g2, g2[:0]), witness[:0]),
        MsmJob(curve.g2, g2[:0], witness[:0]),
        MsmJob(curve.g1, g1[::-1], witness[::-1], True),
    ]
    sums = native.msm_many(jobs, control=Control(threads))
    for job, total in zip(jobs, sums, strict=True):
        alone = native.msm(job.group, job.bases, job.scalars, bases_mont=job.bases_mont, control=Control(1))
        assert (total == alone).all()
    assert not sums[5].any()
    assert not sums[6].any()
    assert native.msm_many([]) == []


def test_scalars_that_overlap_out_of_step_are_not_mixed_up(native: Backend) -> None:
    memory = random_scalars(65).reshape(-1)
    memory[3::4] &= np.uint64(0x0FFFFFFFFFFFFFFF)
    memory[0::4] &= np.uint64(0x0FFFFFFFFFFFFFFF)
    even, odd = memory[:256].reshape(64, 4), memory[1:257].reshape(64, 4)
    bases = bases_of(native, G1, 64)
    sums = native.msm_many([MsmJob(G1, bases, even, True), MsmJob(G1, bases, odd, True)])
    assert (sums[0] == native.msm(G1, bases, even.copy(), bases_mont=True)).all()
    assert (sums[1] == native.msm(G1, bases, odd.copy(), bases_mont=True)).all()


@pytest.mark.parametrize("writer", backends.NATIVE)
def test_layers_of_one_form_read_each_others_bases(native: Backend, group: Group, writer: str) -> None:
    bases, scalars = bases_of(native, group, 100, infinite=0.2), random_scalars(100)
    prepared = backends.named(writer).prepare(group, bases)
    assert prepared.form.startswith(f"{group.curve_name}.{group.name} ")
    if prepared.form == native.prepared_form(group):
        assert (native.msm(group, prepared, scalars) == native.msm(group, bases, scalars, bases_mont=True)).all()
    else:
        with pytest.raises(MalformedInput, match="prepare"):
            native.msm(group, prepared, scalars)


def test_a_coordinate_out_of_range_is_refused_once_and_for_all(backend: Backend, group: Group) -> None:
    bases = bases_of(backend, group, 3)
    bases[1].reshape(-1, group.coordinate.limbs)[-1] = 2**64 - 1
    with pytest.raises(MalformedInput, match="modulus"):
        backend.prepare(group, bases)


def test_wrong_shapes_are_refused(backend: Backend) -> None:
    bases, scalars = bases_of(backend, G1, 3), random_scalars(3)
    prepared = backend.prepare(G1, bases)
    shifted = aligned_bytes(prepared.data.size + 8)[8:]
    shifted[:] = prepared.data
    for wrong in (
        replace(prepared, form="bn254.g1 other v1"),
        replace(prepared, group=G2),
        replace(prepared, group=BLS12_381.g1),
        replace(prepared, n=2),
        replace(prepared, data=prepared.data[:-64]),
        replace(prepared, data=prepared.data.view(np.uint64)),
        replace(prepared, data=shifted),
        replace(prepared, data=aligned_bytes(2 * prepared.data.size)[::2]),
        replace(prepared, data=bytes(prepared.data)),
    ):
        with pytest.raises(MalformedInput, match="prepare"):
            backend.msm(G1, wrong, scalars[: wrong.n])
    with pytest.raises(MalformedInput, match="3 bases and 2 scalars"):
        backend.msm(G1, prepared, scalars[:2])
    with pytest.raises(MalformedInput, match="several curves"):
        backend.msm_many([MsmJob(G1, prepared, scalars), MsmJob(BLS12_381.g1, bases, scalars)])
    with pytest.raises(MalformedInput):
        backend.prepare(G1, bases.reshape(-1))


def test_a_bad_scalar_of_any_job_is_refused(native: Backend) -> None:
    bases, scalars = bases_of(native, G1, 9), random_scalars(9)
    bad = scalars.copy()
    bad[4] = 2**64 - 1
    prepared = native.prepare(G1, bases)
    with pytest.raises(MalformedInput, match="scalars: element 4"):
        native.msm_many([MsmJob(G1, prepared, scalars), MsmJob(G1, prepared, bad)])


def test_damaged_bytes_do_no_harm(native: Backend, group: Group) -> None:
    """Any sum may come out, but no crash, no error and no endless loop: the file is mapped while it is read."""
    random = np.random.default_rng(3)
    good = native.prepare(group, bases_of(native, group, 2000, infinite=0.2))
    scalars = mixed_scalars(2000)
    fills: list[Any] = [0, 255, random.integers(0, 256, good.data.size, dtype=np.uint8)]
    for fill in fills:
        data = aligned_bytes(good.data.size)
        data[:] = fill
        native.msm(group, PreparedBases(group, good.form, good.n, data), scalars)
    modulus = np.frombuffer(group.coordinate.modulus.to_bytes(group.coordinate.n_bytes, "little"), np.uint8)
    data = aligned_bytes(good.data.size)
    data[:] = 0
    points = 2000 * 8 * int(np.prod(group.point_shape))
    data[:points] = np.tile(modulus, points // len(modulus))  # a zero that is not recognised as one
    native.msm(group, PreparedBases(group, good.form, good.n, data), scalars)


def test_prepared_data_may_be_read_only(native: Backend) -> None:
    prepared, scalars = native.prepare(G1, bases_of(native, G1, 70)), random_scalars(70)
    expected = native.msm(G1, prepared, scalars)
    prepared.data.flags.writeable = False
    assert (native.msm(G1, prepared, scalars) == expected).all()


@pytest.mark.parametrize("work", ["prepare", "msm_many"])
def test_cancelled_work_stops_and_finished_work_is_whole(native: Backend, work: str) -> None:
    bases, scalars = bases_of(native, G1, 300), random_scalars(300)
    prepared = native.prepare(G1, bases)
    calls: dict[str, Any] = {
        "prepare": lambda control: native.prepare(G1, bases, control=control),
        "msm_many": lambda control: native.msm_many([MsmJob(G1, prepared, scalars)] * 3, control=control),
    }
    control = Control(2)
    calls[work](control)
    assert control.fraction == 1.0
    control = Control(2)
    control.cancel()
    with pytest.raises(Cancelled):
        calls[work](control)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 16, 17, 31, 4096, 100_001])
def test_the_checksum_is_the_references(native: Backend, reference: Backend, size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size + 1, dtype=np.uint8)[1:]
    assert native.checksum(data) == reference.checksum(data)


def test_the_checksum_sees_every_damage(native: Backend) -> None:
    data = np.random.default_rng(1).integers(0, 256, 3000, dtype=np.uint8)
    seen = {native.checksum(data), native.checksum(data[:-1]), native.checksum(np.append(data, np.uint8(0)))}
    seen.add(native.checksum(np.concatenate([data[16:32], data[:16], data[32:]])))
    for place in range(0, 3000, 37):
        wrong = data.copy()
        wrong[place] ^= np.uint8(1 << place % 8)
        seen.add(native.checksum(wrong))
    assert len(seen) == 4 + len(range(0, 3000, 37))


@pytest.mark.parametrize("count", [1, 8, 9, 12, 13, 2000])
def test_terms_that_are_not_chosen_count_for_nothing(native: Backend, group: Group, count: int) -> None:
    bases, scalars = bases_of(native, group, count, infinite=0.2), mixed_scalars(count)
    prepared = native.prepare(group, bases)
    for share in (0.0, 0.4, 1.0):
        chosen = np.random.default_rng(count).random(count) < share
        bits = np.packbits(chosen, bitorder="little")
        expected = native.msm(group, bases[chosen], scalars[chosen], bases_mont=True)
        jobs = [
            MsmJob(group, prepared, scalars, chosen=bits),
            MsmJob(group, bases, scalars, True, bits),
            MsmJob(group, prepared, scalars),
        ]
        sums = native.msm_many(jobs)
        assert (sums[0] == expected).all()
        assert (sums[1] == expected).all()
        assert (sums[2] == native.msm(group, bases, scalars, bases_mont=True)).all()


def test_the_reference_leaves_out_terms_too(reference: Backend, native: Backend) -> None:
    bases, scalars = bases_of(native, G1, 11), random_scalars(11)
    job = MsmJob(G1, bases, scalars, True, np.array([0b10100110, 0b001], np.uint8))
    assert (reference.msm_many([job])[0] == native.msm_many([job])[0]).all()


def test_terms_are_chosen_by_a_bit_each(backend: Backend) -> None:
    bases, scalars = bases_of(backend, G1, 9), random_scalars(9)
    for wrong in (np.ones(1, np.uint8), np.ones(3, np.uint8), np.ones(2, np.bool_), np.ones((2, 1), np.uint8), b"12"):
        with pytest.raises(MalformedInput, match="chosen"):
            backend.msm_many([MsmJob(G1, bases, scalars, True, wrong)])  # type: ignore[arg-type]
    bad = scalars.copy()
    bad[4] = 2**64 - 1
    with pytest.raises(MalformedInput, match="element 4"):
        backend.msm_many([MsmJob(G1, bases, bad, True, np.zeros(2, np.uint8))])


@pytest.mark.parametrize("count", range(14))
def test_few_terms_are_summed_as_many_are(native: Backend, group: Group, count: int) -> None:
    """Doubles, opposites and infinity among them; up to twelve take another way than thirteen and more."""
    bases, scalars = bases_of(native, group, count, infinite=0.2), mixed_scalars(count)
    none = np.zeros((20, *group.point_shape), np.uint64)
    fill = np.concatenate([scalars, np.full((20, group.scalar.limbs), 0, np.uint64)])
    fill[count:, 0] = 1
    padding = np.concatenate([bases_of(native, group, 1)] * 20)
    many = native.msm(group, np.concatenate([bases, padding]), fill, bases_mont=True)
    twenty = native.msm(group, padding, fill[count:], bases_mont=True)
    few = native.msm(group, bases, scalars, bases_mont=True)
    assert (native.add_points(group, few[None], twenty[None])[0] == many).all()
    assert (native.msm(group, native.prepare(group, bases), scalars) == few).all()
    assert not native.msm(group, none, fill[count:], bases_mont=True).any()
