"""Arbitrary and broken bytes: every decoder answers with a value or with MalformedInput."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.errors import MalformedInput
from proofgrid.prover.formats.r1cs import read_r1cs, read_r1cs_header
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.formats.zkey import read_zkey
from tests.fuzz import containers, decoders
from tests.prover import vectors

Reader = Callable[[bytes], object]
READERS: dict[str, tuple[Reader, ...]] = {
    "r1cs": (read_r1cs, read_r1cs_header),
    "wtns": (read_wtns,),
    "zkey": (lambda data: read_zkey(data).check(),),
}
FILES = {magic: [vectors.read(f"{curve}/steps.{magic}") for curve in vectors.CURVES] for magic in READERS}
COUNTS = st.sampled_from([0, 1, 2, 3, 19, 20, 2**16, 2**31 - 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)


def read(magic: str, data: bytes) -> None:
    for reader in READERS[magic]:
        try:
            reader(data)
        except MalformedInput:
            continue


@pytest.mark.parametrize("magic", READERS)
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes(magic: str, data: bytes) -> None:
    read(magic, data)
    read(magic, magic.encode() + struct.pack("<I", 1) + data)


@pytest.mark.parametrize("magic", READERS)
@settings(max_examples=200, deadline=None)
@given(sections=st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=200)), max_size=12))
def test_arbitrary_sections(magic: str, sections: containers.Sections) -> None:
    read(magic, containers.join(magic.encode() + struct.pack("<I", 1), sections))


@pytest.mark.parametrize("magic", READERS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_one_section_of_a_valid_file_is_arbitrary(magic: str, data: st.DataObject) -> None:
    valid = data.draw(st.sampled_from(FILES[magic]))
    number = data.draw(st.sampled_from([number for number, _ in containers.split(valid)]))
    read(magic, containers.replace(valid, number, data.draw(st.binary(max_size=400))))


@pytest.mark.parametrize("magic", READERS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_32_bit_field_lies(magic: str, data: st.DataObject) -> None:
    valid = data.draw(st.sampled_from(FILES[magic]))
    at = 4 * data.draw(st.integers(0, len(valid) // 4 - 1))
    read(magic, valid[:at] + struct.pack("<I", data.draw(COUNTS)) + valid[at + 4 :])


def test_a_slice_of_the_fuzzing_script() -> None:
    """``python -m tests.fuzz.decoders --count 4000 --seed 7``; by itself the script takes 100,000."""
    troubles: list[str] = []
    tally = decoders.run(4000, seed=7, report=troubles.append)
    assert not troubles
    assert (tally.crashes, tally.slow, tally.accepted + tally.refused) == (0, 0, 4000)
    assert tally.refused > 2000
    assert tally.accepted > 100


def test_the_fuzzing_script_reports_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> object:
        return data[1_000_000]

    target = decoders.Target("broken", broken, vectors.read("bn254/steps.wtns"), decoders.mutations.BINARY)
    monkeypatch.setattr(decoders, "targets", lambda: [target])
    troubles: list[str] = []
    tally = decoders.run(3, seed=1, report=troubles.append)
    assert str(tally) == "3 mutated files, 0 accepted, 0 refused, 3 crashes"
    assert all("IndexError" in trouble and "seed 1, file" in trouble for trouble in troubles)
