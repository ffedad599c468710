"""A submitter that dies at a chosen moment: before any write to its outbox, or any request to its endpoint.

To die after one is to die before the next: in between nothing happens that another could see.
"""

from pathlib import Path
from typing import Any

from proofgrid.settlement.outbox import Entry, Outbox
from proofgrid.settlement.submitter import Submitter
from tests.settlement.cluster import PAYER, PROGRAM, PROVER, hurried


class Killed(BaseException):
    """No handler of errors catches it, as none catches SIGKILL."""


class Fate:
    """Counts the moments of a life and ends it at one of them."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at, self.moments = dies_at, list[str]()

    def moment(self, name: str) -> None:
        self.moments.append(name)
        if len(self.moments) == self.dies_at:
            raise Killed(name)


class MortalOutbox(Outbox):
    fate: Fate

    def put(self, number: int, root: bytes, leaf_count: int) -> Entry:
        self.fate.moment("put")
        return super().put(number, root, leaf_count)

    def _update(self, entry: Entry, values: Any) -> bool:
        self.fate.moment(f"{entry.state} -> {values.get('state', 'note')}")
        return super()._update(entry, values)


async def mortal(url: str, outbox: Path, fate: Fate) -> Submitter:
    ready = await Submitter.open([url], PROGRAM.pubkey(), PROVER, PAYER, outbox, chain_id="devnet", timeout_s=5)
    log = ready.outbox.log
    ready.outbox.close()
    ready.outbox = MortalOutbox(outbox, log)
    ready.outbox.fate = fate
    ready.finality.outbox = ready.outbox
    provider = ready.client._provider
    make_request = provider.make_request

    async def watched(body: Any, parser: Any) -> Any:
        fate.moment(type(body).__name__)
        return await make_request(body, parser)

    provider.make_request = watched  # type: ignore[method-assign]
    return hurried(ready)
