"""Prepared keys on a disk: found again, and never trusted when they are not what was written."""

import json
import logging
import multiprocessing
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.config import DEFAULT_MULTIPLES_BYTES
from proofgrid.errors import Cancelled, MalformedInput
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.control import Control
from proofgrid.kernels.prepared import PreparedBases
from proofgrid.prover.artifacts import hash_file
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16 import key_cache
from proofgrid.prover.groth16.key_cache import KeyCache, default_folder, open_prepared
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prepared import BASES, PreparedKey, multiples_within, prepare_key
from proofgrid.prover.groth16.prepared_file import PAGE
from proofgrid.prover.groth16.prove import _prove, prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify

ROWS = 60


@pytest.fixture(scope="module")
def zkey_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "chain.zkey"
    setup(square_chain(ROWS), path)
    return path


@pytest.fixture(scope="module")
def zkey(zkey_path: Path) -> Zkey:
    return read_zkey(zkey_path)


@pytest.fixture(scope="module")
def digest(zkey_path: Path) -> str:
    return hash_file(zkey_path)


@pytest.fixture
def cache(tmp_path: Path) -> KeyCache:
    return KeyCache(tmp_path / "cache" / "prepared")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger=key_cache.__name__):
        yield caplog


def files(cache: KeyCache) -> list[Path]:
    return sorted(cache.folder.glob("*.prepared"))


def _fresh(zkey: Zkey) -> PreparedKey:
    """The key as a cache keeps it."""
    return prepare_key(zkey, multiples=multiples_within(zkey, DEFAULT_MULTIPLES_BYTES))


def assert_same(key: PreparedKey, zkey: Zkey, *, in_memory: bool = False) -> None:
    fresh = prepare_key(zkey) if in_memory else _fresh(zkey)
    for name in BASES:
        ours, right = getattr(key, name), getattr(fresh, name)
        assert (ours.form, ours.n, ours.group, ours.multiples) == (right.form, right.n, right.group, right.multiples)
        assert (ours.data == right.data).all()
        assert ours.data.ctypes.data % 64 == 0
    assert (key.alpha1 == fresh.alpha1).all()
    assert (key.delta2 == fresh.delta2).all()


