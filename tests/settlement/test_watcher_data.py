"""Batches' data is hostile: whatever it is, the watcher says what is wrong, challenges nothing by it, and goes on."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.errors import MalformedInput, NotFound, ProofgridError, QueueError, TooLarge
from proofgrid.settlement.layout.batches import LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT
from proofgrid.settlement.watcher import sources
from proofgrid.settlement.watcher.documents import (
    MAX_SHOWN_INPUTS,
    BatchData,
    LeafData,
    decode,
    encode,
    key_digest,
    size_limit,
)
from proofgrid.settlement.watcher.sources import FolderSource, GatewaySource, best_of, source_of
from tests.settlement.batches import Entry
from tests.settlement.cluster import PROGRAM
from tests.settlement.instances import instance
from tests.settlement.watched import TRUE, World, data_of, entries, on_world

DATA = data_of(entries(3, 1))
LINES = list(encode(DATA))
ROOT = DATA.tree.root


def test_a_document_says_what_it_was_made_of() -> None:
    assert decode(b"".join(LINES), ROOT, 3) == DATA
    mixed = BatchData([LeafData(DATA.leaves[0].node), LeafData.of(_leaf(1), None), DATA.leaves[2]], DATA.keys)
    assert decode(b"".join(encode(mixed)), ROOT, 3) == mixed
    assert mixed.unknown == 2
    assert key_digest(TRUE.encoding) == TRUE.digest


def _leaf(index: int):  # type: ignore[no-untyped-def]
    leaf = DATA.leaves[index].leaf
    assert leaf is not None
    return leaf


def changed(at: int, **values: object) -> bytes:
    """The document with members of a line replaced; None takes one away."""
    line = json.loads(LINES[at]) | values
    line = {name: value for name, value in line.items() if value is not None}
    return b"".join([*LINES[:at], json.dumps(line).encode() + b"\n", *LINES[at + 1 :]])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "no lines"),
        (b"\n", "line 1"),
        (b"{}\n", "line 1"),
        (b"\xff" * 100, "line 1"),
        (b"[" * 10_000, "line 1"),
        (b"x" * 100_000, "no lines, or longer"),
        (b"".join(LINES[:-1]), "do not hold"),
        (b"".join([*LINES, LINES[-1]]), "do not hold"),
        (changed(0, n_leaves=4), "another batch"),
        (changed(0, root="00" * 32), "another batch"),
        (changed(0, n_keys=4), "do not hold"),
        (changed(0, format="v2"), "format"),
        (changed(0, more=1), "more"),
        (changed(1, key=TRUE.encoding.hex()[:-2]), "bytes"),
        (changed(1, key="zz"), "hex"),
        (changed(2, leaf="00" * 200), "leaf"),
        (changed(2, leaf=None), "expected a leaf"),
        (changed(2, hash="00" * 32), "or alone"),
        (changed(2, proof=None), "or alone"),
        (changed(2, inputs="00" * 31), "32 bytes each"),
        (changed(2, inputs="00" * 32 * 256), "no lines, or longer"),
        (changed(2, proof="00" * 255), "proof"),
        (changed(2, leaf=None, inputs=None, proof=None, hash="00" * 32), "have the root"),
        (b"".join([*LINES[:2], LINES[3], LINES[2], LINES[4]]), "have the root"),
    ],
)
def test_what_is_no_document_of_the_batch_is_malformed(document: bytes, said: str) -> None:
    with pytest.raises(MalformedInput, match=said):
        decode(document, ROOT, 3)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, sum(map(len, LINES)) - 1), st.integers(0, 255))
def test_a_changed_byte_never_changes_what_is_known(at: int, value: int) -> None:
    """Either it is refused, or what is believed of each leaf is the truth, or nothing."""
    document = bytearray(b"".join(LINES))
    document[at] = value
    try:
        found = decode(bytes(document), ROOT, 3)
    except MalformedInput:
        return
    assert found.tree.root == ROOT
    for one, true in zip(found.leaves, DATA.leaves, strict=True):
        assert one.node == true.node
        assert one.statement in (None, true.statement)


def test_sizes_are_bounded_by_the_leaves() -> None:
    big = instance(8)
    full = BatchData(data_of(entries(200)).leaves, {big.digest: big.encoding})
    assert sum(map(len, encode(full))) < size_limit(200) < size_limit(16_384) <= 128 << 20


# Sources


def test_a_folder_is_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FolderSource(tmp_path)
    path = tmp_path / f"{ROOT.hex()}.jsonl"

    def find() -> BatchData:
        return asyncio.run(source.find(ROOT, 3))

    with pytest.raises(NotFound):
        find()
    path.write_bytes(b"".join(LINES))
    assert find() == DATA
    monkeypatch.setattr(sources, "size_limit", lambda n_leaves: 100)
    with pytest.raises(TooLarge):
        find()
    path.unlink()
    path.mkdir()
    with pytest.raises(QueueError):
        find()


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def reply(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    reply(200, b"")(handler)
    while True:
        handler.wfile.write(b"x" * 65536)


def fetch(url: str, timeout_s: float = 5.0) -> BatchData:
    async def find() -> BatchData:
        source = GatewaySource(url, timeout_s=timeout_s)
        try:
            return await source.find(ROOT, 3)
        finally:
            await source.close()

    return asyncio.run(find())


def test_a_gateways_data_is_read() -> None:
    with answering(reply(200, b"".join(LINES))) as url:
        assert fetch(url) == DATA


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(404, b""), NotFound),
        (reply(500, b""), QueueError),
        (reply(302, b"", Location="/elsewhere"), QueueError),
        (reply(200, b"x", Content_Encoding="gzip"), QueueError),
        (reply(200, b"nonsense"), MalformedInput),
        (endless, TooLarge),
    ],
)
def test_a_hostile_gateway_is_left(
    answer: Callable[[BaseHTTPRequestHandler], None], error: type[ProofgridError]
) -> None:
    with answering(answer) as url, pytest.raises(error):
        fetch(url)


def test_a_gateway_that_drips_is_left_in_time() -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        reply(200, b"")(handler)
        while not gone.wait(0.05):
            handler.wfile.write(b"x")

    with answering(drip) as url:
        try:
            with pytest.raises(QueueError, match="does not answer"):
                fetch(url, timeout_s=0.3)
        finally:
            gone.set()


def test_no_gateway_is_trouble() -> None:
    with pytest.raises(QueueError):
        fetch("http://127.0.0.1:9")


@pytest.mark.parametrize("where", ["ftp://example.org", "http://", "/nowhere/at/all"])
def test_a_source_is_a_folder_or_a_gateway(where: str) -> None:
    with pytest.raises(MalformedInput):
        source_of(where)


def test_the_fullest_data_wins(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("damaged", "bare", "full")]
    bare = BatchData([LeafData(one.node) for one in DATA.leaves])
    for folder, document in zip(folders, (b"x", b"".join(encode(bare)), b"".join(LINES)), strict=True):
        folder.mkdir()
        (folder / f"{ROOT.hex()}.jsonl").write_bytes(document)
    found, trouble = asyncio.run(best_of([FolderSource(folder) for folder in folders], ROOT, 3))
    assert found == DATA
    assert "line 1" in trouble
    found, _ = asyncio.run(best_of([FolderSource(folder) for folder in folders[:2]], ROOT, 3))
    assert found == bare


# On the chain


def test_data_that_comes_late_is_used(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        data = await world.commit(entries(4, 1), is_published=False)
        other = await world.commit(entries(5))
        watcher = await world.watcher()
        assert await watcher.round()
        assert await watcher.round()
        assert sorted(world.kinds) == ["checked", "no_data"]
        # another batch's data under this name, then damaged data, then half of it, then all
        path = world.publish(other)
        path = path.rename(path.with_name(f"{data.tree.root.hex()}.jsonl"))
        assert await watcher.round()
        assert "another batch" in str(world.events[-1].detail)
        path.write_bytes(b"".join(encode(data))[:-700])
        assert await watcher.round()
        assert world.kinds[-1] == "no_data"
        half = BatchData([data.leaves[0], LeafData(data.leaves[1].node), *data.leaves[2:]], data.keys)
        world.publish(half)
        assert await watcher.round()
        assert (world.events[-1].event, world.events[-1].unknown) == ("checked", 1)
        world.publish(data)
        assert await watcher.round()
        assert await world.states() == [LEAF_UNPAID, LEAF_VOID, LEAF_UNPAID, LEAF_UNPAID]

    on_world(journey, tmp_path)


def test_half_the_data_convicts_what_it_shows(tmp_path: Path) -> None:
    async def journey(world: World) -> None:
        data = await world.commit(entries(4, 1, 2), is_published=False)
        world.publish(BatchData([LeafData(one.node) for one in data.leaves[:2]] + list(data.leaves[2:]), data.keys))
        watcher = await world.watcher()
        assert await watcher.round()
        assert await world.states() == [LEAF_UNPAID, LEAF_UNPAID, LEAF_VOID, LEAF_UNPAID]
        assert len(watcher.progress.open()) == 1

    on_world(journey, tmp_path)


def test_evidence_that_fits_no_packet_is_uploaded(tmp_path: Path) -> None:
    """A proof of many inputs, and a leaf of as many inputs as can be shown under a key of one."""
    big = instance(30)
    overfull = replace(TRUE, inputs=TRUE.inputs * MAX_SHOWN_INPUTS)

    async def journey(world: World) -> None:
        lies = [(big.with_points(c=TRUE.a), big.digest), (overfull, TRUE.digest)]
        leaves = [Entry(lie, bytes(32), b"p" * 32, key=key) for lie, key in lies]
        data = BatchData(data_of([*leaves, *entries(1)]).leaves, {one.digest: one.encoding for one in (big, TRUE)})
        world.publish(data)
        await world.commit_root(data.tree.root, 3)
        assert await (await world.watcher()).round()
        assert world.kinds == ["checked", "challenged", "challenged"]
        assert await world.states() == [LEAF_VOID, LEAF_VOID, LEAF_UNPAID]
        accounts = (await world.client.get_program_accounts(PROGRAM.pubkey())).value
        assert not [one for one in accounts if bytes(one.account.data[:8]) == UPLOAD_ACCOUNT.discriminator]

    on_world(journey, tmp_path)
