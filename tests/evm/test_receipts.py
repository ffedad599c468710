"""The registry of roots and the receipts under them: the same yes and no as verifier/merkle.py."""

import random
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.settlement.evm import calls, contract_sources, receipt_calldata
from proofgrid.settlement.evm.calls import decode_address
from proofgrid.verifier.merkle import MAX_LEAVES, MerkleTree, hash_leaf, hash_node, path_length, verify_path
from proofgrid.verifier.receipts import Leaf, Receipt
from tests.evm.conftest import GUARDIAN, OWNER, STRANGER, funded
from tests.evm.machine import NOW, Deployed, Landed, Machine, Reverted, account, word, words
from tests.evm.solidity import Compiled, compile_sources

ATTESTER = account(4)
DELAY = 3600
BATCH = bytes(range(32))
LARGE = [2**k + d for k in (7, 14, 20, 31) for d in (-1, 0, 1)] + [MAX_LEAVES - 1, MAX_LEAVES]
numbers = count()  # of batches on a chain that many examples share
VERIFY = "verifyReceipt(bytes32,(bytes32,bytes32,bytes32,bytes32,bytes32,uint64),uint256,bytes32[])"


def make_leaf(number: int) -> Leaf:
    drawn = random.Random(number)
    request, key, inputs, proof, prover = (drawn.randbytes(32) for _ in range(5))
    return Leaf(
        request_id=request,
        verifying_key_digest=key,
        public_inputs_digest=inputs,
        proof_digest=proof,
        prover=prover,
        price_lamports=drawn.randrange(1 << 64),
    )


@dataclass(frozen=True)
class Place:
    """A leaf, where it is said to be, and the way to the root."""

    leaf: Leaf
    index: int
    path: list[bytes]
    root: bytes
    n_leaves: int

    @property
    def holds(self) -> bool:
        """What verifier/merkle.py says."""
        try:
            verify_path(self.leaf.encode(), self.index, self.path, self.root, self.n_leaves)
        except (MalformedInput, InvalidProof):
            return False
        return True


def place(number: int, n_leaves: int) -> Place:
    """Leaf ``number`` of a tree of ``n_leaves`` with random siblings: a tree too large to build has a path as well."""
    drawn, leaf = random.Random(f"{number} {n_leaves}"), make_leaf(number)
    path = [drawn.randbytes(32) for _ in range(path_length(number, n_leaves))]
    node, siblings, index, last = hash_leaf(leaf.encode()), iter(path), number, n_leaves - 1
    while last > 0:
        if index % 2:
            node = hash_node(next(siblings), node)
        elif index < last:
            node = hash_node(node, next(siblings))
        index, last = index // 2, last // 2
    return Place(leaf, number, path, node, n_leaves)


@dataclass(frozen=True)
class Registry:
    """A registry of receipts on its chain."""

    contract: Deployed

    @property
    def machine(self) -> Machine:
        return self.contract.machine

    def attest(
        self,
        root: bytes,
        n_leaves: int,
        *,
        batch: bytes = BATCH,
        void: tuple[int, ...] = (),
        by: str = ATTESTER,
        wait: bool = True,
    ) -> Landed:
        arguments = (batch, root, word(n_leaves), word(128), words(list(void)))
        landed = self.contract.send("attest(bytes32,bytes32,uint64,uint32[])", *arguments, by=by)
        if wait:
            self.machine.now += DELAY
        return landed

    def says(self, where: Place, batch: bytes = BATCH) -> bool:
        answer = self.machine.call(self.contract.address, verify_call(where, batch), by=STRANGER, static=True).data
        assert answer in (word(0), word(1))
        return answer == word(1)

    def refuses(self, name: str, function: str, *arguments: bytes, by: str) -> None:
        with pytest.raises(Reverted) as refused:
            self.contract.send(function, *arguments, by=by)
        assert refused.value.name == name

    def refuses_attestation(self, name: str, root: bytes, n_leaves: int, **named: object) -> None:
        with pytest.raises(Reverted) as refused:
            self.attest(root, n_leaves, **named)  # type: ignore[arg-type]
        assert refused.value.name == name


def verify_call(where: Place, batch: bytes = BATCH) -> bytes:
    leaf = where.leaf.encode()[32:192] + word(where.leaf.price_lamports)
    return calls.VERIFY_RECEIPT + batch + leaf + word(where.index) + word(288) + words(where.path)


