"""Uploads in pieces, and what the store keeps for whom."""

import base64
import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from proofgrid.client.calls import upload_file
from proofgrid.client.effects import drive
from proofgrid.config import Limits
from proofgrid.errors import Conflict, MalformedInput, NotFound, TooLarge
from proofgrid.network import holdings, requests
from proofgrid.network.uploads import Uploads
from tests.network.gateway import serving
from tests.network.test_races import Gate, at_once
from tests.network.world import REQUESTER, MakeWorld, World

DATA = secrets.token_bytes(1000)
DIGEST = hashlib.sha256(DATA).hexdigest()
OCTETS = {"Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0"}


@pytest.fixture
def uploads(world: World) -> Uploads:
    return Uploads(world.database, world.store, world.config)


def append(uploads: Uploads, identity: str, offset: int, piece: bytes, owner: str = REQUESTER) -> None:
    with uploads.appending(identity, owner, offset) as appender:
        appender.write(piece)
    uploads.finish(identity, owner, 2.0)


def held(world: World, owner: str) -> int:
    with world.database.reading() as session:
        return holdings.used(session, owner)


def test_pieces_add_up_and_are_charged_once(uploads: Uploads, world: World) -> None:
    upload = uploads.begin(REQUESTER, DIGEST, 1000, 1.0)
    append(uploads, upload.id, 0, DATA[:400])
    assert uploads.find(upload.id, REQUESTER).offset == 400
    assert uploads.begin(REQUESTER, DIGEST, 1000, 1.0) == uploads.find(upload.id, REQUESTER)  # found again
    assert held(world, REQUESTER) == 1000
    append(uploads, upload.id, 400, DATA[400:])
    assert world.store.read(DIGEST, max_bytes=1000) == DATA
    with pytest.raises(NotFound):
        uploads.find(upload.id, REQUESTER)
    assert uploads.begin("somebody", DIGEST, 1000, 1.0).offset == 1000  # here already: nothing to send
    assert [held(world, owner) for owner in (REQUESTER, "somebody", holdings.EVERYONE)] == [1000] * 3


def test_another_offset_another_owner_or_too_much_is_refused(uploads: Uploads) -> None:
    upload = uploads.begin(REQUESTER, DIGEST, 1000, 1.0)
    append(uploads, upload.id, 0, DATA[:400])
    for offset in (0, 399, 401):
        with pytest.raises(Conflict, match="goes on at 400"):
            append(uploads, upload.id, offset, b"x")
    with pytest.raises(TooLarge):
        append(uploads, upload.id, 400, DATA[399:])
    with pytest.raises(NotFound):
        append(uploads, upload.id, 400, DATA[400:], owner="somebody")
    append(uploads, upload.id, 400, DATA[400:])


def test_two_writers_at_once_are_refused(uploads: Uploads) -> None:
    upload = uploads.begin(REQUESTER, DIGEST, 1000, 1.0)
    with (
        uploads.appending(upload.id, REQUESTER, 0),
        pytest.raises(Conflict, match="another writer"),
        uploads.appending(upload.id, REQUESTER, 0),
    ):
        pass


def test_other_bytes_than_announced_end_the_upload(uploads: Uploads, world: World) -> None:
    upload = uploads.begin(REQUESTER, DIGEST, 1000, 1.0)
    with pytest.raises(MalformedInput, match="SHA-256"):
        append(uploads, upload.id, 0, DATA[:-1] + b"\0" if DATA[-1] else DATA[:-1] + b"\1")
    assert not world.store.exists(DIGEST)
    assert not list(uploads.folder.iterdir())
    assert held(world, REQUESTER) == 0


def test_an_abandoned_upload_expires(uploads: Uploads, world: World) -> None:
    upload = uploads.begin(REQUESTER, DIGEST, 1000, 1.0)
    assert uploads.expire(world.config.timing.upload_expiry_s) == 0
    assert uploads.expire(world.config.timing.upload_expiry_s + 2) == 1
    with pytest.raises(NotFound, match="begin it again"):
        uploads.find(upload.id, REQUESTER)
    assert held(world, REQUESTER) == 0


def test_quota_of_an_account_and_of_all(make: MakeWorld) -> None:
    limits = Limits(max_account_bytes=1500, max_store_bytes=2000, max_open_uploads=2)
    world = make(limits=limits)
    uploads = Uploads(world.database, world.store, world.config)
    uploads.begin("a", "1" * 64, 1000, 1.0)
    with pytest.raises(TooLarge, match="an account may keep"):
        uploads.begin("a", "2" * 64, 501, 1.0)
    uploads.begin("a", "2" * 64, 500, 1.0)
    with pytest.raises(Conflict, match="at most 2 uploads"):
        uploads.begin("a", "3" * 64, 1, 1.0)
    with pytest.raises(TooLarge, match="store is full"):
        uploads.begin("b", "3" * 64, 501, 1.0)
    uploads.begin("b", "3" * 64, 500, 1.0)


