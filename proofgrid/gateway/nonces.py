"""The memory that makes a signed call count once."""

import threading
import time
from typing import Protocol

from proofgrid.errors import QueueError
from proofgrid.network import provers
from proofgrid.network.database import Database
from proofgrid.signed_calls import GOOD_FOR_S, Signed

MAX_NONCES = 1 << 18


class Nonces(Protocol):
    """Remembers each call for as long as its signature is good."""

    def is_first(self, call: Signed) -> bool: ...


class MemoryNonces:
    """In this process alone, and forgotten with it: for tests and a gateway that is alone."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}
        self._turn = threading.Lock()

    def is_first(self, call: Signed) -> bool:
        """Raises QueueError when it is full; it is as large as many calls a second."""
        now = time.time()
        with self._turn:
            for old in [key for key, until in self._seen.items() if until < now][:1000]:
                del self._seen[old]
            if len(self._seen) >= MAX_NONCES:
                raise QueueError("too many signed calls at this moment; try again in a minute")
            if (call.key, call.nonce) in self._seen:
                return False
            self._seen[call.key, call.nonce] = call.time + GOOD_FOR_S + 1
            return True


class RecordedNonces:
    """In the database of record: of all gateways over it, and after a restart. Cost: one row written for each call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_first(self, call: Signed) -> bool:
        with self._database.writing() as session:
            return provers.remember(session, call)
