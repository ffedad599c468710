"""Frames between the coordinator and its judge: a length (u32, big-endian) and so many bytes, over a socket pair."""

import json
import socket
import time
from collections.abc import Sequence
from typing import Any

_HEAD_BYTES = 4
MAX_FRAME_BYTES = 96 << 20


class BrokenChannel(Exception):
    """The other side is gone, late, or says what no honest one would."""


class Channel:
    """One side's end. ``ends_at`` (monotonic seconds, None: never) bounds each whole transfer, not each piece of it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, document: object, blobs: Sequence[bytes] = (), *, ends_at: float | None = None) -> None:
        """A JSON document and so many blobs as the document promises."""
        parts = [json.dumps(document, separators=(",", ":")).encode(), *blobs]
        if max(map(len, parts)) > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of more than {MAX_FRAME_BYTES} bytes")
        for part in parts:
            self._until(ends_at)
            try:
                self._end.sendall(len(part).to_bytes(_HEAD_BYTES, "big") + part)
            except OSError as error:
                raise BrokenChannel(_words(error)) from error

    def receive(self, *, limit: int = MAX_FRAME_BYTES, ends_at: float | None = None) -> bytes:
        """The next frame of at most ``limit`` bytes."""
        size = int.from_bytes(self._exactly(_HEAD_BYTES, ends_at), "big")
        if size > limit:
            raise BrokenChannel(f"it announces {size} bytes, at most {limit} are read")
        return self._exactly(size, ends_at)

    def receive_json(self, *, limit: int = MAX_FRAME_BYTES, ends_at: float | None = None) -> Any:
        content = self.receive(limit=limit, ends_at=ends_at)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BrokenChannel("it answers with what is not JSON") from error

    def close(self) -> None:
        self._end.close()

    def _exactly(self, size: int, ends_at: float | None) -> bytes:
        content = bytearray()
        while len(content) < size:
            self._until(ends_at)
            try:
                piece = self._end.recv(min(1 << 20, size - len(content)))
            except OSError as error:
                raise BrokenChannel(_words(error)) from error
            if not piece:
                raise BrokenChannel("it ended")
            content += piece
        return bytes(content)

    def _until(self, ends_at: float | None) -> None:
        if ends_at is None:
            self._end.settimeout(None)
            return
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            raise BrokenChannel("it was late")
        self._end.settimeout(left_s)


def _words(error: OSError) -> str:
    return "it was late" if isinstance(error, TimeoutError) else "it ended"
