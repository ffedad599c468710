"""The state machines of a request's life. Which moves are allowed is in ``network/transitions.py``."""

from enum import StrEnum


class Fulfilment(StrEnum):
    """Is the proof made?"""

    REQUESTED = "requested"
    ASSIGNED = "assigned"  # an attempt exists and waits for a worker
    PROVING = "proving"  # a worker holds the lease
    FULFILLED = "fulfilled"
    UNFULFILLABLE = "unfulfillable"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL


_TERMINAL = frozenset({Fulfilment.FULFILLED, Fulfilment.UNFULFILLABLE, Fulfilment.EXPIRED, Fulfilment.CANCELLED})


class Verification(StrEnum):
    """Did the verifier say yes?"""

    UNVERIFIED = "unverified"
    VALID = "valid"
    INVALID = "invalid"


class Settlement(StrEnum):
    """What does the chain know?"""

    UNSETTLED = "unsettled"
    COMMITTED = "committed"  # its leaf lies under a root on chain
    SETTLED = "settled"  # the challenge window has passed
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class AttemptState(StrEnum):
    """One worker's try at a request; each has its own fencing token."""

    QUEUED = "queued"  # in the database, not yet known to be in the task queue
    SENT = "sent"
    RUNNING = "running"
    SUBMITTED = "submitted"  # a proof has arrived and waits for the verifier
    ACCEPTED = "accepted"
    REFUSED = "refused"  # the verifier said no
    FAILED = "failed"  # the worker said no
    LOST = "lost"  # the worker fell silent
    WITHDRAWN = "withdrawn"  # the request ended without this attempt

    @property
    def is_live(self) -> bool:
        """May this attempt still give the proof?"""
        return self in LIVE_ATTEMPTS


LIVE_ATTEMPTS = frozenset({AttemptState.QUEUED, AttemptState.SENT, AttemptState.RUNNING, AttemptState.SUBMITTED})


class BatchState(StrEnum):
    """A Merkle root on its way to the chain."""

    BUILT = "built"  # leaves, root and number are fixed; the chain's outbox knows how far its transaction is
    COMMITTED = "committed"  # confirmed; a fork can still undo it, then the outbox sends it again
    FINAL = "final"
    ABANDONED = "abandoned"  # its chain is gone; its leaves go into a batch of the next
