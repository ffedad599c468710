"""The example of a consumer: an escrow that pays when a receipt holds, and else gives the money back."""

from dataclasses import dataclass

import pytest

from proofgrid.verifier.merkle import MerkleTree
from proofgrid.verifier.receipts import Leaf, digest_public_inputs
from tests.evm.conftest import OWNER, STRANGER
from tests.evm.machine import NOW, Deployed, Machine, Reverted, account, word, words
from tests.evm.test_receipts import BATCH, Place, Registry, make_leaf, make_registry, verify_call

PAYEE = account(20)
PRICE = 10**18
REFUND_AFTER = 86_400
INPUTS = [7, 2**200, 0]
KEY = bytes(range(100, 132))
RELEASE = "release(bytes32,(bytes32,bytes32,bytes32,bytes32,bytes32,uint64),uint256,bytes32[])"


@dataclass(frozen=True)
class Scene:
    """An escrow of one ether for the third leaf of a batch of five, which is attested."""

    escrow: Deployed
    registry: Registry
    true: Place

    def release(self, where: Place, batch: bytes = BATCH) -> None:
        arguments = verify_call(where, batch)[4:]  # the same arguments as verifyReceipt's
        self.escrow.send(RELEASE, arguments, by=STRANGER)

    def refuses(self, name: str, where: Place, batch: bytes = BATCH) -> None:
        with pytest.raises(Reverted) as refused:
            self.release(where, batch)
        assert refused.value.name == name


def statement(number: int) -> Leaf:
    told = {"verifying_key_digest": KEY, "public_inputs_digest": digest_public_inputs(INPUTS)}
    return make_leaf(number).model_copy(update=told)


def make_scene(machine: Machine, payee: str = PAYEE) -> Scene:
    registry = make_registry(machine)
    leaves = [make_leaf(0), make_leaf(1), statement(2), make_leaf(3), statement(4)]
    tree = MerkleTree([leaf.encode() for leaf in leaves])
    registry.attest(tree.root, 5, void=(4,))
    machine.now = NOW
    arguments = (registry.contract.word, KEY, word(160), word(payee), word(REFUND_AFTER), words(INPUTS))
    escrow = machine.deploy("ReceiptsConsumer", *arguments, by=OWNER, value=PRICE)
    machine.now = registry.machine.now + 3600
    return Scene(escrow, registry, Place(leaves[2], 2, tree.path(2), tree.root, 5))


@pytest.fixture
def scene(machine: Machine) -> Scene:
    return make_scene(machine)


def test_receipt_releases_the_money(scene: Scene) -> None:
    scene.release(scene.true)
    assert scene.registry.machine.balance(PAYEE) == PRICE
    assert scene.registry.machine.balance(scene.escrow.address) == 0


def test_other_leaf_releases_nothing(scene: Scene) -> None:
    scene.refuses("OtherStatement()", Place(make_leaf(3), 3, scene.true.path, scene.true.root, 5))
    for other in ({"public_inputs_digest": digest_public_inputs([7, 2**200, 1])}, {"verifying_key_digest": bytes(32)}):
        told = scene.true.leaf.model_copy(update=other)
        scene.refuses("OtherStatement()", Place(told, 2, scene.true.path, scene.true.root, 5))


def test_without_a_receipt_nothing_is_released(scene: Scene) -> None:
    true = scene.true
    scene.refuses("NoReceipt()", Place(true.leaf, 3, true.path, true.root, 5))
    scene.refuses("NoReceipt()", true, batch=bytes(32))
    scene.refuses("NoReceipt()", Place(statement(4), 4, [true.root], true.root, 5))  # void
    scene.registry.machine.now = NOW
    scene.refuses("NoReceipt()", true)  # its attestation still waits
    assert scene.registry.machine.balance(PAYEE) == 0


def test_paused_registry_is_no_answer(scene: Scene) -> None:
    scene.registry.contract.send("pause()", by=OWNER)
    scene.refuses("ContractPaused()", scene.true)


def test_payer_gets_the_money_back_in_time(scene: Scene) -> None:
    before = scene.registry.machine.balance(OWNER)
    scene.registry.machine.now = NOW + REFUND_AFTER - 1
    with pytest.raises(Reverted, match="TooEarly"):
        scene.escrow.send("refund()", by=OWNER)
    scene.registry.machine.now = NOW + REFUND_AFTER
    scene.escrow.send("refund()", by=STRANGER)
    assert scene.registry.machine.balance(OWNER) == before + PRICE


def test_payee_that_takes_no_money_leaves_it_in_the_escrow(machine: Machine) -> None:
    closed = machine.deploy("ClosedPayee", by=OWNER)
    scene = make_scene(machine, closed.address)
    scene.refuses("TransferFailed()", scene.true)
    assert machine.balance(scene.escrow.address) == PRICE


def test_payee_that_calls_back_gets_it_once(machine: Machine) -> None:
    greedy = machine.deploy("GreedyPayee", by=OWNER)
    scene = make_scene(machine, greedy.address)
    before = machine.balance(OWNER)
    machine.now = NOW + REFUND_AFTER
    scene.release(scene.true)
    assert (machine.balance(greedy.address), machine.balance(OWNER)) == (PRICE, before)
