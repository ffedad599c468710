"""Blockhashes: one a slot, good for 150 slots. They follow from the genesis hash, so that a restart knows them."""

import hashlib

from solders.hash import Hash

LIFETIME_SLOTS = 150


class Blockhashes:
    """The blockhashes that a transaction may still name."""

    def __init__(self, genesis: Hash, slot: int) -> None:
        self._genesis = genesis
        self._fork = 0
        self._slots: dict[Hash, int] = {}
        self._hashes: dict[int, Hash] = {}
        self._newest = max(slot - LIFETIME_SLOTS, 0) - 1
        self.enter(slot)

    def enter(self, slot: int) -> None:
        """Issue the blockhashes up to this slot; the expired ones are forgotten. At most 151 SHA-256."""
        for issued in range(max(self._newest + 1, slot - LIFETIME_SLOTS), slot + 1):
            self._issue(issued)
        self._newest = slot
        for expired in [issued for issued in self._hashes if slot - issued > LIFETIME_SLOTS]:
            del self._slots[self._hashes.pop(expired)]

    def of(self, slot: int) -> Hash:
        """The blockhash issued in this slot, one of the last 150."""
        return self._hashes[slot]

    def is_valid(self, blockhash: Hash, slot: int) -> bool:
        """Whether a transaction of this slot may name it."""
        issued = self._slots.get(blockhash)
        return issued is not None and issued <= slot <= issued + LIFETIME_SLOTS

    def abandon(self, slot: int) -> None:
        """The slots after this one get other blockhashes: those they had belong to a fork that lost."""
        self._fork += 1
        for abandoned in [issued for issued in self._hashes if issued > slot]:
            del self._slots[self._hashes[abandoned]]
            self._issue(abandoned)

    def _issue(self, slot: int) -> None:
        preimage = bytes(self._genesis) + slot.to_bytes(8, "little") + self._fork.to_bytes(8, "little")
        blockhash = Hash.from_bytes(hashlib.sha256(preimage).digest())
        self._slots[blockhash], self._hashes[slot] = slot, blockhash
