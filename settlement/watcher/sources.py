"""Where the data of batches comes from: folders and gateways. All of it is hostile, and bounded in bytes and time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from proofgrid.errors import MalformedInput, NotFound, ProofgridError, QueueError, TooLarge
from proofgrid.settlement.watcher.documents import BatchData, decode, size_limit

TIMEOUT_S = 30.0
"""A whole document has arrived by then, or the source is left."""


class EvidenceSource(Protocol):
    """Something that may have a batch's data."""

    name: str

    async def find(self, root: bytes, n_leaves: int) -> BatchData:
        """The data of the batch with this root and so many leaves, checked against the root.

        Raises NotFound without it, MalformedInput for data that is damaged, too large or another batch's, QueueError
        (retryable) where the source does not answer.
        """

    async def close(self) -> None:
        """Let go of connections."""


class FolderSource:
    """Documents in a folder, each called ``<root>.jsonl``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, str(folder)

    async def find(self, root: bytes, n_leaves: int) -> BatchData:
        return await asyncio.to_thread(self._find, root, n_leaves)

    def _find(self, root: bytes, n_leaves: int) -> BatchData:
        path, limit = self.folder / f"{root.hex()}.jsonl", size_limit(n_leaves)
        try:
            with path.open("rb") as file:
                document = file.read(limit + 1)
        except FileNotFoundError:
            raise NotFound(f"there is no {path}") from None
        except OSError as error:
            raise QueueError(f"{path} cannot be read: {error.strerror}") from error
        if len(document) > limit:
            raise TooLarge(f"{path} has more than the {limit} bytes that {n_leaves} leaves may take")
        return decode(document, root, n_leaves)

    async def close(self) -> None:
        pass


class GatewaySource:
    """A gateway's ``GET /v1/batches/<root>/data``; no redirects, no compression, no proxy for this very machine."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MalformedInput(f"{url!r} is neither a folder nor the address of a gateway")
        self.name, self._timeout_s = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", timeout_s
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self._client = httpx.AsyncClient(
            base_url=url, timeout=min(10.0, timeout_s), trust_env=not local, headers={"Accept-Encoding": "identity"}
        )

    async def find(self, root: bytes, n_leaves: int) -> BatchData:
        try:
            async with asyncio.timeout(self._timeout_s):
                document = await self._read(f"/v1/batches/{root.hex()}/data", size_limit(n_leaves))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueueError(f"{self.name} does not answer: {type(error).__name__} {error}".rstrip()) from error
        return await asyncio.to_thread(decode, document, root, n_leaves)

    async def _read(self, path: str, limit: int) -> bytes:
        async with self._client.stream("GET", path) as answer:
            if answer.status_code == 404:
                raise NotFound(f"{self.name} does not have the batch")
            if answer.status_code != 200 or "content-encoding" in answer.headers:
                raise QueueError(f"{self.name} answers {answer.status_code} instead of the batch's data")
            document = bytearray()
            async for chunk in answer.aiter_raw(1 << 16):
                document += chunk
                if len(document) > limit:
                    raise TooLarge(f"{self.name} sends more than the {limit} bytes that the leaves may take")
            return bytes(document)

    async def close(self) -> None:
        await self._client.aclose()


def source_of(where: str) -> EvidenceSource:
    """The gateway at this URL, or the folder. Raises MalformedInput for what is neither."""
    if "://" in where:
        return GatewaySource(where)
    folder = Path(where).expanduser()
    if not folder.is_dir():
        raise MalformedInput(f"{folder} is no folder: name one, or a gateway like http://127.0.0.1:8645")
    return FolderSource(folder)


async def best_of(sources: Sequence[EvidenceSource], root: bytes, n_leaves: int) -> tuple[BatchData | None, str]:
    """The fullest data that any source has, the first that is complete; and what was wrong with the others."""
    best: BatchData | None = None
    troubles = []
    for source in sources:
        try:
            found = await source.find(root, n_leaves)
        except ProofgridError as error:
            troubles.append(str(error))
            continue
        if best is None or found.unknown < best.unknown:
            best = found
        if not best.unknown:
            break
    return best, "; ".join(troubles)
