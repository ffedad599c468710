"""Batches: stake behind every leaf, challenges, demands, claims (ADR 5, docs/protocol.md)."""

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.settlement.layout.batches import (
    ANSWER_LEAF,
    CHALLENGE_LEAF,
    CLAIM_LEAF,
    COMMIT_BATCH,
    DEMAND_LEAF,
    LEAF_DEMANDED,
    LEAF_PAID,
    LEAF_UNPAID,
    LEAF_VOID,
    MAX_LEAVES,
    RELEASE_BATCH,
    VOID_LEAF,
    ZERO_ROOT,
)
from proofgrid.settlement.layout.config import BASIS_POINTS
from proofgrid.settlement.layout.governance import DENY_BATCHES
from proofgrid.settlement.layout.requests import ASSIGNED
from proofgrid.verifier.merkle import verify_path
from proofgrid.verifier.receipts import Leaf, digest_public_inputs
from tests.settlement.model.ledger import Demands, Given, Ledger, rule
from tests.settlement.model.proofs import breaches, digest_of, words_of
from tests.settlement.model.records import Batch, Demand, Key, Prover, Request
from tests.settlement.model.requests import may_lock, may_refund, may_use, settle, slash


@rule(COMMIT_BATCH)
def commit_batch(ledger: Ledger, given: Given, must: Demands) -> None:
    prover, rules, told = ledger.read(given["prover"], Prover), ledger.network.rules, given.arguments
    number, count = told["number"], told["leaf_count"]
    must(given["signer"] == prover.signer, "NotSigner")
    must(count > 0, "EmptyBatch")
    must(count <= MAX_LEAVES, "TooManyLeaves")
    must(told["root"] != ZERO_ROOT, "ZeroRoot")
    must(number >= prover.next_number, "BatchAlreadyCommitted")
    must(number <= prover.next_number, "WrongBatchNumber")
    must(told["prev_root"] == prover.latest_root, "WrongPredecessor")
    may_lock(ledger, must, prover, rules.leaf_bond * count)
    bump = told["batch_bump"]
    address = ledger.derive(bump, b"batch", given["prover"], number.to_bytes(8, "little"))
    must(given["batch"] == address, "WrongBatchAddress")
    must.hold()
    batch = Batch(
        committer=given["prover"],
        number=number,
        prev_root=told["prev_root"],
        root=told["root"],
        slot=ledger.slot,
        unix_time_s=ledger.now_s,
        challenge_until_s=ledger.now_s + rules.challenge_window_s,
        leaf_bond=rules.leaf_bond,
        locked=rules.leaf_bond * count,
        leaf_count=count,
        bump=bump,
    )
    ledger.make(given["batch"], batch, given["signer"])
    prover.locked += batch.locked
    prover.next_number, prover.latest_root = number + 1, batch.root


def _is_under(must: Demands, batch: Batch, leaf: Leaf, index: int, path: bytes) -> bool:
    """The leaf stands at this place of the batch, and the path shows it."""
    if not must(index < batch.leaf_count, "NoSuchLeaf"):
        return False
    siblings = [path[at : at + 32] for at in range(0, len(path), 32)]
    try:
        verify_path(leaf.encode(), index, siblings, batch.root, batch.leaf_count)
    except (InvalidProof, MalformedInput):
        return must(False, "WrongPath")
    return True


def _is_true(ledger: Ledger, given: Given, must: Demands, batch: Batch) -> bool:
    """Whether the leaf that is shown holds; breached demands say what is wrong with the showing."""
    key, told = ledger.read(given["key"], Key), given.arguments
    count = told["n_inputs"]
    if not must(len(given.tail) >= 32 * count, "WrongInputCount"):
        return False
    inputs, path = words_of(given.tail[: 32 * count]), given.tail[32 * count :]
    leaf = Leaf(
        request_id=told["request"],
        verifying_key_digest=key.digest,
        public_inputs_digest=digest_public_inputs(inputs),
        proof_digest=digest_of(told["proof"]),
        prover=told["prover"],
        price_lamports=told["price"],
    )
    is_there = _is_under(must, batch, leaf, told["leaf"], path)
    return is_there and count == key.n_public and breaches(key.digest, inputs, told["proof"])[0]


def _state(batch: Batch, leaf: int) -> int:
    return batch.leaves[leaf] if leaf < batch.leaf_count else LEAF_UNPAID


def _void(ledger: Ledger, batch: Batch, leaf: int) -> int:
    """The leaf is worth nothing and its bond is lost; returns what of it is the harmed party's."""
    prover = ledger.read(batch.committer, Prover)
    batch.locked -= batch.leaf_bond
    batch.leaves[leaf] = LEAF_VOID
    prover.false_leaves += 1
    return slash(ledger, prover, batch.leaf_bond)


@rule(CHALLENGE_LEAF)
def challenge_leaf(ledger: Ledger, given: Given, must: Demands) -> None:
    batch, leaf = ledger.read(given["batch"], Batch), given.arguments["leaf"]
    must(given["committer"] == batch.committer, "WrongCommitter")
    must(ledger.now_s <= batch.challenge_until_s, "ChallengeWindowOver")
    must(not _is_true(ledger, given, must, batch), "LeafIsTrue")
    must(_state(batch, leaf) == LEAF_UNPAID, "LeafSettled")
    ledger.may_pay_out(given, must, given["reward"])
    must.hold()
    ledger.move(ledger.network.vault, given["reward"], _void(ledger, batch, leaf))