def test_quota_holds_for_many_at_once(make: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(limits=Limits(max_account_bytes=1500))
    uploads = Uploads(world.database, world.store, world.config)
    gate = Gate(2, holdings.require_room)
    monkeypatch.setattr("proofgrid.network.uploads.require_room", gate)
    outcomes = at_once(lambda: uploads.begin("a", "1" * 64, 1000, 1.0), lambda: uploads.begin("a", "2" * 64, 1000, 1.0))
    assert sum(isinstance(one, TooLarge) for one in outcomes) == 1


def _whole(uploads: Uploads) -> None:
    append(uploads, uploads.begin(REQUESTER, DIGEST, 1000, 1.0).id, 0, DATA)


def test_the_sweep_takes_what_nothing_names(uploads: Uploads, world: World) -> None:
    _whole(uploads)
    later = world.config.timing.artifact_retention_s
    assert holdings.sweep(world.database, world.store, world.config, later) == 0
    assert holdings.sweep(world.database, world.store, world.config, later + 3) == 1
    assert not world.store.exists(DIGEST)
    assert held(world, REQUESTER) == held(world, holdings.EVERYONE) == 0


def test_the_sweep_leaves_what_a_request_or_a_circuit_names(uploads: Uploads, world: World) -> None:
    _whole(uploads)
    world.place(sealed_digest=DIGEST)
    with world.database.writing() as session:
        holdings.charge(session, world.circuit.zkey_digest, 1, REQUESTER, 1.0)
    later = world.config.timing.artifact_retention_s + 3
    assert holdings.sweep(world.database, world.store, world.config, later) == 0
    assert world.store.exists(DIGEST)
    assert world.store.exists(world.circuit.zkey_digest)


def test_the_sweep_and_a_request_that_names_it_at_once(
    uploads: Uploads, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _whole(uploads)
    world.now = world.config.timing.artifact_retention_s + 3
    gate = Gate(2, lambda found: found)
    monkeypatch.setattr(holdings, "is_named", lambda *a, _do=holdings.is_named: gate(_do(*a)))

    def place() -> str:
        with world.database.writing() as session:
            requests.require_uploaded(session, world.store, DIGEST)
            gate(None)
            return requests.place(session, REQUESTER, world.body(sealed_digest=DIGEST), ask_lamports=0, now=world.now)

    placed, _ = at_once(place, lambda: holdings.sweep(world.database, world.store, world.config, world.now))
    assert isinstance(placed, NotFound) != world.store.exists(DIGEST)


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serving(world) as url:
        yield url


def test_the_doors_speak_tus(url: str, world: World) -> None:
    metadata = f"filename eA==,sha256 {base64.b64encode(DIGEST.encode()).decode()}"
    with httpx.Client(base_url=url, trust_env=False) as http:
        begun = http.post("/v1/uploads", headers={"Upload-Length": "1000", "Upload-Metadata": metadata})
        assert (begun.status_code, begun.headers["upload-offset"]) == (201, "0")
        place = begun.headers["location"]
        sent = http.patch(place, content=DATA[:10], headers=OCTETS | {"Upload-Offset": "0"})
        assert (sent.status_code, sent.headers["upload-offset"]) == (204, "10")
        asked = http.head(place)
        assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == ("10", "1000")
        assert http.patch(place, content=b"x", headers=OCTETS | {"Upload-Offset": "0"}).status_code == 409
        assert http.patch(place, content=b"x", headers={"Upload-Offset": "10"}).status_code == 400
        assert http.delete(place).status_code == 204
        assert http.head(place).status_code == 404
        for headers in ({"Upload-Length": "-1"}, {"Upload-Length": "9" * 20}, {"Upload-Metadata": "sha256 ?"}):
            given = {"Upload-Length": "1000", "Upload-Metadata": metadata} | headers
            assert http.post("/v1/uploads", headers=given).status_code == 400


class Breaking(httpx.BaseTransport):
    """Each third piece arrives half, each fourth arrives and its answer is lost."""

    def __init__(self) -> None:
        self._inner, self._pieces = httpx.HTTPTransport(), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "PATCH":
            return self._inner.handle_request(request)
        self._pieces += 1
        if self._pieces % 3 == 0:
            headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"content-length"]
            half = httpx.Request(
                "PATCH", request.url, headers=headers, content=request.content[: len(request.content) // 2]
            )
            self._inner.handle_request(half).read()
            raise httpx.ReadError("broken")
        response = self._inner.handle_request(request)
        if self._pieces % 4 == 0:
            response.read()
            raise httpx.ReadError("broken")
        return response

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_sdk_goes_on_where_it_broke_off(
    url: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proofgrid.client.calls.WHOLE_BYTES", 99)
    monkeypatch.setattr("proofgrid.client.calls.PIECE_BYTES", 100)
    file = tmp_path / "file"
    file.write_bytes(DATA)
    told: list[tuple[int, int]] = []
    with contextlib.closing(httpx.Client(base_url=url, trust_env=False, transport=Breaking())) as http:
        assert drive(upload_file(file, lambda sent, size: told.append((sent, size))), http) == DIGEST
    assert world.store.read(DIGEST, max_bytes=1000) == DATA
    assert told[0] == (0, 1000)
    assert told[-1] == (1000, 1000)
    assert told == sorted(told)
    assert any(sent % 100 == 50 for sent, _ in told)
