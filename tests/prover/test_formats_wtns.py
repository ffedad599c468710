"""``.wtns``: values, borders, and the same bytes as snarkjs."""

import stat
import struct
from pathlib import Path

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_elements, encode_elements
from proofgrid.kernels.curves import BN254, CURVES
from proofgrid.prover.formats.wtns import read_wtns, write_wtns
from tests.fuzz import containers
from tests.prover import vectors

WTNS = vectors.read("bn254/steps.wtns")


@pytest.mark.parametrize("name", vectors.CURVES)
def test_values(name: str) -> None:
    wtns = read_wtns(vectors.path(f"{name}/steps.wtns"))
    r = CURVES[name].r
    assert wtns.curve is CURVES[name]
    values = decode_elements(wtns.values)
    assert values[:10] == [1, values[1], 100, 3, 4, 5, 6, 7, r - 8, 11]
    powers = [11, 121, 1331]
    total = sum(w * x for w, x in zip((3, 4, 5), powers, strict=True))
    total += 2 * sum(w * x for w, x in zip((6, 7, -8), powers, strict=True))
    assert values[1] == (total - 5) % r
    assert values[10:13] == [11, 121, 1331]


@pytest.mark.parametrize("name", [f"{curve}/steps.wtns" for curve in vectors.CURVES] + ["buses.wtns"])
def test_written_as_snarkjs_writes_it(name: str, tmp_path: Path) -> None:
    wtns = read_wtns(vectors.path(name))
    write_wtns(tmp_path / "out.wtns", wtns.curve, wtns.values)
    assert (tmp_path / "out.wtns").read_bytes() == vectors.read(name)


def test_a_witness_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_wtns(tmp_path / "out.wtns", BN254, encode_elements(BN254.Fr, [1, 2]))
    assert stat.S_IMODE((tmp_path / "out.wtns").stat().st_mode) == 0o600


def test_no_value_is_in_the_words_for_a_witness() -> None:
    wtns = read_wtns(WTNS)
    assert "values" not in repr(wtns)
    assert str(decode_elements(wtns.values)[-1]) not in repr(wtns)


def test_views_are_read_only() -> None:
    values = read_wtns(vectors.path("bn254/steps.wtns")).values
    assert not values.flags.writeable
    assert not values.flags.aligned  # 76 bytes in: the kernels must take that, and do
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0] = 2


def with_value(index: int, value: int) -> bytes:
    return containers.patch(WTNS, 2, 32 * index, value.to_bytes(32, "little"))


def test_the_modulus_is_refused_and_one_less_is_not() -> None:
    assert decode_elements(read_wtns(with_value(5, BN254.r - 1)).values)[5] == BN254.r - 1
    for value in (BN254.r, BN254.r + 1, 2**256 - 1):
        with pytest.raises(MalformedInput, match="wire 5 is not below the modulus") as caught:
            read_wtns(with_value(5, value))
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize("value", [0, 2, 1 + 2**64, BN254.r - 1])
def test_wire_0_must_be_one(value: int) -> None:
    with pytest.raises(MalformedInput, match="wire 0 is not one"):
        read_wtns(with_value(0, value))


@pytest.mark.parametrize("count", [0, 18, 20, 2**31, 2**32 - 1])
def test_a_count_that_does_not_fit_its_section(count: int) -> None:
    with pytest.raises(MalformedInput, match=r"section 2 \(values\)"):
        read_wtns(containers.patch(WTNS, 1, 36, struct.pack("<I", count)))


def test_another_prime_is_named() -> None:
    goldilocks = 2**64 - 2**32 + 1
    with pytest.raises(MalformedInput, match="0xffffffff00000001 is the scalar field of no curve"):
        read_wtns(containers.patch(WTNS, 1, 4, goldilocks.to_bytes(32, "little")))
    with pytest.raises(MalformedInput, match="takes 8 bytes, expected 32"):
        read_wtns(containers.patch(WTNS, 1, 0, struct.pack("<I", 8)))


@pytest.mark.parametrize("shape", [(0, 4), (3,), (3, 6)])
def test_the_writer_refuses_other_shapes(shape: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match="expected uint64"):
        write_wtns(tmp_path / "out.wtns", BN254, np.zeros(shape, dtype=np.uint64))
    assert not list(tmp_path.iterdir())
