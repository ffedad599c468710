"""One leaf and one receipt for each fulfilled request, wherever the coordinator dies."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from proofgrid.config import NetworkConfig, Timing
from proofgrid.errors import ChainUnavailable, Conflict
from proofgrid.models import AttemptState, BatchState, Settlement, Submission
from proofgrid.network import results, settle
from proofgrid.network.database import BatchRow, LeafRow
from proofgrid.settlement.layout.batches import MAX_LEAVES
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.receipts import Receipt
from tests.network.world import ASK, PROVER, REQUESTER, Crash, MakeWorld, MemoryChain, World, true_submission


def receipt_of(world: World, request_id: str) -> Receipt:
    with world.database.reading() as session:
        return Receipt.decode_json(results.receipt(session, request_id, REQUESTER).document.encode())


def batches(world: World) -> list[BatchRow]:
    with world.database.reading() as session:
        return list(session.scalars(select(BatchRow).order_by(BatchRow.id)))


def n_leaves(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(LeafRow)) or 0


def require_settled_once(world: World, placed: list[str]) -> None:
    for request_id in placed:
        assert world.status(request_id).settlement is Settlement.COMMITTED
        receipt = receipt_of(world, request_id)
        receipt.check_path()
        assert receipt.leaf.request_id.hex() == request_id
        assert world.chain.roots[receipt.batch] == receipt.root
        assert world.chain.signatures[receipt.batch] == receipt.transaction
    assert n_leaves(world) == len(placed)
    assert len(world.chain.roots) == len(set(world.chain.roots))
    assert world.settle() == 0


def test_a_receipt_proves_the_whole_statement(world: World) -> None:
    request_id = world.fulfil()
    assert world.settle() == 1
    true, receipt = true_submission(), receipt_of(world, request_id)
    key = VerifyingKey.from_json(world.circuit.verifying_key)
    receipt.check(key, [int(value) for value in true.public_inputs], Proof.from_json(true.proof))
    assert (receipt.leaf.prover, receipt.leaf.price_lamports) == (PROVER, ASK)
    assert (receipt.program_id, receipt.batch) == (world.chain.program_id, 0)
    require_settled_once(world, [request_id])


def test_keys_are_on_chain_before_the_leaves_under_them(world: World) -> None:
    world.fulfil()
    world.chain.crash_at = "before"
    with pytest.raises(Crash):
        world.settle()
    assert world.chain.keys == [VerifyingKey.from_json(world.circuit.verifying_key).digest()]
    assert world.chain.roots == []


def test_a_key_that_the_chain_cannot_judge_gets_no_leaf(world: World) -> None:
    placed = [world.fulfil()]
    world.chain.is_ignorant = True
    assert world.settle() == 0
    assert (world.chain.roots, batches(world)) == ([], [])
    assert world.status(placed[0]).settlement is Settlement.UNSETTLED
    world.chain.is_ignorant = False
    assert world.settle() == 1
    require_settled_once(world, placed)


def test_a_batch_holds_what_waits(world: World) -> None:
    placed = [world.fulfil() for _ in range(3)]
    assert world.settle() == 3
    assert [batch.n_leaves for batch in batches(world)] == [3]
    require_settled_once(world, placed)


def test_a_batch_waits_for_size_or_age(make: MakeWorld) -> None:
    world = make(timing=Timing(batch_age_s=10.0), batch_size=2)
    first = world.fulfil()
    world.now += 9.9
    assert world.settle() == 0
    world.now += 0.1
    assert world.settle() == 1  # by age
    rest = [world.fulfil() for _ in range(3)]
    assert world.settle() == 2  # by size
    assert world.settle() == 0
    world.now += 10
    assert world.settle() == 1
    require_settled_once(world, [first, *rest])


def test_nothing_to_do_asks_the_chain_nothing(world: World) -> None:
    world.chain.is_away = True
    assert world.settle() == 0


def test_before_it_is_on_chain_there_is_no_receipt(world: World) -> None:
    request_id = world.fulfil()
    with world.database.reading() as session, pytest.raises(Conflict, match="not on chain yet"):
        results.receipt(session, request_id, REQUESTER)


@pytest.mark.parametrize("where", ["built", "before", "after", "receipts"])
def test_a_crash_anywhere_is_resumed_without_a_second_leaf(
    world: World, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = [world.fulfil(), world.fulfil()]
    with monkeypatch.context() as broken:
        if where == "built":
            broken.setattr(settle, "commit", lambda *a: (_ for _ in ()).throw(Crash(where)))
        elif where == "receipts":
            broken.setattr(settle, "write_receipts", lambda *a: (_ for _ in ()).throw(Crash(where)))
        else:
            world.chain.crash_at = where
        with pytest.raises(Crash):
            world.settle()
    world.restart()
    later = world.fulfil()
    while world.settle():
        pass
    require_settled_once(world, [*placed, later])
    assert [batch.state for batch in batches(world)] == [BatchState.COMMITTED] * 2


def test_a_chain_that_is_away_delays_and_loses_nothing(world: World) -> None:
    request_id = world.fulfil()
    world.chain.is_away = True
    with pytest.raises(ChainUnavailable):
        world.settle()
    world.chain.is_away = False
    assert world.settle() == 1
    require_settled_once(world, [request_id])


def test_a_final_batch_whose_transaction_changed_gets_its_receipts_anew(world: World) -> None:
    placed = [world.fulfil(), world.fulfil()]
    assert world.settle() == 2
    before = receipt_of(world, placed[0])
    world.chain.signatures[0] = "Z" * 64  # a fork undid the first one
    world.settle()
    assert [batch.state for batch in batches(world)] == [BatchState.COMMITTED]
    assert receipt_of(world, placed[0]) == before
    world.chain.n_final = 1
    world.settle()
    assert [batch.state for batch in batches(world)] == [BatchState.FINAL]
    assert receipt_of(world, placed[0]).transaction == "Z" * 64
    require_settled_once(world, placed)


def test_finality_is_not_asked_of_another_chain(world: World) -> None:
    world.fulfil()
    world.settle()
    world.chain = world.coordinator.chain = MemoryChain(chain_id="chain-2", n_final=9)
    world.settle()
    assert [batch.state for batch in batches(world)] == [BatchState.COMMITTED]


@pytest.mark.parametrize("chain_id", ["chain-2", "chain-1"], ids=["another", "emptied"])
def test_a_new_chain_starts_a_new_log_and_old_receipts_remember_theirs(world: World, chain_id: str) -> None:
    chain = MemoryChain(chain_id=chain_id)
    old = world.fulfil()
    world.settle()
    stranded = world.fulfil()
    world.chain.crash_at = "before"
    with pytest.raises(Crash):
        world.settle()
    world.chain = world.coordinator.chain = chain
    assert world.settle() == 1
    assert [batch.state for batch in batches(world)] == [
        BatchState.COMMITTED,
        BatchState.ABANDONED,
        BatchState.COMMITTED,
    ]
    with world.database.reading() as session:
        before = results.receipt(session, old, REQUESTER)
        after = results.receipt(session, stranded, REQUESTER)
    assert (before.chain_id, before.is_current_chain) == ("chain-1", False)
    assert (after.chain_id, after.is_current_chain) == (chain.chain_id, True)
    assert json.loads(after.document)["batch"] == 0
    assert n_leaves(world) == 2


def test_the_same_chain_goes_on_with_its_log(world: World) -> None:
    for number in range(3):
        request_id = world.fulfil()
        world.restart()
        world.settle()
        assert receipt_of(world, request_id).batch == number
    assert {batch.epoch for batch in batches(world)} == {1}


def test_a_number_that_another_root_took_is_given_up_and_the_proofs_go_into_the_next(world: World) -> None:
    placed = [world.fulfil() for _ in range(2)]
    world.chain.is_away = True
    epoch_known = world.fulfil()
    world.chain.is_away = False
    world.chain.crash_at = "before"
    with pytest.raises(Crash):
        world.settle()
    world.chain.roots.append(bytes(32))  # another network signs with the same key
    world.chain.signatures.append("Z" * 64)
    with pytest.raises(Conflict):
        world.settle()
    assert world.settle() == 3
    assert [batch.state for batch in batches(world)] == [BatchState.ABANDONED, BatchState.COMMITTED]
    require_settled_once(world, [*placed, epoch_known])


def test_a_proof_that_was_lost_does_not_keep_the_others_from_the_chain(world: World) -> None:
    _, task = world.running()
    world.submit(task)
    world.coordinator.run_verify(world.now)
    digest = world.attempt(task).result_digest
    assert digest is not None
    kept = world.store.path(digest).read_bytes()
    _, second = world.running()
    true = true_submission()
    proof = dict(reversed(true.proof.items()))  # another file
    world.submit(second, Submission(proof=proof, public_inputs=true.public_inputs))
    world.coordinator.run_verify(world.now)
    assert world.attempt(second).state is AttemptState.ACCEPTED
    world.store.delete(digest)
    assert world.settle() == 1
    world.store.put(kept)
    assert world.settle() == 1


def test_the_largest_batch_is_the_programs(tmp_path: Path) -> None:
    assert NetworkConfig(state_folder=tmp_path, batch_size=MAX_LEAVES).batch_size == MAX_LEAVES
    with pytest.raises(ValidationError):
        NetworkConfig(state_folder=tmp_path, batch_size=MAX_LEAVES + 1)
