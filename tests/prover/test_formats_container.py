"""The container that the three formats share, seen through the ``.wtns`` reader."""

import os
import struct
from pathlib import Path

import pytest

from proofgrid.errors import MalformedInput, NotFound
from proofgrid.prover.formats import binfile
from proofgrid.prover.formats.wtns import read_wtns
from tests.fuzz import containers
from tests.prover import vectors

WTNS = vectors.read("bn254/steps.wtns")


def refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedInput, match=words):
        read_wtns(data)


def test_sections_may_come_in_any_order() -> None:
    shuffled = containers.join(WTNS, containers.split(WTNS)[::-1])
    assert shuffled != WTNS
    assert (read_wtns(shuffled).values == read_wtns(WTNS).values).all()


def test_a_section_that_no_reader_knows_is_passed_over() -> None:
    assert len(read_wtns(containers.join(WTNS, [(77, b"note"), *containers.split(WTNS)])).values) == 19


@pytest.mark.parametrize("size", range(12))
def test_a_file_shorter_than_its_header(size: int) -> None:
    refused(WTNS[:size], f"at least 12 bytes, this has {size}")


def test_another_magic_is_named() -> None:
    refused(vectors.read("bn254/steps.r1cs"), "expected the magic 'wtns', got b'r1cs'")


@pytest.mark.parametrize(("version", "good"), [(0, False), (1, True), (2, True), (3, False)])
def test_versions(version: int, good: bool) -> None:
    data = WTNS[:4] + struct.pack("<I", version) + WTNS[8:]
    if good:
        assert len(read_wtns(data).values) == 19
    else:
        refused(data, f"version {version}, expected 1 to 2")


def test_a_section_twice() -> None:
    refused(containers.join(WTNS, [*containers.split(WTNS), (2, b"")]), "section 2 is there twice")


@pytest.mark.parametrize("number", [1, 2])
def test_a_section_missing(number: int) -> None:
    kept = [section for section in containers.split(WTNS) if section[0] != number]
    refused(containers.join(WTNS, kept), f"section {number} .* is missing")


def test_bytes_after_the_last_section() -> None:
    refused(WTNS + b"\0", "1 bytes follow the last field")


def test_every_truncation_is_refused() -> None:
    for size in range(len(WTNS)):
        with pytest.raises(MalformedInput):
            read_wtns(WTNS[:size])


@pytest.mark.parametrize("size", [2**31, 2**32, 2**63, 2**64 - 1])
def test_a_section_larger_than_the_file(size: int) -> None:
    refused(WTNS[:16] + struct.pack("<Q", size) + WTNS[24:], f"section 1 takes {size} bytes at offset 24")


def test_the_number_of_sections_is_capped() -> None:
    at_most = [(100 + i, b"") for i in range(binfile.MAX_SECTIONS - 2)]
    assert len(read_wtns(containers.join(WTNS, [*containers.split(WTNS), *at_most])).values) == 19
    refused(containers.join(WTNS, [*containers.split(WTNS), *at_most, (99, b"")]), "65 sections, expected at most 64")
    refused(WTNS[:8] + b"\xff\xff\xff\xff" + WTNS[12:], "4294967295 sections")


def test_a_path_and_bytes_and_a_view_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "steps.wtns"
    path.write_bytes(WTNS)
    for source in (path, str(path), memoryview(WTNS)):
        assert (read_wtns(source).values == read_wtns(WTNS).values).all()


def test_a_message_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.wtns"
    path.write_bytes(WTNS[:-1])
    with pytest.raises(MalformedInput, match=r"broken\.wtns"):
        read_wtns(path)


def test_what_is_not_a_regular_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_wtns(tmp_path / "nothing.wtns")
    with pytest.raises(MalformedInput, match="expected a regular file"):
        read_wtns(tmp_path)
    os.mkfifo(tmp_path / "pipe.wtns")
    with pytest.raises(MalformedInput, match="expected a regular file"):
        read_wtns(tmp_path / "pipe.wtns")
    (tmp_path / "empty.wtns").touch()
    with pytest.raises(MalformedInput, match="this has 0"):
        read_wtns(tmp_path / "empty.wtns")
    with pytest.raises(MalformedInput, match="cannot be read"):
        read_wtns("a\0b")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(struct.error), binfile.create(path, "wtns", 2, 1) as out:
        out.u32(-1)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_views_outlive_their_file(tmp_path: Path) -> None:
    """A reader keeps the mapping alive; replacing the file by a rename does not change what it sees."""
    path = tmp_path / "steps.wtns"
    path.write_bytes(WTNS)
    values = read_wtns(path).values
    (tmp_path / "new").write_bytes(bytes(len(WTNS)))
    (tmp_path / "new").replace(path)
    assert (values == read_wtns(WTNS).values).all()
