"""What the native core is given: memory of any alignment and owner, and arguments that are wrong."""

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgrid.errors import MalformedInput, ProofgridError
from proofgrid.kernels.arrays import Array, encode_elements, encode_points
from proofgrid.kernels.backend import COEFFICIENT, Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, Group
from tests.kernels.test_native_runtime import random_scalars

FR, G1 = BN254.Fr, BN254.g1
MODULUS = np.array([(FR.modulus >> (64 * i)) & (2**64 - 1) for i in range(4)], np.uint64)


def shifted(array: Array, offset: int) -> Array:
    """A copy of the array whose first byte lies `offset` bytes off its natural alignment."""
    memory = np.zeros(array.nbytes + 128, np.uint8)
    begin = -memory.ctypes.data % 64 + offset
    view = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    assert view.ctypes.data % 64 == offset
    return view


@pytest.fixture
def points(native: Backend, group: Group) -> Array:
    generator = group.curve.g1_generator if group.name == "g1" else group.curve.g2_generator
    return native.scale(group, encode_points(group, [generator])[0], random_scalars(300))


@pytest.mark.parametrize("offset", [1, 4, 8, 60])
def test_alignment_changes_nothing(native: Backend, group: Group, points: Array, offset: int) -> None:
    scalars = random_scalars(300)
    expected = native.msm(group, points, scalars)
    assert (native.msm(group, shifted(points, offset), shifted(scalars, offset)) == expected).all()
    doubled = native.add_points(group, points, points)
    assert (native.add_points(group, shifted(points, offset), points) == doubled).all()
    assert native.check_points(group, shifted(points, offset)).all()
    values = random_scalars(256)
    assert (native.ntt(FR, shifted(values, offset)) == native.ntt(FR, values)).all()
    assert (native.field(FR, "mul", shifted(values, offset), values) == native.field(FR, "square", values)).all()


def test_a_read_only_mapped_file_is_read_in_place(native: Backend, tmp_path: Path) -> None:
    scalars = random_scalars(1000)
    bases = native.scale(G1, encode_points(G1, [BN254.g1_generator])[0], scalars)
    path = tmp_path / "section"
    path.write_bytes(b"odd" + native.to_mont(G1.coordinate, bases.reshape(-1, 4)).tobytes())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        bases_mont = np.frombuffer(mapped, np.uint64, offset=3).reshape(bases.shape)
        assert not bases_mont.flags.writeable
        got = native.msm(G1, bases_mont, scalars, bases_mont=True)
        del bases_mont
    assert (got == native.msm(G1, bases, scalars)).all()


def test_strided_arrays_are_accepted(native: Backend) -> None:
    values = random_scalars(64)
    assert (native.ntt(FR, values[::2]) == native.ntt(FR, values[::2].copy())).all()
    assert (native.field(FR, "neg", values[::-1]) == native.field(FR, "neg", values)[::-1]).all()


@pytest.mark.parametrize("window", range(2, 17))
def test_every_window_gives_the_same_sum(native: Backend, group: Group, points: Array, window: int) -> None:
    """The last digit takes the carry: r - 1 has the largest one, whatever the window."""
    scalars = random_scalars(300)
    scalars[::3] = encode_elements(group.scalar, [group.scalar.modulus - 1])
    scalars[::5, 1:] = 0
    expected = native.msm(group, points, scalars, window=8)  # type: ignore[call-arg]
    assert (native.msm(group, points, scalars, window=window) == expected).all()  # type: ignore[call-arg]


@pytest.mark.parametrize("place", [0, 4095, 4096, 8999])
def test_a_value_that_is_not_canonical_is_named(native: Backend, place: int) -> None:
    scalars = random_scalars(9000)
    bases = np.tile(encode_points(G1, [BN254.g1_generator]), (9000, 1, 1))
    native.msm(G1, bases, scalars)
    scalars[place] = MODULUS
    with pytest.raises(MalformedInput, match=f"scalars: element {place} "):
        native.msm(G1, bases, scalars)
    with pytest.raises(MalformedInput, match=f"scalars: element {place} "):
        native.scale(G1, bases[0], scalars)
    with pytest.raises(MalformedInput, match=f"element {place} "):
        native.field(FR, "neg", scalars)
    bases[place, 1] = np.uint64(2**64 - 1)
    with pytest.raises(MalformedInput, match=f"bases: point {place} "):
        native.msm(G1, bases, random_scalars(9000))
    assert np.flatnonzero(~native.check_points(G1, bases)).tolist() == [place]
    with pytest.raises(MalformedInput, match=f"b: point {place} "):
        native.add_points(G1, np.zeros_like(bases), bases)


