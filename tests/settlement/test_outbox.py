"""The outbox alone: moves, races, files."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.errors import Conflict, MalformedInput, SettlementError
from proofgrid.settlement.outbox import MOVES, Entry, Log, Outbox, State, read_logs

ROOT = bytes([7]) * 32
LOG = Log("chain", "program", "prover", "signer", ("http://a", "http://b"))


def box(path: Path | str = ":memory:", log: Log = LOG) -> Outbox:
    return Outbox(path, log)


def at(state: State, outbox: Outbox, number: int = 0) -> Entry:
    """A new entry in this state, by hand."""
    outbox.put(number, ROOT, 3)
    outbox._database.execute("UPDATE batches SET state = ? WHERE number = ?", (state, number))
    entry = outbox.entry(number)
    assert entry is not None
    return entry


def test_a_batch_is_taken_in_once() -> None:
    outbox = box()
    first = outbox.put(4, ROOT, 3)
    assert outbox.put(4, ROOT, 3) == first
    assert (first.number, first.root, first.leaf_count, first.state) == (4, ROOT, 3, State.PENDING)
    for root, count in ((bytes([8]) * 32, 3), (ROOT, 4)):
        with pytest.raises(Conflict, match="batch 4 has root 0707"):
            outbox.put(4, root, count)
    assert outbox.entries(tuple(State)) == [first]


@pytest.mark.parametrize("number", [-1, 1 << 63])
def test_numbers_out_of_range_are_refused(number: int) -> None:
    with pytest.raises(MalformedInput, match="from 0 to"):
        box().put(number, ROOT, 1)


@pytest.mark.parametrize("old", State)
@pytest.mark.parametrize("new", State)
def test_only_the_moves_of_the_table_are_made(old: State, new: State) -> None:
    outbox = box()
    entry = at(old, outbox)
    if new in MOVES[old]:
        assert outbox.move(entry, new)
        assert outbox.counts() == {new: 1}
    else:
        with pytest.raises(ValueError, match="may not move"):
            outbox.move(entry, new)
        assert outbox.counts() == {old: 1}


def test_of_two_that_move_one_entry_one_wins(tmp_path: Path) -> None:
    one, two = box(tmp_path / "outbox"), box(tmp_path / "outbox")
    seen_by_one, seen_by_two = one.put(0, ROOT, 1), two.put(0, ROOT, 1)
    assert one.move(seen_by_one, State.SIGNED, signature="a", raw=b"a", last_valid_block_height=9, attempts=1)
    assert not two.move(seen_by_two, State.SIGNED, signature="b", raw=b"b", last_valid_block_height=9, attempts=1)
    entry = two.entry(0)
    assert entry is not None
    assert (entry.signature, entry.raw, entry.attempts) == ("a", b"a", 1)
    # Nor does one that has seen an older transaction.
    assert one.move(entry, State.PENDING)
    back = one.entry(0)
    assert back is not None
    assert one.move(back, State.SIGNED, signature="c", raw=b"c", last_valid_block_height=9)
    assert not two.move(entry, State.CONFIRMED)


def test_a_move_clears_the_error_and_a_note_keeps_the_state() -> None:
    outbox = box()
    outbox.note(outbox.put(0, ROOT, 1), "the endpoint is away")
    entry = outbox.entry(0)
    assert entry is not None
    assert (entry.error, entry.state) == ("the endpoint is away", State.PENDING)
    outbox.move(entry, State.SIGNED, signature="a")
    entry = outbox.entry(0)
    assert entry is not None
    assert entry.error is None


def test_what_is_written_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = box(tmp_path / "outbox")
    signed = {"signature": "s", "raw": bytes(range(256)), "last_valid_block_height": 1 << 40, "attempts": 1}
    first.move(first.put((1 << 63) - 1, ROOT, 1 << 14), State.SIGNED, **signed)
    second = box(tmp_path / "outbox")  # the first was never closed
    (entry,) = second.entries((State.SIGNED,))
    assert {name: getattr(entry, name) for name in signed} == signed
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o600
    assert second._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert second._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_logs_share_a_file_and_nothing_else(tmp_path: Path) -> None:
    other = Log("another chain", "program", "prover", "signer")
    one, two = box(tmp_path / "outbox"), box(tmp_path / "outbox", other)
    one.put(0, ROOT, 1)
    assert two.entry(0) is None
    assert two.last() is None
    two.put(0, bytes([8]) * 32, 1)
    assert one.put(0, ROOT, 1).root == ROOT
    assert read_logs(tmp_path / "outbox") == [other, LOG]
    box(tmp_path / "outbox", Log("chain", "program", "prover", "another signer", ("http://c",)))
    assert read_logs(tmp_path / "outbox")[0] == Log("chain", "program", "prover", "another signer", ("http://c",))
    assert read_logs(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(84)])
def test_another_file_is_refused_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox"
    path.write_bytes(content)
    with pytest.raises(MalformedInput, match="cannot be used as an outbox"):
        box(path)
    assert path.read_bytes() == content


def test_an_outbox_of_a_later_program_is_refused(tmp_path: Path) -> None:
    box(tmp_path / "outbox").close()
    later = sqlite3.connect(tmp_path / "outbox")
    later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(MalformedInput, match="version 2"):
        box(tmp_path / "outbox")


def test_a_disk_that_refuses_is_told_and_nothing_is_half_written() -> None:
    outbox = box()
    entry = outbox.put(0, ROOT, 1)
    outbox._database.execute("PRAGMA query_only = ON")
    with pytest.raises(SettlementError, match="nothing is sent"):
        outbox.move(entry, State.SIGNED, signature="a")
    with pytest.raises(SettlementError, match="nothing is sent"):
        outbox.put(1, ROOT, 1)
    outbox._database.execute("PRAGMA query_only = OFF")
    assert outbox.entries(tuple(State)) == [entry]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(State)), st.sampled_from(["a", "b"])), max_size=40))
def test_whatever_is_tried_an_entry_is_where_its_last_allowed_move_brought_it(
    tries: list[tuple[int, State, str]],
) -> None:
    outbox, model = box(), dict[int, State]()
    for number, to, signature in tries:
        entry = outbox.put(number, ROOT, 1)
        model.setdefault(number, State.PENDING)
        if to in MOVES[model[number]]:
            assert outbox.move(entry, to, signature=signature)
            model[number] = to
    assert {entry.number: entry.state for entry in outbox.entries(tuple(State))} == model
    outbox.close()