def make_registry(machine: Machine, delay: int = DELAY) -> Registry:
    people = (word(OWNER), word(GUARDIAN), word(ATTESTER))
    return Registry(machine.deploy("ProofgridReceipts", *people, word(delay), by=STRANGER))


@pytest.fixture
def registry(machine: Machine) -> Registry:
    return make_registry(machine)


@pytest.mark.parametrize("n_leaves", range(1, 34))
def test_every_leaf_of_a_small_tree(registry: Registry, n_leaves: int) -> None:
    leaves = [make_leaf(number) for number in range(n_leaves)]
    tree = MerkleTree([leaf.encode() for leaf in leaves])
    registry.attest(tree.root, n_leaves)
    for index, leaf in enumerate(leaves):
        true = Place(leaf, index, tree.path(index), tree.root, n_leaves)
        assert true.holds
        assert registry.says(true)
        for false in neighbours(true):
            assert registry.says(false) == false.holds, (n_leaves, index)


def neighbours(true: Place) -> list[Place]:
    """Places that differ from a true one in one respect."""
    path, index = true.path, true.index
    found = [replace(true, index=other) for other in (index - 1, index ^ 1, index + 1, index + true.n_leaves, 1 << 32)]
    found += [replace(true, path=path[:-1]), replace(true, path=[*path, bytes(32)]), replace(true, path=path[::-1])]
    found += [replace(true, path=[*path[:i], flip(path[i]), *path[i + 1 :]]) for i in range(len(path))]
    return [place for place in found if place.index >= 0]


def flip(node: bytes) -> bytes:
    return bytes([node[0] ^ 1]) + node[1:]