@pytest.mark.parametrize(("key", "value"), [("matrix", 2), ("constraint", 16), ("signal", 5), ("value", MODULUS)])
def test_a_coefficient_out_of_range_is_refused(native: Backend, key: str, value: Any) -> None:
    records = np.zeros(7000, COEFFICIENT)
    records["constraint"] = np.arange(7000) % 16
    records["signal"] = np.arange(7000) % 5
    witness = random_scalars(5)
    native.quotient(FR, records, witness, 4)
    records[6543][key] = value
    with pytest.raises(MalformedInput, match=f"record 6543: its {key}"):
        native.quotient(FR, records, witness, 4)


def test_the_witness_of_a_quotient_must_be_canonical(native: Backend) -> None:
    witness = random_scalars(5)
    witness[3] = MODULUS
    records = np.zeros(4, COEFFICIENT)
    records["signal"] = np.arange(4)
    with pytest.raises(MalformedInput, match="witness: element 3 "):
        native.quotient(FR, records, witness, 4)


VALUES = random_scalars(4)
POINTS = np.zeros((4, 2, 4), np.uint64)
RECORDS = np.zeros(3, COEFFICIENT)
WRONG: dict[str, Callable[[Any], object]] = {
    "a list": lambda b: b.ntt(FR, [1, 2]),
    "signed": lambda b: b.ntt(FR, VALUES.astype(np.int64)),
    "big-endian": lambda b: b.ntt(FR, VALUES.astype(">u8")),
    "flat": lambda b: b.to_mont(FR, VALUES.reshape(-1)),
    "three limbs": lambda b: b.from_mont(FR, VALUES[:, :3]),
    "a scalar": lambda b: b.check_points(G1, np.uint64(3)),
    "no dimension": lambda b: b.check_points(G1, np.array(3, np.uint64)),
    "three values": lambda b: b.ntt(FR, VALUES[:3]),
    "no value": lambda b: b.ntt(FR, VALUES[:0]),
    "no such root": lambda b: b.ntt(BN254.Fq, VALUES),
    "shift zero": lambda b: b.ntt(FR, VALUES, shift=0),
    "shift r": lambda b: b.ntt(FR, VALUES, shift=FR.modulus),
    "shift half": lambda b: b.ntt(FR, VALUES, shift=0.5),
    "different lengths": lambda b: b.msm(G1, POINTS, VALUES[:3]),
    "g1 as g2": lambda b: b.msm(BN254.g2, POINTS, VALUES),
    "window 1": lambda b: b.msm(G1, POINTS, VALUES, window=1),
    "window 17": lambda b: b.msm(G1, POINTS, VALUES, window=17),
    "many bases": lambda b: b.scale(G1, POINTS, VALUES),
    "unequal multiples": lambda b: b.scale_each(G1, POINTS, VALUES[:3]),
    "unequal sums": lambda b: b.add_points(G1, POINTS, POINTS[:3]),
    "no b": lambda b: b.field(FR, "add", VALUES),
    "b a list": lambda b: b.field(FR, "add", VALUES, [1]),
    "a b too many": lambda b: b.field(FR, "inv", VALUES, VALUES),
    "no such operation": lambda b: b.field(FR, "sqrt", VALUES),
    "untyped records": lambda b: b.quotient(FR, VALUES, VALUES, 2),
    "records in two dimensions": lambda b: b.quotient(FR, RECORDS[None], VALUES, 2),
    "quotient over Fq": lambda b: b.quotient(BN254.Fq, RECORDS, VALUES, 2),
    "log_n 28": lambda b: b.quotient(FR, RECORDS, VALUES, 28),
    "log_n -1": lambda b: b.quotient(FR, RECORDS, VALUES, -1),
    "log_n half": lambda b: b.quotient(FR, RECORDS, VALUES, 2.5),
    "unequal pairs": lambda b: b.pairing_product(BN254, POINTS, np.zeros((3, 2, 2, 4), np.uint64)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused(native: Backend, name: str) -> None:
    with pytest.raises(MalformedInput):
        WRONG[name](native)


@pytest.mark.parametrize("words", [np.zeros(2, np.uint64), np.zeros(25, np.uint8)[1:]], ids=["short", "unaligned"])
def test_a_control_with_other_memory_is_refused(native: Backend, words: Array) -> None:
    control = Control()
    control.words = words
    with pytest.raises(ProofgridError):
        native.ntt(FR, VALUES, control=control)
