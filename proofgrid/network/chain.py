"""What settling needs of a chain, and Solana as one: the submitter's coroutines behind plain calls."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.endpoints import split_urls
from proofgrid.settlement.registry import upload_key
from proofgrid.settlement.sender import Signed
from proofgrid.settlement.slashing import bring, prepare_slash
from proofgrid.settlement.submitter import Submitter
from proofgrid.verifier.keys import VerifyingKey

Answer = TypeVar("Answer")


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
        """The number that the log's next batch must have, those under way counted."""

    def register(self, verifying_key: VerifyingKey) -> None:
        """Bring a key on chain, if it is not there: before the first leaf under it, or that leaf gives no receipt.

        Raises :class:`~proofgrid.errors.MalformedInput` for a key that the chain cannot judge proofs under.
        """

    def commit(self, number: int, root: bytes, n_leaves: int) -> CommittedBatch:
        """Commit a root under a number, once however often it is called; returns when it is confirmed.

        Raises :class:`~proofgrid.errors.Conflict` if the chain holds another root under that number.
        """

    def tend(self) -> None:
        """Bring what is under way a step on: what a fork undid is sent again, stake is freed after its window."""

    def final(self, number: int) -> CommittedBatch | None:
        """A committed batch once no fork can undo it; the transaction may be another than the one confirmed first."""


class SolanaChain:
    """A :class:`Chain` over Solana's JSON-RPC; for one thread at a time, a context manager.

    ``url`` may hold several, separated by commas. What is under way lies in the file ``outbox``.
    """

    def __init__(
        self,
        url: str,
        program_id: Pubkey,
        prover: Pubkey,
        signer: Keypair,
        *,
        outbox: Path,
        chain_id: str | None = None,
    ) -> None:
        self._runner = asyncio.Runner()
        self._turn = threading.Lock()
        opening = Submitter.open(split_urls(url), program_id, prover, signer, outbox, chain_id=chain_id)
        try:
            self._submitter = self._run(opening)
        except BaseException:
            self._runner.close()
            raise
        self.program_id, self.committer = str(program_id), str(prover)
        self.chain_id = self._submitter.outbox.log.chain_id

    def next_number(self) -> int:
        return self._run(self._submitter.next_number())

    def register(self, verifying_key: VerifyingKey) -> None:
        self._run(upload_key(self._submitter.sender, self._submitter.program_id, verifying_key))

    def commit(self, number: int, root: bytes, n_leaves: int) -> CommittedBatch:
        done = self._run(self._submitter.commit_batch(root, n_leaves, number=number))
        return CommittedBatch(done.signature, done.address)

    def tend(self) -> None:
        self._run(self._submitter.tend())

    def final(self, number: int) -> CommittedBatch | None:
        found = self._submitter.committed(number)
        if found is None or not found[1]:
            return None
        return CommittedBatch(found[0].signature, found[0].address)

    def prepare_slash(self, request: str) -> Signed | None:
        """As :class:`~proofgrid.network.admission.slashing.Court` says."""
        submitter = self._submitter
        return self._run(prepare_slash(submitter.sender, submitter.program_id, Pubkey.from_string(request)))

    def bring_slash(self, signed: Signed) -> bool:
        return self._run(bring(self._submitter.sender, signed))

    def close(self) -> None:
        with self._turn:
            self._runner.run(self._submitter.close())
            self._runner.close()

    def __enter__(self) -> "SolanaChain":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        with self._turn:
            return self._runner.run(call)
