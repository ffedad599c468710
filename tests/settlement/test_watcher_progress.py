"""What the watcher remembers survives kills, keeps networks apart, and says what is wrong with its file."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, QueueError
from proofgrid.settlement.watcher.progress import CLEAN, Progress, Watched

COMMITTER, OTHER = Pubkey([1] * 32), Pubkey([2] * 32)


def batch(number: int, committer: Pubkey = COMMITTER) -> Watched:
    address = Pubkey(bytes(committer)[:31] + bytes([number]))
    return Watched(address, committer, number, bytes([number]) * 32, 4, 1000 - number)


def test_batches_are_remembered_until_they_are_done_with(tmp_path: Path) -> None:
    first = Progress(tmp_path / "a", "chain")
    assert (first.next_number(COMMITTER), first.open()) == (0, [])
    first.add(COMMITTER, 3, [batch(0), batch(2)])
    first.put(replace(batch(2), state=CLEAN))
    first.close()
    second = Progress(tmp_path / "a", "chain")
    assert second.next_number(COMMITTER) == 3
    assert second.open() == [replace(batch(2), state=CLEAN), batch(0)]  # by the end of their windows
    second.done(batch(2).address)
    assert second.open() == [batch(0)]
    second.close()


def test_networks_and_committers_are_apart(tmp_path: Path) -> None:
    one, other = Progress(tmp_path / "a", "chain"), Progress(tmp_path / "a", "another")
    one.add(COMMITTER, 1, [batch(0)])
    one.add(OTHER, 5, [batch(4, OTHER)])
    assert (other.next_number(COMMITTER), other.open(), other.bonds_out()) == (0, [], 0)
    one.rewind(COMMITTER, 0)
    assert one.open() == [batch(4, OTHER)]
    assert (one.next_number(COMMITTER), one.next_number(OTHER)) == (0, 5)
    one.close()
    other.close()


def test_a_rewind_never_goes_ahead(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "a", "chain")
    progress.add(COMMITTER, 4, [batch(n) for n in range(4)])
    progress.rewind(COMMITTER, 9)
    assert (progress.next_number(COMMITTER), len(progress.open())) == (4, 4)
    progress.rewind(COMMITTER, 2)
    assert (progress.next_number(COMMITTER), [one.number for one in progress.open()]) == (2, [1, 0])
    progress.close()


def test_bonds_count_until_it_is_certain_that_they_are_back(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "a", "chain")
    at, elsewhere = batch(0).address, batch(1).address
    progress.intend(at, 3, 30)
    progress.intend(at, 3, 30)  # the first attempt's fate is unknown
    progress.intend(elsewhere, 0, 7)
    assert (progress.bonds_out(), progress.demand_of(at), progress.is_posted(at)) == (67, 3, False)
    progress.withdraw(at, 30)
    progress.posted(at)
    assert (progress.bonds_out(), progress.is_posted(at), progress.demands()) == (37, True, [(at, 3), (elsewhere, 0)])
    progress.returned(at)
    assert (progress.bonds_out(), progress.demand_of(at)) == (7, None)
    progress.close()


def test_a_keys_rent_counts_once(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "a", "chain")
    assert progress.register(b"1" * 32, 60, 100)
    assert progress.register(b"1" * 32, 60, 100)
    assert not progress.register(b"2" * 32, 41, 100)
    assert progress.register(b"2" * 32, 40, 100)
    progress.close()


def test_a_batch_and_the_next_number_are_written_together_or_not(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "a", "chain")
    broken = replace(batch(1), number=1 << 70)
    with pytest.raises(OverflowError):
        progress.add(COMMITTER, 2, [batch(0), broken])
    assert (progress.next_number(COMMITTER), progress.open()) == (0, [])
    progress.close()


def test_a_locked_file_is_tried_again(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "a", "chain", patience_s=0.01)
    other = sqlite3.connect(tmp_path / "a", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(QueueError):
        progress.open()
    with pytest.raises(QueueError):
        progress.add(COMMITTER, 1, [])
    other.execute("ROLLBACK")
    other.close()
    progress.add(COMMITTER, 1, [])
    progress.close()


def test_a_file_that_is_no_memory_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 5000)
    with pytest.raises(MalformedInput, match="delete it"):
        Progress(tmp_path / "a", "chain")
