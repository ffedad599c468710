"""Receipts towards the chain: compact, they lose only what the chain keeps; asked about, they are asked as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.signature import Signature

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.settlement.receipts import batch_of, decode_compact, encode_compact, question
from proofgrid.verifier.receipts import Receipt
from tests.settlement.batches import TRUE, WINDOW_S, Batch, Entry
from tests.settlement.network import Network, Person


@pytest.fixture
def batch(network: Network, committer: Person) -> Batch:
    return Batch(network, committer, [Entry(TRUE, bytes([i]) * 32, b"p" * 32) for i in range(5)]).committed()


def receipt_of(batch: Batch, index: int) -> Receipt:
    return Receipt(
        leaf=batch.entries[index].leaf(),
        index=index,
        n_leaves=len(batch.tree),
        path=tuple(batch.tree.path(index)),
        root=batch.tree.root,
        batch=batch.number,
        transaction=str(Signature(bytes(range(64)))),
        program_id=str(batch.network.chain.program_id),
        batch_address=str(batch.address),
    )


def test_what_is_encoded_comes_back(batch: Batch) -> None:
    for index in range(5):
        receipt = receipt_of(batch, index)
        data = encode_compact(receipt)
        assert len(data) == 272 + 32 * len(receipt.path)
        assert batch_of(data) == batch.address
        assert decode_compact(data, batch.network.chain.program_id, batch.account) == receipt


def test_a_path_to_another_root_is_refused(batch: Batch) -> None:
    data, program_id = encode_compact(receipt_of(batch, 3)), batch.network.chain.program_id
    for at in [*range(4, 16), *range(112, len(data))]:  # all but the magic, the account and the transaction
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises((InvalidProof, MalformedInput)):
            decode_compact(flipped, program_id, batch.account)
    with pytest.raises(MalformedInput, match="path of"):
        decode_compact(data[:-32], program_id, batch.account)


@given(data=st.binary(max_size=700))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        batch_of(b"pg.R" + data)
    for candidate in (data[:271], b"pg.r" + data[: len(data) // 32 * 32]):
        with pytest.raises(MalformedInput):
            batch_of(candidate)
    with pytest.raises(MalformedInput, match="siblings"):
        batch_of(b"pg.r" + bytes(268 + 33 * 32))


def test_the_question_is_the_receipts(batch: Batch) -> None:
    assert question(receipt_of(batch, 3)) == batch.receipt(3)
    batch.network.pass_time(WINDOW_S + 1)
    batch.network.chain.send(question(receipt_of(batch, 3)))
