"""What transactions overwrote: enough to see the accounts as they were, and to go back there.

LiteSVM has no snapshots. A transaction can change only the accounts it names as writable, so their states before it
are a complete undo log of the accounts. What is final is forgotten, so the log stays as short as the chain is fast.
"""

from bisect import bisect_right
from collections.abc import Mapping

from solders.account import Account
from solders.pubkey import Pubkey

States = dict[Pubkey, Account | None]
"""Accounts by address; None where there is none."""


class UndoLog:
    """For each account that changed lately: the slot of each change, and the state before it."""

    def __init__(self) -> None:
        self._changes: dict[Pubkey, list[tuple[int, Account | None]]] = {}

    def __bool__(self) -> bool:
        return bool(self._changes)

    def record(self, slot: int, before: Mapping[Pubkey, Account | None]) -> None:
        """A transaction of this slot overwrote these states; slots never go down."""
        for address, account in before.items():
            self._changes.setdefault(address, []).append((slot, account))

    def changed(self, address: Pubkey, since: int) -> bool:
        """Whether the account was written after this slot."""
        changes = self._changes.get(address)
        return changes is not None and changes[-1][0] > since

    def before(self, address: Pubkey, since: int) -> Account | None:
        """The account at the end of this slot; only for one that changed since. O(log changes)."""
        changes = self._changes[address]
        return changes[_first_after(changes, since)][1]

    def states_at(self, slot: int) -> States:
        """The accounts that changed after this slot, as they were at its end."""
        return {address: self.before(address, slot) for address in self._changes if self.changed(address, slot)}

    def roll_back(self, slot: int) -> States:
        """As ``states_at``, and the changes after this slot are forgotten."""
        states = self.states_at(slot)
        for address in states:
            changes = self._changes[address]
            del changes[_first_after(changes, slot) :]
            if not changes:
                del self._changes[address]
        return states

    def forget(self, slot: int) -> None:
        """Changes up to this slot will never be asked for again."""
        for address in [address for address, changes in self._changes.items() if changes[0][0] <= slot]:
            changes = self._changes[address]
            del changes[: _first_after(changes, slot)]
            if not changes:
                del self._changes[address]


def _first_after(changes: list[tuple[int, Account | None]], slot: int) -> int:
    return bisect_right(changes, slot, key=lambda change: change[0])
