"""What settling needs of a chain, and Solana as one: the submitter's coroutines behind plain calls."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeVar

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.rpc import ask
from proofgrid.settlement.submitter import Submitter, read_batch

Answer = TypeVar("Answer")

OnSigned = Callable[[str, int], None]
"""Called with a transaction's signature and last valid block height before it is sent; it must persist both."""


@dataclass(frozen=True)
class CommittedBatch:
    """A root on chain: the transaction that wrote it and the account that holds it."""

    signature: str
    address: str


class Chain(Protocol):
    """One committer's log of batches on one chain. Methods raise :class:`~proofgrid.errors.SettlementError`."""

    chain_id: str
    program_id: str
    committer: str

    def next_number(self) -> int:
        """The number that the log's next batch must have."""

    def commit(self, number: int, root: bytes, n_leaves: int, on_signed: OnSigned) -> CommittedBatch:
        """Commit a root under a number, once however often it is called; returns when it is confirmed.

        Raises :class:`~proofgrid.errors.Conflict` if the chain holds another root under that number.
        """

    def find(self, number: int, root: bytes) -> str | None:
        """The account that holds this root under this number, or None."""


class SolanaChain:
    """A :class:`Chain` over Solana's JSON-RPC; for one thread at a time, a context manager."""

    def __init__(
        self, url: str, program_id: Pubkey, prover: Pubkey, signer: Keypair, *, chain_id: str | None = None
    ) -> None:
        self._runner = asyncio.Runner()
        self._turn = threading.Lock()
        self._submitter = Submitter.open(url, program_id, prover, signer)
        self.program_id, self.committer = str(program_id), str(prover)
        self.chain_id = chain_id or str(self._run(ask(self._submitter.client.get_genesis_hash())).value)

    def next_number(self) -> int:
        return self._run(self._submitter.read_log()).next_number

    def commit(self, number: int, root: bytes, n_leaves: int, on_signed: OnSigned) -> CommittedBatch:
        done = self._run(self._submitter.commit_batch(root, n_leaves, number=number, on_signed=on_signed))
        return CommittedBatch(done.signature, done.address)

    def find(self, number: int, root: bytes) -> str | None:
        return self._run(self._find(number, root))

    async def _find(self, number: int, root: bytes) -> str | None:
        submitter = self._submitter
        found = await read_batch(submitter.client, submitter.program_id, submitter.prover, number)
        return str(found[0]) if found is not None and found[1].root == root else None

    def close(self) -> None:
        with self._turn:
            self._runner.run(self._submitter.client.close())
            self._runner.close()

    def __enter__(self) -> "SolanaChain":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        with self._turn:
            return self._runner.run(call)