@rule(DEMAND_LEAF)
def demand_leaf(ledger: Ledger, given: Given, must: Demands) -> None:
    batch, leaf, rules = ledger.read(given["batch"], Batch), given.arguments["leaf"], ledger.network.rules
    must(leaf < batch.leaf_count, "NoSuchLeaf")
    must(_state(batch, leaf) == LEAF_UNPAID, "LeafSettled")
    must(ledger.now_s <= batch.challenge_until_s, "ChallengeWindowOver")
    canonical, bump = ledger.find(b"demand", given["batch"], leaf.to_bytes(4, "little"))
    must(given["demand"] == canonical, "WrongDemandAddress")
    ledger.may_pay_in(given, must, given["source"], given["demander"], rules.demand_bond)
    must.hold()
    demand = Demand(
        batch=given["batch"],
        demander=given["demander"],
        refund_to=given["source"],
        bond=rules.demand_bond,
        answer_until_s=ledger.now_s + rules.reveal_window_s,
        leaf=leaf,
        bump=bump,
    )
    ledger.make(canonical, demand, given["demander"])
    batch.leaves[leaf] = LEAF_DEMANDED
    batch.open_demands += 1
    ledger.move(given["source"], ledger.network.vault, demand.bond)


def _is_demand(ledger: Ledger, given: Given, must: Demands) -> tuple[Batch, Demand]:
    batch, demand = ledger.read(given["batch"], Batch), ledger.read(given["demand"], Demand)
    must(given["committer"] == batch.committer, "WrongCommitter")
    must(demand.batch == given["batch"], "WrongDemandAccount")
    must(given["demander"] == demand.demander, "WrongDemander")
    return batch, demand


def _is_pending(ledger: Ledger, demand: Demand) -> bool:
    """Not yet answered nor void; the demand of a void leaf holds a refund that could not be received."""
    return ledger.read(demand.batch, Batch).leaves[demand.leaf] == LEAF_DEMANDED


@rule(ANSWER_LEAF)
def answer_leaf(ledger: Ledger, given: Given, must: Demands) -> None:
    batch, demand = _is_demand(ledger, given, must)
    must(demand.leaf == given.arguments["leaf"], "WrongDemandAccount")
    must(_is_pending(ledger, demand), "LeafSettled")
    must(_is_true(ledger, given, must, batch), "InvalidProof")
    must.hold()
    ledger.read(batch.committer, Prover).earned += demand.bond
    batch.leaves[demand.leaf] = LEAF_UNPAID
    batch.open_demands -= 1
    ledger.close(given["demand"], demand.demander)


@rule(VOID_LEAF)
def void_leaf(ledger: Ledger, given: Given, must: Demands) -> None:
    batch, demand = _is_demand(ledger, given, must)
    must(given["refund_to"] == demand.refund_to, "WrongTokenAccount")
    must(ledger.now_s > demand.answer_until_s, "NotYetMissed")
    is_pending, is_paid = _is_pending(ledger, demand), ledger.may_receive(given["refund_to"])
    if is_paid or not is_pending:
        ledger.may_pay_out(given, must, given["refund_to"])
    must.hold()
    if is_pending:
        demand.bond += _void(ledger, batch, demand.leaf)
        batch.open_demands -= 1
    if is_paid:
        ledger.move(ledger.network.vault, demand.refund_to, demand.bond)
        ledger.close(given["demand"], demand.demander)


@rule(CLAIM_LEAF)
def claim_leaf(ledger: Ledger, given: Given, must: Demands) -> None:
    batch, request = ledger.read(given["batch"], Batch), ledger.read(given["request"], Request)
    leaf = given.arguments["leaf"]
    must(request.state == ASSIGNED, "RequestNotAssigned")
    must(not request.direct_only, "DirectOnly")
    must(given["prover"] == request.prover, "NotAssignedProver")
    may_use(ledger, must, given["permission"], request.key, DENY_BATCHES)
    must(ledger.now_s > batch.challenge_until_s, "ChallengeWindowOpen")
    must(request.assigned_s <= batch.unix_time_s <= request.expire_s, "TooLate")
    committed = Leaf(
        request_id=given["request"],
        verifying_key_digest=request.key,
        public_inputs_digest=request.inputs,
        proof_digest=given.arguments["proof_digest"],
        prover=request.prover,
        price_lamports=request.price,
    )
    _is_under(must, batch, committed, leaf, given.tail)
    must(_state(batch, leaf) == LEAF_UNPAID, "LeafSettled")
    may_refund(ledger, given, must, request)
    must.hold()
    is_late = batch.unix_time_s > request.pay_until_s
    batch.leaves[leaf] = LEAF_PAID
    settle(ledger, request, request.price * request.late_bps // BASIS_POINTS if is_late else request.price)


@rule(RELEASE_BATCH)
def release_batch(ledger: Ledger, given: Given, must: Demands) -> None:
    batch = ledger.read(given["batch"], Batch)
    must(given["committer"] == batch.committer, "WrongCommitter")
    must(ledger.now_s > batch.challenge_until_s, "ChallengeWindowOpen")
    must(batch.open_demands == 0, "DemandsOpen")
    must(batch.locked > 0, "NothingLocked")
    must.hold()
    ledger.read(batch.committer, Prover).locked -= batch.locked
    batch.locked = 0