def test_multiples_stay_within_their_bytes(zkey: Zkey) -> None:
    one = prepare_key(zkey).n_bytes
    for multiples in (2, 4, 8):
        assert multiples_within(zkey, multiples * one) == multiples
        assert multiples_within(zkey, multiples * one * 9 // 10) < multiples
    assert multiples_within(zkey, 0) == 1


def test_a_cache_without_room_for_multiples_makes_none(tmp_path: Path, zkey: Zkey, digest: str) -> None:
    key = KeyCache(tmp_path / "plain", multiples_bytes=0).open(zkey, digest)
    assert {getattr(key, name).multiples for name in BASES} == {1}


def is_mapped(key: PreparedKey) -> bool:
    return not key.a.data.flags.writeable


def test_a_key_is_prepared_once_and_mapped_from_then_on(
    cache: KeyCache, zkey: Zkey, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cache.open(zkey, digest)
    assert_same(first, zkey)
    monkeypatch.setattr(key_cache, "prepare_bases", lambda *_: pytest.fail("prepared twice"))
    second = cache.open(zkey, digest)
    assert_same(second, zkey)
    assert is_mapped(first)
    assert is_mapped(second)
    (file,) = files(cache)
    assert file.stat().st_mode & 0o777 == 0o600
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert [path.suffix for path in cache.folder.iterdir() if path != file] == [".lock"]


def test_proofs_over_a_mapped_key_are_true_and_the_same(cache: KeyCache, zkey: Zkey, digest: str) -> None:
    witness = square_chain_witness(ROWS, 2, 1)
    cache.open(zkey, digest)
    key = cache.open(zkey, digest)
    proof, inputs = prove(key, witness)
    verify(verifying_key(zkey), inputs, proof)
    ours, _ = _prove(key, witness, (7, 8), select(), Control(2))
    plain, _ = _prove(zkey, witness, (7, 8), select(), Control(1))
    assert ours.encode() == plain.encode()


def _sections(file: Path) -> dict[str, dict[str, Any]]:
    content = file.read_bytes()
    (size,) = struct.unpack_from("<I", content, 12)
    return {section["name"]: section for section in json.loads(content[24 : 24 + size])["sections"]}


@pytest.mark.parametrize("place", ["magic", "version", "size", "checksum", "description", *BASES, "the end"])
def test_damage_anywhere_is_noticed_and_repaired(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture, place: str
) -> None:
    cache.open(zkey, digest)
    (file,) = files(cache)
    offsets = {"magic": 0, "version": 8, "size": 12, "checksum": 16, "description": 40}
    offsets |= {name: section["offset"] + section["size"] // 2 for name, section in _sections(file).items()}
    offsets["the end"] = _sections(file)["h"]["offset"] + _sections(file)["h"]["size"] - 1
    content = bytearray(file.read_bytes())
    content[offsets[place]] ^= 0x10
    _replace(file, bytes(content))
    assert_same(cache.open(zkey, digest), zkey)
    assert "made again" in said.text
    said.clear()
    assert_same(cache.open(zkey, digest), zkey)
    assert not said.text


@pytest.mark.parametrize("length", [0, 10, PAGE - 1, PAGE, PAGE + 1, -1])
def test_a_file_cut_off_is_noticed_and_repaired(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture, length: int
) -> None:
    cache.open(zkey, digest)
    (file,) = files(cache)
    _replace(file, file.read_bytes()[:length])
    assert_same(cache.open(zkey, digest), zkey)
    assert ("cut off" if length > PAGE or length < 0 else "made again") in said.text


def _replace(file: Path, content: bytes) -> None:
    """As a disk would: another file of that name. (Cutting a mapped one would kill who maps it.)"""
    file.unlink()
    file.write_bytes(content)


def test_foreign_files_are_not_taken(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    cache.open(zkey, digest)
    (file,) = files(cache)
    other = tmp_path / "other.zkey"
    setup(square_chain(ROWS), other)  # the same circuit with another trapdoor
    theirs = cache.open(read_zkey(other), hash_file(other))
    _replace(file, next(path for path in files(cache) if path != file).read_bytes())
    assert_same(cache.open(zkey, digest), zkey)
    assert "of another key" in said.text
    assert not (theirs.a.data == _fresh(zkey).a.data).all()
    file.unlink()
    file.symlink_to(other)
    key = cache.open(zkey, digest)
    assert_same(key, zkey)
    assert is_mapped(key)
    assert not file.is_symlink()
    assert hash_file(other) != digest


def test_a_digest_that_belongs_to_another_key_does_not_mix_them_up(
    cache: KeyCache, zkey: Zkey, digest: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.zkey"
    setup(square_chain(ROWS), other)
    cache.open(read_zkey(other), digest)
    assert_same(cache.open(zkey, digest), zkey)


class OtherForms:
    """The native backend under other names of its layouts."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def prepared_form(self, group: Any) -> str:
        return f"{group.curve_name}.{group.name} other v9"

    def prepare(self, group: Any, bases_mont: Any, *, multiples: int = 1, control: Any = None) -> PreparedBases:
        made = self._backend.prepare(group, bases_mont, multiples=multiples, control=control)
        return PreparedBases(group, self.prepared_form(group), made.n, made.data, made.multiples)


def test_each_set_of_layouts_has_its_file(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture
) -> None:
    native = select("native")
    other: Any = OtherForms(native)
    cache.open(zkey, digest, backend=native)
    assert cache.open(zkey, digest, backend=other).a.form.endswith("other v9")
    assert len(files(cache)) == 2
    ours, theirs = (key_cache._forms(zkey, backend) for backend in (native, other))
    source, target = (next(path for path in files(cache) if forms in path.name) for forms in (theirs, ours))
    _replace(target, source.read_bytes())
    assert_same(cache.open(zkey, digest, backend=native), zkey)
    assert "of the form" in said.text


def test_a_folder_that_cannot_be_used_costs_no_proof(
    zkey: Zkey, zkey_path: Path, digest: str, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)  # others may write here: not a place to read bases from
    for folder in (tmp_path / "file" / "cache", shared):
        said.clear()
        cache = KeyCache(folder)
        key = cache.open(zkey, digest)
        assert_same(key, zkey, in_memory=True)
        assert not is_mapped(key)
        assert "preparing in memory" in said.text
        assert cache.digest_of(zkey_path) == digest
    assert not list(shared.iterdir())


def test_a_disk_that_fills_up_costs_no_proof(
    cache: KeyCache, zkey: Zkey, digest: str, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    key = cache.open(zkey, digest)
    assert_same(key, zkey, in_memory=True)
    assert "No space left" in said.text
    assert not files(cache)
    assert not list(cache.folder.glob(".*.part"))


def _open_in_child(folder: Path, path: Path, barrier: Any, results: Any) -> None:
    made = []
    original = key_cache.prepare_bases
    key_cache.prepare_bases = lambda *arguments: (made.append(1), original(*arguments))[1]  # type: ignore[assignment]
    barrier.wait(30)
    key = open_prepared(path, read_zkey(path), cache=KeyCache(folder))
    results.put((len(made), is_mapped(key), int(key.a.data.sum())))


def test_processes_at_once_share_the_work(cache: KeyCache, zkey: Zkey, zkey_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    children = [
        context.Process(target=_open_in_child, args=(cache.folder, zkey_path, barrier, results)) for _ in range(3)
    ]
    for child in children:
        child.start()
    outcomes = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join(30)
    assert sorted(made for made, _, _ in outcomes) == [0, 0, len(BASES)]
    assert all(mapped for _, mapped, _ in outcomes)
    assert {total for _, _, total in outcomes} == {int(_fresh(zkey).a.data.sum())}


def test_a_lock_that_is_never_freed_costs_no_proof(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture
) -> None:
    impatient = KeyCache(cache.folder, wait_s=0.05)
    cache.open(zkey, digest)
    (file,) = files(cache)
    file.unlink()
    with key_cache._locked(file.with_suffix(".lock"), 1.0, Control()):
        key = impatient.open(zkey, digest)
        assert not is_mapped(key)
        control = Control()
        control.cancel()
        start = time.monotonic()
        with pytest.raises(Cancelled):
            KeyCache(cache.folder, wait_s=10.0).open(zkey, digest, control=control)
        assert time.monotonic() - start < 5.0
    assert "another process has held" in said.text
    assert is_mapped(impatient.open(zkey, digest))


def test_the_files_used_longest_ago_make_room(
    cache: KeyCache, zkey: Zkey, digest: str, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    original = key_cache.prepare_bases
    monkeypatch.setattr(key_cache, "prepare_bases", lambda *a: (made.append(a[1]), original(*a))[1])
    cache.open(zkey, digest)
    (file,) = files(cache)
    small = KeyCache(cache.folder, max_bytes=2 * file.stat().st_size)
    digests = [digest, *(hash_.ljust(64, "0") for hash_ in ("1", "2", "3"))]
    for age, name in enumerate(digests):
        small.open(zkey, name)
        when = 1_000_000_000 + age
        os.utime(next(path for path in files(small) if path.name.startswith(name)), (when, when))
        small.open(zkey, digest)  # the oldest, but in use
    assert {path.name[:64] for path in files(small)} == {digest, digests[-1]}
    assert len(made) == len(digests) * len(BASES)
    assert "forgotten" in said.text
    only = KeyCache(cache.folder, max_bytes=1)
    only.open(zkey, "4" * 64)
    assert [path.name[:64] for path in files(only)] == ["4" * 64]


def test_what_killed_writers_left_is_swept(cache: KeyCache, zkey: Zkey, digest: str) -> None:
    cache.folder.mkdir(parents=True)
    cache.folder.chmod(0o700)
    old, young = cache.folder / ".old.part", cache.folder / ".young.part"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    cache.open(zkey, digest)
    assert not old.exists()
    assert young.exists()


def test_clearing_forgets_everything(cache: KeyCache, zkey: Zkey, digest: str) -> None:
    assert cache.clear() == (0, 0)
    cache.open(zkey, digest)
    size = files(cache)[0].stat().st_size
    assert cache.clear() == (1, size)
    assert not list(cache.folder.iterdir())


def test_a_bad_point_is_refused_not_cached(cache: KeyCache, zkey_path: Path, zkey: Zkey, digest: str) -> None:
    from dataclasses import replace

    bad = zkey.b1_mont.copy()
    bad[3] = np.uint64(2**64 - 1)
    with pytest.raises(MalformedInput, match="point 3"):
        cache.open(replace(zkey, b1_mont=bad), digest)
    assert not files(cache)
    assert not list(cache.folder.glob(".*.part"))


def test_a_digest_is_remembered_only_while_the_file_stays(
    cache: KeyCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    monkeypatch.setattr(key_cache, "hash_file", lambda path: (hashed.append(path), hash_file(path))[1])
    file = tmp_path / "some.zkey"
    file.write_bytes(b"one")
    assert cache.digest_of(file) == hash_file(file)
    assert cache.digest_of(file) == hash_file(file)
    assert len(hashed) == 2  # too young to be remembered
    monkeypatch.setattr(key_cache, "SETTLED_S", -1.0)
    cache.digest_of(file)
    assert cache.digest_of(file) == hash_file(file)
    assert len(hashed) == 3
    before = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # ctime tells all the same
    assert cache.digest_of(file) == hash_file(file)
    assert len(hashed) == 4
    (note,) = cache.folder.glob("*.digest")
    note.write_text('{"signature": 3}')
    assert cache.digest_of(file) == hash_file(file)


def test_preparing_reports_progress_and_is_cancelled(cache: KeyCache, zkey: Zkey, digest: str) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        cache.open(zkey, digest, control=control)
    control = Control()
    cache.open(zkey, digest, control=control)
    assert control.fraction == 1.0


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "proofgrid" / "prepared"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the specification
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "proofgrid" / "prepared"
