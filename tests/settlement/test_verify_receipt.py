"""verify_receipt: a receipt holds for a leaf that is final, and for no other."""

from proofgrid.settlement.layout.batches import VERDICT, VERIFY_RECEIPT
from proofgrid.verifier.receipts import digest_public_inputs
from tests.settlement.batches import (
    FALSE,
    WINDOW_S,
    Batch,
    Entry,
    challenge,
    demand,
    filled,
    proof_digest,
)
from tests.settlement.instances import instance
from tests.settlement.network import Network, Person
from tests.settlement.shape import keeps_its_shape


def test_a_receipt_holds_after_the_window(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.chain.refuses("ChallengeWindowOpen", batch.receipt(3))
    network.pass_time(WINDOW_S + 1)
    result = network.chain.send(batch.receipt(3))
    entry, verdict = batch.entries[3], VERDICT.decode(result.return_data().data.ljust(VERDICT.size, b"\0"))
    assert verdict == {
        "committer": bytes(committer.prover),
        "key": entry.key_digest,
        "inputs": digest_public_inputs(entry.given.inputs),
        "proof": proof_digest(entry.given),
        "request": entry.request,
        "prover": entry.prover,
        "price": entry.price,
        "committed_s": batch.account.unix_time_s,
    }
    assert result.compute_units_consumed() < 15_000


def test_receipts_of_other_leaves_do_not_hold(network: Network, committer: Person) -> None:
    network.chain.register(instance(2))
    batch = filled(committer)
    network.pass_time(WINDOW_S + 1)
    for refusal, changes in (
        ("WrongPath", {"price": 6}),
        ("WrongPath", {"request": bytes(32)}),
        ("WrongPath", {"prover": bytes(32)}),
        ("WrongPath", {"inputs_digest": bytes(32)}),
        ("WrongPath", {"proof_digest": bytes(32)}),
        ("WrongPath", {"key_digest": instance(2).digest}),
        ("WrongPath", {"leaf": 2}),
        ("NoSuchLeaf", {"leaf": 5}),
        ("WrongPath", {"path": []}),
        ("WrongBatchAccount", {"batch": committer.prover}),
    ):
        network.chain.refuses(refusal, batch.receipt(3, **changes))


def test_void_and_demanded_leaves_have_no_receipt(network: Network, committer: Person) -> None:
    batch, demander = filled(committer, FALSE), network.person(41, 100)
    network.chain.send(challenge(batch, 0, demander.tokens))
    network.chain.send(demand(batch, 1, demander), signers=[demander.keypair])
    network.pass_time(WINDOW_S + 1)
    network.chain.refuses("LeafVoid", batch.receipt(0))
    network.chain.refuses("ChallengeWindowOpen", batch.receipt(1))
    network.chain.send(batch.receipt(2))


def test_a_key_registered_later_has_no_receipt(network: Network, committer: Person) -> None:
    """In the challenge window nobody could have run the verifier under it."""
    hidden = instance(2)
    batch = Batch(network, committer, [Entry(hidden, bytes(32), b"p" * 32)]).committed()
    network.pass_time(1)
    network.chain.register(hidden)
    network.pass_time(WINDOW_S)
    network.chain.refuses("KeyRegisteredLater", batch.receipt(0))


def test_the_window_includes_its_last_second(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.pass_time(WINDOW_S)
    network.chain.refuses("ChallengeWindowOpen", batch.receipt(3))


def test_it_keeps_its_shape(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.pass_time(WINDOW_S + 1)
    keeps_its_shape(network.chain, VERIFY_RECEIPT, batch.receipt(3))