@pytest.mark.parametrize("n_leaves", LARGE)
def test_leaves_of_large_trees(registry: Registry, n_leaves: int) -> None:
    for number, index in enumerate({0, 1, n_leaves // 2, n_leaves - 2, n_leaves - 1}):
        batch, true = bytes([number]) * 32, place(index, n_leaves)
        registry.attest(true.root, n_leaves, batch=batch)
        assert true.holds
        assert registry.says(true, batch)
        for false in neighbours(true):
            assert registry.says(false, batch) == false.holds


def test_every_field_of_the_leaf_counts(registry: Registry) -> None:
    true = place(5, 11)
    registry.attest(true.root, true.n_leaves)
    for field in Leaf.model_fields:
        value = getattr(true.leaf, field)
        other = value ^ 1 if isinstance(value, int) else flip(value)
        assert not registry.says(replace(true, leaf=true.leaf.model_copy(update={field: other}))), field
    assert registry.says(true)


def test_price_beyond_64_bits_is_no_price(registry: Registry) -> None:
    true = place(0, 1)
    registry.attest(true.root, 1)
    call = bytearray(verify_call(true))
    call[4 + 32 * 7 - 9] = 1
    with pytest.raises(Reverted):
        registry.machine.call(registry.contract.address, bytes(call), by=STRANGER, static=True)


@pytest.fixture(scope="module")
def shared(compiled: Compiled) -> Registry:
    return make_registry(funded(compiled))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_place_has_the_off_chain_answer(shared: Registry, data: st.DataObject) -> None:
    n_leaves = data.draw(st.one_of(st.integers(1, 64), st.integers(1, MAX_LEAVES)))
    true = place(data.draw(st.integers(0, n_leaves - 1)), n_leaves)
    batch = word(next(numbers))
    given_path = data.draw(st.permutations(true.path))
    asked = replace(
        true,
        index=data.draw(st.one_of(st.just(true.index), st.integers(0, MAX_LEAVES))),
        path=given_path[: data.draw(st.integers(0, len(given_path)))] if data.draw(st.booleans()) else true.path,
    )
    shared.attest(true.root, n_leaves, batch=batch)
    assert shared.says(true, batch)
    assert shared.says(asked, batch) == asked.holds


def test_inner_node_is_no_leaf(registry: Registry) -> None:
    """Leaves and nodes are hashed in separate domains: a node's 64 bytes cannot pass for a leaf."""
    tree = MerkleTree([make_leaf(number).encode() for number in range(4)])
    registry.attest(tree.root, 2)  # as if the two inner nodes were leaves
    assert not registry.says(Place(make_leaf(0), 0, tree.path(0)[1:], tree.root, 2))


def test_too_little_gas_is_no_answer(registry: Registry) -> None:
    """A call that runs out of gas is refused: it must not turn a true receipt into a false one."""
    true = place(700, 1024)
    registry.attest(true.root, true.n_leaves)
    answers = set()
    for gas in range(32_000, 50_000, 50):
        try:
            answers.add(registry.machine.call(registry.contract.address, verify_call(true), by=STRANGER, gas=gas).data)
        except Reverted as refused:
            answers.add(refused.name)
    assert word(1) in answers
    assert word(0) not in answers


def test_chain_without_sha256_gives_no_answer(node_packages: None) -> None:
    sources = contract_sources()
    lacking = sources["ReceiptTree.sol"].replace("staticcall(gas(), 2,", f"staticcall(gas(), {0x5AFF},")
    assert lacking != sources["ReceiptTree.sol"]
    registry = make_registry(funded(compile_sources(sources | {"ReceiptTree.sol": lacking})))
    true = place(1, 2)
    registry.attest(true.root, 2)
    with pytest.raises(Reverted, match="HashUnavailable"):
        registry.says(true)


def test_attestation_waits_for_its_delay(registry: Registry) -> None:
    true = place(2, 3)
    ((name, topics, _),) = registry.attest(true.root, 3, wait=False).events
    assert (name, topics) == ("BatchAttested(bytes32,bytes32,uint64,uint32[],uint64)", [BATCH])
    assert not registry.says(true)
    registry.machine.now = NOW + DELAY - 1
    assert not registry.says(true)
    registry.machine.now = NOW + DELAY
    assert registry.says(true)


def test_other_batches_know_nothing_of_it(registry: Registry) -> None:
    true = place(2, 3)
    registry.attest(true.root, 3)
    assert not registry.says(true, batch=bytes(32))


def test_void_leaves_are_no_receipts(registry: Registry) -> None:
    leaves = [make_leaf(number) for number in range(20)]
    tree = MerkleTree([leaf.encode() for leaf in leaves])
    void = (0, 3, 4, 9, 10, 11, 12, 13, 19)
    registry.attest(tree.root, 20, void=void)
    for index, leaf in enumerate(leaves):
        assert registry.says(Place(leaf, index, tree.path(index), tree.root, 20)) == (index not in void)


@pytest.mark.parametrize("by", [OWNER, GUARDIAN])
def test_revoked_batch_says_no_until_it_is_attested_again(registry: Registry, by: str) -> None:
    true = place(1, 5)
    registry.attest(bytes([7] * 32), 9, void=(1, 2))
    ((name, topics, data),) = registry.contract.send("revoke(bytes32)", BATCH, by=by).events
    assert (name, topics[0], data) == ("BatchRevoked(bytes32,bytes32,address)", BATCH, bytes([7] * 32))
    assert not registry.says(true)
    registry.attest(true.root, 5, wait=False)
    assert not registry.says(true)
    registry.machine.now += DELAY
    assert registry.says(true)  # the earlier attestation's void leaves are gone with it


def test_pause_stops_answers_and_attestations(registry: Registry) -> None:
    true = place(0, 2)
    registry.attest(true.root, 2)
    registry.contract.send("pause()", by=GUARDIAN)
    with pytest.raises(Reverted, match="ContractPaused"):
        registry.says(true)
    registry.refuses_attestation("ContractPaused()", true.root, 2, batch=bytes(32))
    registry.contract.send("revoke(bytes32)", BATCH, by=GUARDIAN)  # stopping goes on
    registry.refuses("NotOwner()", "unpause()", by=GUARDIAN)
    registry.contract.send("unpause()", by=OWNER)
    assert not registry.says(true)


def test_attestations_that_are_refused(registry: Registry) -> None:
    root = place(0, 2).root
    for by in (OWNER, GUARDIAN, STRANGER):
        registry.refuses_attestation("NotAttester()", root, 2, by=by)
    registry.refuses_attestation("ZeroRoot()", bytes(32), 2)
    registry.refuses_attestation("LeafCountOutOfRange()", root, 0)
    registry.refuses_attestation("LeafCountOutOfRange()", root, MAX_LEAVES + 1)
    registry.refuses_attestation("MalformedVoidLeaves()", root, 2, void=(2,))
    registry.refuses_attestation("MalformedVoidLeaves()", root, 9, void=(3, 3))
    registry.refuses_attestation("MalformedVoidLeaves()", root, 9, void=(4, 3))
    registry.refuses_attestation("TooManyVoidLeaves()", root, 1000, void=tuple(range(257)))
    registry.attest(root, 1000, void=tuple(range(256)))
    registry.refuses_attestation("AlreadyAttested(bytes32)", root, 2)


def test_strangers_do_nothing(registry: Registry) -> None:
    registry.attest(place(0, 2).root, 2)
    registry.refuses("NotGuardian()", "revoke(bytes32)", BATCH, by=STRANGER)
    registry.refuses("NotGuardian()", "revoke(bytes32)", BATCH, by=ATTESTER)
    registry.refuses("NotOwner()", "setAttester(address)", word(STRANGER), by=GUARDIAN)
    registry.refuses("NotGuardian()", "pause()", by=ATTESTER)
    registry.refuses("UnknownBatch(bytes32)", "revoke(bytes32)", bytes(32), by=OWNER)
    assert registry.says(place(0, 2))


def test_attester_can_be_replaced(registry: Registry) -> None:
    ((name, topics, _),) = registry.contract.send("setAttester(address)", word(STRANGER), by=OWNER).events
    assert (name, topics) == ("AttesterChanged(address,address)", [word(ATTESTER), word(STRANGER)])
    registry.refuses_attestation("NotAttester()", place(0, 2).root, 2)
    registry.attest(place(0, 2).root, 2, by=STRANGER)
    assert registry.says(place(0, 2))


@pytest.mark.parametrize(("delay", "allowed"), [(599, False), (600, True), (30 * 86400, True), (30 * 86400 + 1, False)])
def test_delay_has_bounds(machine: Machine, delay: int, allowed: bool) -> None:
    if allowed:
        assert make_registry(machine, delay).contract.view("delay()") == word(delay)
        return
    with pytest.raises(Reverted, match="DelayOutOfRange"):
        make_registry(machine, delay)


def test_attestation_can_be_read(registry: Registry) -> None:
    registry.attest(bytes([9] * 32), 5, void=(2,))
    answer = registry.contract.view("attestation(bytes32)", BATCH)
    batch = [bytes([9] * 32), word(NOW + DELAY), word(5), word(1), word(160), word(1), word(2)]
    assert answer == word(32) + b"".join(batch)
    assert not any(registry.contract.view("attestation(bytes32)", bytes(32))[32 : 5 * 32])


def make_receipt(number: int, n_leaves: int) -> Receipt:
    """A receipt whose path holds, of a batch at the address of 32 bytes of 1."""
    true = place(number, n_leaves)
    return Receipt(
        leaf=true.leaf,
        index=true.index,
        n_leaves=true.n_leaves,
        path=tuple(true.path),
        root=true.root,
        batch=3,
        transaction="2" * 88,
        program_id="11111111111111111111111111111112",
        batch_address="4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi",
    )


def test_receipts_of_the_network_become_calls(registry: Registry) -> None:
    true, receipt = place(5, 11), make_receipt(5, 11)
    batch = decode_address(receipt.batch_address)
    registry.attest(true.root, true.n_leaves, batch=batch)
    call = receipt_calldata(receipt)
    assert call == verify_call(true, batch)
    assert registry.machine.call(registry.contract.address, call, by=STRANGER, static=True).data == word(1)
    with pytest.raises(InvalidProof):
        receipt_calldata(receipt.model_copy(update={"root": bytes(32)}))
    assert registry.machine.compiled.names[VERIFY][:4] == calls.VERIFY_RECEIPT


@pytest.mark.parametrize("text", ["", "1" * 31, "1" * 33, "z" * 44, "z" * 45, "0" * 32, "l" * 32])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput, match="address"):
        decode_address(text)


def test_addresses_are_solanas() -> None:
    from solders.pubkey import Pubkey

    drawn = random.Random(58)
    for data in (bytes(32), bytes(31) + b"\1", b"\xff" * 32, *(drawn.randbytes(32) for _ in range(50))):
        assert decode_address(str(Pubkey(data))) == data
