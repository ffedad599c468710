"""The content-addressed store: nothing half-written, no name that leaves the folder."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofgrid.errors import MalformedInput, NotFound, TooLarge
from proofgrid.prover.artifacts import ArtifactStore, hash_file

DATA = b"some artifact"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def leftovers(store: ArtifactStore) -> list[Path]:
    return list((store.folder / "incoming").iterdir())


def test_bytes_files_and_streams_get_the_same_name(store: ArtifactStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    assert store.put(DATA) == store.put_file(file) == store.put_stream(iter([DATA[:3], b"", DATA[3:]])) == DIGEST
    assert store.path(DIGEST).relative_to(store.folder) == Path(DIGEST[:2]) / DIGEST
    assert store.exists(DIGEST)
    with store.open(DIGEST) as opened:
        assert opened.read() == DATA
    assert store.verify(DIGEST) == store.path(DIGEST)
    assert hash_file(file) == DIGEST
    assert leftovers(store) == []


def test_the_cap_holds_to_the_byte(store: ArtifactStore) -> None:
    store.put_stream([DATA], max_bytes=len(DATA))
    with pytest.raises(TooLarge):
        store.put_stream([DATA, b"!"], max_bytes=len(DATA))
    with pytest.raises(TooLarge):
        store.read(DIGEST, max_bytes=len(DATA) - 1)
    assert store.read(DIGEST, max_bytes=len(DATA)) == DATA
    assert leftovers(store) == []


def test_an_endless_stream_is_cut_at_the_cap(store: ArtifactStore) -> None:
    seen = 0

    def pieces() -> Iterator[bytes]:
        nonlocal seen
        while True:
            seen += 1
            yield bytes(1000)

    with pytest.raises(TooLarge):
        store.put_stream(pieces(), max_bytes=10_000)
    assert seen == 11


def test_bytes_that_are_not_what_was_announced_are_refused(store: ArtifactStore) -> None:
    with pytest.raises(MalformedInput, match="announced"):
        store.put_stream([DATA], expected_digest="0" * 64)
    assert not store.exists(DIGEST)
    assert leftovers(store) == []


def test_what_breaks_off_leaves_nothing(store: ArtifactStore) -> None:
    def pieces() -> Iterator[bytes]:
        yield DATA
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        store.put_stream(pieces())
    assert not store.exists(DIGEST)
    assert leftovers(store) == []


def test_a_changed_file_is_noticed(store: ArtifactStore) -> None:
    store.put(DATA)
    store.path(DIGEST).write_bytes(DATA + b"!")
    with pytest.raises(MalformedInput, match="another content"):
        store.verify(DIGEST)
    with pytest.raises(MalformedInput, match="another content"):
        store.read(DIGEST, max_bytes=100)


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "0", "/" + DIGEST[1:], "g" * 64, None, 7],
)
def test_only_digests_are_names(store: ArtifactStore, name: str) -> None:
    for call in (store.path, store.exists, store.open, store.delete, store.verify):
        with pytest.raises(MalformedInput):
            call(name)


def test_missing_and_deleted(store: ArtifactStore) -> None:
    with pytest.raises(NotFound):
        store.path(DIGEST)
    store.put(DATA)
    store.delete(DIGEST)
    store.delete(DIGEST)
    assert not store.exists(DIGEST)


def test_what_a_killed_upload_left_is_swept_and_what_still_arrives_is_not(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    left = store.folder / "incoming" / "left"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    with store.writer() as arriving:
        arriving.write(b"x")
        assert store.sweep(older_than_s=3600.0) == 1
        digest = arriving.commit()
    assert not left.exists()
    assert store.exists(digest)
