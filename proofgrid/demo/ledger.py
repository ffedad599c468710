"""The rollup's state: accounts in a sparse Merkle tree of Poseidon hashes, and the transfers that move it.

The forms (leaf, node, message) are those that ``circuits/rollup.circom`` states.
"""

from dataclasses import dataclass, replace

from proofgrid.demo.babyjubjub import Point
from proofgrid.demo.eddsa import Signature, SigningKey, verify
from proofgrid.demo.poseidon import poseidon
from proofgrid.errors import InvalidProof, MalformedInput, UnsatisfiedCircuit

BALANCE_BITS = 64


@dataclass(frozen=True)
class Account:
    """What a leaf holds; ``nonce`` counts the transfers that the account has sent."""

    key: Point
    balance: int
    nonce: int = 0

    def fields(self) -> list[int]:
        return [*self.key, self.balance, self.nonce]

    def leaf(self) -> int:
        return poseidon(self.fields())


EMPTY = Account((0, 0), 0)


@dataclass(frozen=True)
class Transfer:
    """``amount`` from one slot to another, signed by the sender's key over the sender's current nonce."""

    sender: int
    receiver: int
    amount: int
    nonce: int
    signature: Signature

    @property
    def message(self) -> int:
        return transfer_message(self.sender, self.receiver, self.amount, self.nonce)


@dataclass(frozen=True)
class Step:
    """What the circuit needs to know of one transfer: both leaves before their update, and the two paths."""

    transfer: Transfer
    sender: Account
    sender_siblings: list[int]
    receiver: Account
    receiver_siblings: list[int]


def transfer_message(sender: int, receiver: int, amount: int, nonce: int) -> int:
    """The field element that the sender signs."""
    return poseidon([sender, receiver, amount, nonce])


def sign_transfer(key: SigningKey, sender: int, receiver: int, amount: int, nonce: int) -> Transfer:
    """A transfer signed with the sender's key."""
    signature = key.sign(transfer_message(sender, receiver, amount, nonce))
    return Transfer(sender, receiver, amount, nonce, signature)


class Ledger:
    """The account tree, 2^depth slots, all empty at first; only the nodes that differ from empty are kept."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._accounts: dict[int, Account] = {}
        self._nodes: dict[tuple[int, int], int] = {}  # (height, position) -> hash
        self._empty = [EMPTY.leaf()]
        for _ in range(depth):
            self._empty.append(poseidon([self._empty[-1]] * 2))

    @property
    def root(self) -> int:
        return self._node(self.depth, 0)

    def account(self, index: int) -> Account:
        """The account in a slot; an empty one where none was put."""
        return self._accounts.get(self._require_slot(index), EMPTY)

    def put(self, index: int, account: Account) -> None:
        """Write a slot and the path above it; depth + 1 hashes."""
        self._accounts[self._require_slot(index)] = account
        self._nodes[0, index] = account.leaf()
        for height in range(1, self.depth + 1):
            position = index >> height
            children = [self._node(height - 1, 2 * position), self._node(height - 1, 2 * position + 1)]
            self._nodes[height, position] = poseidon(children)

    def siblings(self, index: int) -> list[int]:
        """The hashes beside the path from a slot to the root, lowest first."""
        self._require_slot(index)
        return [self._node(height, (index >> height) ^ 1) for height in range(self.depth)]

    def apply(self, transfer: Transfer) -> Step:
        """Move the money; raises :class:`UnsatisfiedCircuit`, and changes nothing, where the circuit would refuse."""
        sender = self.account(transfer.sender)
        self._check(transfer, sender)
        sender_siblings = self.siblings(transfer.sender)
        self.put(transfer.sender, replace(sender, balance=sender.balance - transfer.amount, nonce=sender.nonce + 1))
        receiver = self.account(transfer.receiver)
        receiver_siblings = self.siblings(transfer.receiver)
        self.put(transfer.receiver, replace(receiver, balance=receiver.balance + transfer.amount))
        return Step(transfer, sender, sender_siblings, receiver, receiver_siblings)

    def _check(self, transfer: Transfer, sender: Account) -> None:
        if EMPTY.key in (sender.key, self.account(transfer.receiver).key):
            raise UnsatisfiedCircuit(f"slots {transfer.sender} and {transfer.receiver} must both hold an account")
        if transfer.nonce != sender.nonce:
            raise UnsatisfiedCircuit(f"account {transfer.sender} expects nonce {sender.nonce}, not {transfer.nonce}")
        if not 0 <= transfer.amount <= sender.balance:
            raise UnsatisfiedCircuit(f"account {transfer.sender} cannot send this amount: its balance is too low")
        if transfer.sender != transfer.receiver:
            received = self.account(transfer.receiver).balance + transfer.amount
            if received >> BALANCE_BITS:
                raise UnsatisfiedCircuit(f"account {transfer.receiver} cannot hold 2^{BALANCE_BITS} and more")
        try:
            verify(sender.key, transfer.message, transfer.signature)
        except (InvalidProof, MalformedInput) as refusal:
            raise UnsatisfiedCircuit(f"account {transfer.sender} did not sign this transfer: {refusal}") from refusal

    def _node(self, height: int, position: int) -> int:
        return self._nodes.get((height, position), self._empty[height])

    def _require_slot(self, index: int) -> int:
        if not 0 <= index < 1 << self.depth:
            raise MalformedInput(f"slot {index} is outside the tree's 2^{self.depth}")
        return index
