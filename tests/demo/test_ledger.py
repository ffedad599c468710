"""The ledger: its root is the whole tree's, and every transfer that it refuses, the circuit refuses too."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from proofgrid.demo.eddsa import Signature, SigningKey
from proofgrid.demo.ledger import EMPTY, Account, Ledger, Transfer, sign_transfer
from proofgrid.demo.poseidon import poseidon
from proofgrid.demo.rollup import DEPTH, batch_inputs
from proofgrid.errors import MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.curves import BN254
from proofgrid.prover.witness import calculate_witness

ALICE, BOB, CAROL = 3, 200, 201  # slots
KEYS = {ALICE: SigningKey(b"a" * 32), BOB: SigningKey(b"b" * 32), CAROL: SigningKey(b"c" * 32)}
FULL = 2**64 - 1


def fund(ledger: Ledger, alice: int = 100, bob: int = 50) -> Ledger:
    ledger.put(ALICE, Account(_key(ALICE), alice))
    ledger.put(BOB, Account(_key(BOB), bob))
    ledger.put(CAROL, Account(_key(CAROL), 0))
    return ledger


@cache
def _key(slot: int) -> tuple[int, int]:
    return KEYS[slot].public_key


def pay(sender: int, receiver: int, amount: int, nonce: int = 0, key: int | None = None) -> Transfer:
    return sign_transfer(KEYS[sender if key is None else key], sender, receiver, amount, nonce)


def test_the_root_is_that_of_the_whole_tree() -> None:
    ledger = Ledger(3)
    accounts = {5: Account(_key(ALICE), 7), 0: Account(_key(BOB), 9, 2)}
    for slot, account in accounts.items():
        ledger.put(slot, account)
    nodes = [accounts.get(slot, EMPTY).leaf() for slot in range(8)]
    while len(nodes) > 1:
        nodes = [poseidon(nodes[i : i + 2]) for i in range(0, len(nodes), 2)]
    assert ledger.root == nodes[0]


def test_a_path_leads_from_its_leaf_to_the_root() -> None:
    ledger = fund(Ledger(DEPTH))
    for slot in (ALICE, BOB, 77):
        node = ledger.account(slot).leaf()
        for level, sibling in enumerate(ledger.siblings(slot)):
            node = poseidon([sibling, node] if slot >> level & 1 else [node, sibling])
        assert node == ledger.root


def test_a_transfer_moves_the_amount_and_counts_the_nonce() -> None:
    ledger = fund(Ledger(DEPTH))
    ledger.apply(pay(ALICE, BOB, 30))
    ledger.apply(pay(BOB, ALICE, 80))  # of which 30 came a moment ago
    assert [ledger.account(slot).balance for slot in (ALICE, BOB)] == [150, 0]
    assert [ledger.account(slot).nonce for slot in (ALICE, BOB)] == [1, 1]


def test_slots_outside_the_tree_are_refused() -> None:
    for slot in (-1, 1 << DEPTH):
        with pytest.raises(MalformedInput):
            Ledger(DEPTH).account(slot)


class Credulous(Ledger):
    """Applies anything, modulo r, so that the circuit sees what an honest ledger would have refused."""

    def put(self, index: int, account: Account) -> None:
        super().put(index, replace(account, balance=account.balance % BN254.r))

    def _check(self, transfer: Transfer, sender: Account) -> None:
        pass


def moved_r() -> Transfer:
    transfer = pay(ALICE, BOB, 1)
    x, y = transfer.signature.r
    return replace(transfer, signature=Signature((x, y + 1), transfer.signature.s))


ACCEPTED: dict[str, tuple[Callable[[], list[Transfer]], int]] = {
    "back and forth": (lambda: [pay(ALICE, BOB, 100), pay(BOB, ALICE, 150)], 50),
    "to oneself": (lambda: [pay(ALICE, ALICE, 100), pay(ALICE, ALICE, 0, nonce=1)], 50),
    "twice by one sender": (lambda: [pay(ALICE, BOB, 60), pay(ALICE, BOB, 40, nonce=1)], 50),
    "up to a full balance": (lambda: [pay(ALICE, BOB, 1), pay(BOB, ALICE, FULL - 99)], FULL - 1),
}
REFUSED: dict[str, tuple[Callable[[], Transfer], int]] = {
    "more than the balance": (lambda: pay(ALICE, BOB, 101), 50),
    "a negative amount": (lambda: pay(ALICE, BOB, BN254.r - 1), 50),
    "a balance that overflows": (lambda: pay(ALICE, BOB, 1), FULL),
    "a nonce of the future": (lambda: pay(ALICE, BOB, 1, nonce=1), 50),
    "another's signature": (lambda: pay(ALICE, BOB, 1, key=BOB), 50),
    "an amount that was not signed": (lambda: replace(pay(ALICE, BOB, 1), amount=2), 50),
    "a receiver that was not signed": (lambda: replace(pay(ALICE, BOB, 1), receiver=ALICE), 50),
    "R off the curve": (moved_r, 50),
    "to an empty slot": (lambda: pay(ALICE, 9, 1), 50),
}


@pytest.mark.parametrize(("batch", "bob"), ACCEPTED.values(), ids=ACCEPTED)
def test_the_ledger_and_the_circuit_accept(batch: Callable[[], list[Transfer]], bob: int, wasm: Path) -> None:
    calculate_witness(wasm, batch_inputs(fund(Ledger(DEPTH), bob=bob), batch()))


@pytest.mark.parametrize(("transfer", "bob"), REFUSED.values(), ids=REFUSED)
def test_the_ledger_and_the_circuit_refuse(transfer: Callable[[], Transfer], bob: int, wasm: Path) -> None:
    honest, idle = fund(Ledger(DEPTH), bob=bob), pay(CAROL, CAROL, 0)
    before = honest.root
    with pytest.raises(UnsatisfiedCircuit):
        honest.apply(transfer())
    assert honest.root == before

    with pytest.raises(UnsatisfiedCircuit):
        calculate_witness(wasm, batch_inputs(fund(Credulous(DEPTH), bob=bob), [transfer(), idle]))


def test_a_transfer_cannot_be_sent_again(wasm: Path) -> None:
    transfer = pay(ALICE, BOB, 1)
    with pytest.raises(UnsatisfiedCircuit, match="nonce 1, not 0"):
        batch_inputs(fund(Ledger(DEPTH)), [transfer, transfer])
    with pytest.raises(UnsatisfiedCircuit):
        calculate_witness(wasm, batch_inputs(fund(Credulous(DEPTH)), [transfer, transfer]))


class Minting(Ledger):
    """Gives Bob 1,000 more, behind the circuit's back, when it has been written ``countdown`` times."""

    countdown = 0

    def put(self, index: int, account: Account) -> None:
        super().put(index, account)
        self.countdown -= 1
        if self.countdown == 0:
            bob = self.account(BOB)
            super().put(BOB, replace(bob, balance=bob.balance + 1_000))


@pytest.mark.parametrize("after", [1, 2, 3], ids=["first debit", "first credit", "second debit"])
def test_the_tree_cannot_be_exchanged_between_two_updates(after: int, wasm: Path) -> None:
    ledger = fund(Minting(DEPTH))
    ledger.countdown = after
    inputs = batch_inputs(ledger, [pay(ALICE, BOB, 1), pay(ALICE, BOB, 1, nonce=1)])
    with pytest.raises(UnsatisfiedCircuit):
        calculate_witness(wasm, inputs)
