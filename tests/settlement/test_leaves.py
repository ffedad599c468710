"""challenge, demand, answer, void, claim, release, verify_receipt: what a leaf is worth, and what a false one costs."""

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import DemandAccount
from proofgrid.settlement.addresses import demand_address, vault_address
from proofgrid.settlement.instructions import batches, governance
from proofgrid.settlement.layout.batches import LEAF_DEMANDED, LEAF_PAID, LEAF_UNPAID, LEAF_VOID
from proofgrid.settlement.layout.governance import DENY_BATCHES
from proofgrid.settlement.layout.requests import FULFILLED
from proofgrid.settlement.transactions import sign
from tests.settlement.batches import Batch, Entry, proof_digest
from tests.settlement.conftest import Chain
from tests.settlement.instances import OUTSIDE_SUBGROUP, Instance, instance, r
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.test_config import with_account
from tests.settlement.test_requests import CAP, FEE, FUNDS, PRICE, Job, job

__all__ = ["job"]

WINDOW_S, BOND = PARAMETERS.challenge_window_s, PARAMETERS.leaf_bond
TRUE = instance(1)
FALSE = TRUE.with_points(c=TRUE.a)


@pytest.fixture
def network(chain: Chain) -> Network:
    network = Network.on(chain)
    chain.register(TRUE)
    return network


@pytest.fixture
def committer(network: Network) -> Person:
    committer = network.prover(40, 50_000)
    network.chain.svm.airdrop(committer.hot.pubkey(), 10**10)
    return committer


def filled(committer: Person, *lies: Instance, count: int = 5) -> Batch:
    """A committed batch of `count` leaves under one key: the lies first, true ones after them."""
    given = [*lies, *[TRUE] * (count - len(lies))]
    entries = [Entry(one, bytes([i]) * 32, b"p" * 32, key=TRUE.digest) for i, one in enumerate(given)]
    return Batch(committer.network, committer, entries).committed()


def challenge(batch: Batch, index: int, reward: Pubkey, /, **changes: object) -> Instruction:
    leaf = replace(batch.shown(index), **changes)  # type: ignore[arg-type]
    return batches.challenge_leaf(batch.network.chain.program_id, batch.address, batch.committer.prover, leaf, reward)


# challenge_leaf


@pytest.mark.parametrize(
    "lie",
    [
        FALSE,
        TRUE.with_points(a=(1, 1)),
        TRUE.with_points(b=OUTSIDE_SUBGROUP),
        TRUE.with_points(a=(0, 0)),
        replace(TRUE, inputs=((TRUE.inputs[0] + 1) % r,)),
        replace(TRUE, inputs=(TRUE.inputs[0] + r,)),
        replace(TRUE, inputs=()),
        replace(TRUE, inputs=(*TRUE.inputs, 0)),
    ],
    ids=["c", "off curve", "outside subgroup", "infinity", "other input", "aliased input", "no input", "more inputs"],
)
def test_a_false_leaf_is_void_and_costs_its_bond(network: Network, committer: Person, lie: Instance) -> None:
    # Given a batch in which one leaf lies
    batch, challenger = filled(committer, lie), network.person(41)
    before, stake = network.vault, committer.pool.stake
    # When somebody shows it
    result = network.chain.send(challenge(batch, 0, challenger.tokens))
    # Then it is void, the committer slashed, the challenger paid
    pool = committer.pool
    assert (batch.account.state(0), batch.account.state(1)) == (LEAF_VOID, LEAF_UNPAID)
    assert (pool.stake, pool.locked, pool.false_leaves) == (stake - BOND, 4 * BOND, 1)
    assert batch.account.locked == 4 * BOND
    assert challenger.balance == BOND // 2
    assert (network.config.burned, network.config.total_stake) == (BOND // 2, pool.stake)
    assert network.vault == before - BOND // 2
    assert result.compute_units_consumed() < 200_000
    network.chain.refuses("LeafSettled", challenge(batch, 0, challenger.tokens))


def test_a_true_leaf_cannot_be_challenged(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE)
    for index in range(1, 5):
        network.chain.refuses("LeafIsTrue", challenge(batch, index, committer.tokens))


def test_a_leaf_that_is_not_there_cannot_be_challenged(network: Network, committer: Person) -> None:
    """Nothing but what was committed can cost the committer anything."""
    batch, reward = filled(committer, FALSE), committer.tokens
    path = batch.shown(1).path
    for refusal, changes in (
        ("WrongPath", {"proof": FALSE.proof}),
        ("WrongPath", {"price": 6}),
        ("WrongPath", {"request": bytes(32)}),
        ("WrongPath", {"prover": bytes(32)}),
        ("WrongPath", {"inputs": ((5).to_bytes(32, "big"),)}),
        ("WrongPath", {"index": 2}),
        ("NoSuchLeaf", {"index": 5}),
        ("NoSuchLeaf", {"index": 2**32 - 1}),
        ("WrongPath", {"path": path[:-1]}),
        ("WrongPath", {"path": (*path, bytes(32))}),
        ("WrongPath", {"path": ()}),
    ):
        network.chain.refuses(refusal, challenge(batch, 1, reward, **changes))
    honest = challenge(batch, 1, reward)
    cut = Instruction(honest.program_id, honest.data[:-1], honest.accounts)
    network.chain.refuses("WrongPath", cut)
    at = 1
    counted = Instruction(honest.program_id, honest.data[:at] + b"\xff" + honest.data[at + 1 :], honest.accounts)
    network.chain.refuses("WrongInputCount", counted)
    # another key's leaf
    network.chain.register(instance(2))
    network.chain.refuses("WrongPath", challenge(batch, 0, reward, key_digest=instance(2).digest))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 33, 100])
def test_every_place_of_a_tree_can_be_shown(network: Network, committer: Person, count: int) -> None:
    entries = [Entry(FALSE if i % 9 == 0 else TRUE, bytes([i]) * 32, b"p" * 32) for i in range(count)]
    batch = Batch(network, committer, entries).committed()
    for index in sorted({0, count // 2, count - 1}):
        honest = challenge(batch, index, committer.tokens)
        if index % 9:
            network.chain.refuses("LeafIsTrue", honest)
        else:
            network.chain.send(honest)
            assert batch.account.state(index) == LEAF_VOID
    voided = {index for index in (0, count // 2, count - 1) if index % 9 == 0}
    assert [i for i in range(count) if batch.account.state(i)] == sorted(voided)


def test_a_challenge_of_a_thousand_leaves_fits_a_packet(network: Network, committer: Person) -> None:
    lie = instance(4).with_points(c=TRUE.a)
    network.chain.register(lie)
    entries = [
        Entry(lie, bytes(32), b"p" * 32),
        *[Entry(TRUE, i.to_bytes(32, "big"), b"p" * 32) for i in range(1, 1024)],
    ]
    batch = Batch(network, committer, entries)
    result = network.chain.send(batch.commit(), signers=[committer.hot])
    assert result.compute_units_consumed() < 15_000
    honest = challenge(batch, 0, committer.tokens)
    transaction = sign([honest], [network.chain.payer], network.chain.svm.latest_blockhash())
    assert len(bytes(transaction)) <= 1232
    assert network.chain.send(honest).compute_units_consumed() < 200_000


def test_challenges_have_their_time(network: Network, committer: Person) -> None:
    batch = filled(committer, FALSE, FALSE)
    network.pass_time(WINDOW_S)
    network.chain.send(challenge(batch, 0, committer.tokens))
    network.pass_time(1)
    network.chain.refuses("ChallengeWindowOver", challenge(batch, 1, committer.tokens))


def test_challenging_with_wrong_accounts_is_refused(network: Network, committer: Person) -> None:
    chain, batch, other = network.chain, filled(committer, FALSE), network.prover(42, 50_000)
    honest = challenge(batch, 0, committer.tokens)
    chain.refuses("WrongCommitter", with_account(honest, 1, other.prover))
    chain.refuses("WrongBatchAccount", with_account(honest, 2, committer.prover))
    chain.refuses("WrongKeyAccount", with_account(honest, 3, committer.prover))
    chain.refuses("WrongVault", with_account(honest, 4, other.tokens))
    chain.refuses("SameAccountTwice", with_account(honest, 5, vault_address(chain.program_id)[0]))
    chain.refuses("WrongTokenAccount", with_account(honest, 5, committer.prover))


# demand_leaf, answer_leaf, void_leaf


def demand(batch: Batch, index: int, by: Person) -> Instruction:
    return batches.demand_leaf(batch.network.chain.program_id, by.key, batch.address, index, by.tokens)


def answer(batch: Batch, index: int, demander: Person, /, **changes: object) -> Instruction:
    leaf = replace(batch.shown(index), **changes)  # type: ignore[arg-type]
    return batches.answer_leaf(
        batch.network.chain.program_id, batch.address, batch.committer.prover, leaf, demander.key
    )


def void(batch: Batch, index: int, demander: Person) -> Instruction:
    return batches.void_leaf(
        batch.network.chain.program_id,
        batch.address,
        batch.committer.prover,
        index,
        demander=demander.key,
        refund_to=demander.tokens,
    )


def test_an_answered_demand_pays_the_committer(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    at, _ = demand_address(chain.program_id, batch.address, 2)
    record = DemandAccount.decode(chain.data(at))
    assert (record.batch, record.demander, record.leaf) == (bytes(batch.address), bytes(demander.key), 2)
    assert (record.bond, demander.balance) == (PARAMETERS.demand_bond, 100 - PARAMETERS.demand_bond)
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_DEMANDED, 1)
    chain.send(answer(batch, 2, demander))
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_UNPAID, 0)
    assert committer.pool.earned == PARAMETERS.demand_bond
    assert not chain.svm.get_balance(at)
    # and may be demanded again
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])


def test_an_unanswered_demand_voids_the_leaf(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(PARAMETERS.reveal_window_s)
    chain.refuses("NotYetMissed", void(batch, 2, demander))
    network.pass_time(1)
    chain.send(void(batch, 2, demander))
    assert (batch.account.state(2), batch.account.open_demands) == (LEAF_VOID, 0)
    assert demander.balance == 100 + BOND // 2
    assert (committer.pool.stake, committer.pool.false_leaves) == (50_000 - BOND, 1)
    chain.refuses("LeafSettled", demand(batch, 2, demander), signers=[demander.keypair])
    chain.refuses("WrongDemandAccount", void(batch, 2, demander))


def test_a_late_answer_counts_until_the_leaf_is_void(network: Network, committer: Person) -> None:
    batch, demander = filled(committer), network.person(41, 100)
    network.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(10_000)
    network.chain.send(answer(batch, 2, demander))
    assert batch.account.state(2) == LEAF_UNPAID


def test_a_false_leaf_cannot_be_answered(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer, FALSE), network.person(41, 100)
    chain.send(demand(batch, 0, demander), signers=[demander.keypair])
    chain.refuses("InvalidProof", answer(batch, 0, demander))
    chain.refuses("WrongPath", answer(batch, 0, demander, proof=TRUE.proof))
    chain.refuses("WrongDemandAccount", with_account(answer(batch, 1, demander), 3, demand_address(
        chain.program_id, batch.address, 0)[0]))  # fmt: skip
    # nor challenged while it is demanded: it is void when nobody answers
    chain.refuses("LeafSettled", challenge(batch, 0, demander.tokens))


def test_demands_have_their_time_and_place(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    signers = [demander.keypair]
    chain.refuses("NoSuchLeaf", demand(batch, 5, demander), signers=signers)
    chain.refuses(
        "WrongDemandAddress", with_account(demand(batch, 1, demander), 3, Pubkey.new_unique()), signers=signers
    )
    chain.refuses("WrongVault", with_account(demand(batch, 1, demander), 5, demander.tokens), signers=signers)
    network.pass_time(WINDOW_S + 1)
    chain.refuses("ChallengeWindowOver", demand(batch, 1, demander), signers=signers)


def test_a_demand_is_settled_with_whom_it_names(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    thief, other = network.person(43, 100), network.prover(42, 50_000)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    chain.refuses("WrongDemander", with_account(answer(batch, 2, demander), 0, thief.key))
    chain.refuses("WrongCommitter", with_account(answer(batch, 2, demander), 1, other.prover))
    second = filled(committer)
    chain.refuses("WrongDemandAccount", with_account(answer(batch, 2, demander), 2, second.address))
    network.pass_time(51)
    chain.refuses("WrongDemander", with_account(void(batch, 2, demander), 0, thief.key))
    chain.refuses("WrongTokenAccount", with_account(void(batch, 2, demander), 6, thief.tokens))
    chain.refuses("WrongCommitter", with_account(void(batch, 2, demander), 2, other.prover))
    chain.refuses("WrongVault", with_account(void(batch, 2, demander), 5, thief.tokens))


# release_batch


def test_the_stake_is_free_when_the_window_is_over(network: Network, committer: Person) -> None:
    chain, batch = network.chain, filled(committer)
    assert committer.pool.locked == batch.account.locked == 5 * BOND
    release = batches.release_batch(chain.program_id, batch.address, committer.prover)
    network.pass_time(WINDOW_S)
    chain.refuses("ChallengeWindowOpen", release)
    network.pass_time(1)
    other = network.prover(42, 50_000)
    chain.refuses("WrongCommitter", with_account(release, 0, other.prover))
    chain.send(release)
    assert (committer.pool.locked, batch.account.locked) == (0, 0)
    chain.refuses("NothingLocked", release)


def test_open_demands_keep_the_stake(network: Network, committer: Person) -> None:
    chain, batch, demander = network.chain, filled(committer), network.person(41, 100)
    network.pass_time(WINDOW_S)
    chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(1)
    release = batches.release_batch(chain.program_id, batch.address, committer.prover)
    chain.refuses("DemandsOpen", release)
    network.pass_time(50)
    chain.send(void(batch, 2, demander))
    chain.send(release)
    assert committer.pool.locked == 0


# claim_leaf


def claimable(job: Job, committer: Person, **changes: object) -> Batch:
    """The job's leaf and two others in a committed batch."""
    entry = replace(Entry(job.given, bytes(job.address), bytes(job.prover.prover), PRICE), **changes)  # type: ignore[arg-type]
    return Batch(job.network, committer, [entry, *[Entry(TRUE, b"x" * 32, b"p" * 32)] * 2]).committed()


def claim(job: Job, batch: Batch, index: int = 0, **changes: object) -> Instruction:
    values: dict[str, object] = {
        "request": job.address,
        "prover": job.prover.prover,
        "key_digest": job.given.digest,
        "proof_digest": proof_digest(batch.entries[index].given),
        "refund_to": job.requester.tokens,
    }
    path = batch.tree.path(index)
    return batches.claim_leaf(job.chain.program_id, batch.address, index, path, **(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def coordinator(job: Job) -> Person:
    coordinator = job.network.prover(40, 50_000)
    job.chain.svm.airdrop(coordinator.hot.pubkey(), 10**10)
    return coordinator


def test_a_leaf_pays_after_its_window_once(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S)
    job.chain.refuses("ChallengeWindowOpen", claim(job, batch))
    job.network.pass_time(1)
    result = job.chain.send(claim(job, batch))
    income = PRICE - FEE
    assert (job.account.state, batch.account.state(0)) == (FULFILLED, LEAF_PAID)
    assert (job.prover.pool.earned, job.prover.pool.locked) == (income - income // 10, 0)
    assert job.requester.balance == FUNDS - PRICE
    assert job.network.vault == job.owed() + coordinator.pool.stake
    assert result.compute_units_consumed() < 30_000
    job.chain.refuses("RequestNotAssigned", claim(job, batch))


def test_a_leaf_pays_one_request_only(job: Job, coordinator: Person) -> None:
    """A request that was closed and opened again at the same address is another one."""
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(1)
    job.chain.send(job.fulfil(), job.close())
    job.network.pass_time(WINDOW_S)
    now = job.chain.svm.get_clock().unix_timestamp
    job.terms = replace(job.terms, pay_until_s=now + 100, expire_s=now + 150)
    job.assigned()
    job.chain.refuses("TooLate", claim(job, batch))


@pytest.mark.parametrize(("wait_s", "pay"), [(100, PRICE), (101, PRICE // 4), (150, PRICE // 4)])
def test_what_counts_is_when_the_batch_was_committed(job: Job, coordinator: Person, wait_s: int, pay: int) -> None:
    job.assigned()
    job.network.pass_time(wait_s)
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.send(claim(job, batch))
    assert job.requester.balance == FUNDS - pay


def test_a_batch_after_the_deadline_pays_nothing(job: Job, coordinator: Person) -> None:
    job.assigned()
    job.network.pass_time(151)
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("TooLate", claim(job, batch))


@pytest.mark.parametrize(
    "changes",
    [
        {"price": PRICE - 1},
        {"prover": b"p" * 32},
        {"request": b"r" * 32},
        {"given": instance(2)},
        {"given": replace(TRUE, inputs=(5,))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_leaf_of_another_bargain_pays_nothing(job: Job, coordinator: Person, changes: dict[str, object]) -> None:
    job.assigned()
    batch = claimable(job, coordinator, **changes)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("WrongPath", claim(job, batch))


def test_void_and_demanded_leaves_pay_nothing(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch, demander = claimable(job, coordinator, given=FALSE), job.network.person(41, 100)
    other = claimable(job, coordinator)
    job.chain.send(challenge(batch, 0, demander.tokens))
    job.chain.send(demand(other, 0, demander), signers=[demander.keypair])
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("LeafSettled", claim(job, batch))
    job.chain.refuses("LeafSettled", claim(job, other))
    job.chain.send(answer(other, 0, demander))
    job.chain.send(claim(job, other))
    assert job.account.state == FULFILLED


def test_demanded_and_direct_requests_are_not_claimed(job: Job, coordinator: Person) -> None:
    job.demanded()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("RequestNotAssigned", claim(job, batch))
    job.nonce += 1
    now = job.chain.svm.get_clock().unix_timestamp
    job.terms = replace(job.terms, direct_only=True, pay_until_s=now + 100, expire_s=now + 150)
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.refuses("DirectOnly", claim(job, batch))


def test_a_denied_key_claims_nothing(job: Job, coordinator: Person) -> None:
    job.terms = replace(job.terms, pay_until_s=job.terms.pay_until_s + 900, expire_s=job.terms.expire_s + 900)
    job.assigned()
    batch = claimable(job, coordinator)
    change = governance.propose_permission(job.chain.program_id, coordinator.key, 0, job.given.digest, DENY_BATCHES)
    ballot = governance.vote(job.chain.program_id, coordinator.key, 0, in_favour=True)
    job.chain.send(change, ballot, signers=[coordinator.keypair])
    job.network.pass_time(360)
    job.chain.send(governance.execute(job.chain.program_id, job.chain.payer.pubkey(), 0, digest=job.given.digest))
    job.chain.refuses("KeyDenied", claim(job, batch))
    job.chain.refuses("WrongPermissionAddress", with_account(claim(job, batch), 3, job.address))
    # the proof on chain is paid all the same
    job.chain.send(job.fulfil())


def test_claiming_with_wrong_accounts_is_refused(job: Job, coordinator: Person) -> None:
    job.assigned()
    batch = claimable(job, coordinator)
    job.network.pass_time(WINDOW_S + 1)
    chain, honest = job.chain, claim(job, batch)
    chain.refuses("NotAssignedProver", with_account(honest, 1, coordinator.prover))
    chain.refuses("WrongRequestAccount", with_account(honest, 2, coordinator.prover))
    chain.refuses("WrongBatchAccount", with_account(honest, 4, coordinator.prover))
    chain.refuses("WrongVault", with_account(honest, 5, coordinator.tokens))
    chain.refuses("WrongTokenAccount", with_account(honest, 6, coordinator.tokens))
    chain.refuses("WrongPath", claim(job, batch, proof_digest=bytes(32)))
    chain.refuses("WrongPath", Instruction(chain.program_id, honest.data + bytes(32), honest.accounts))


def test_the_cap_minus_the_price_goes_back(job: Job, coordinator: Person) -> None:
    job.assigned(price=1)
    batch = claimable(job, coordinator, price=1)
    job.network.pass_time(WINDOW_S + 1)
    job.chain.send(claim(job, batch))
    assert job.requester.balance == FUNDS - 1
    assert CAP - 1 > 0


# verify_receipt


def test_a_receipt_holds_after_the_window(network: Network, committer: Person) -> None:
    batch = filled(committer)
    network.chain.refuses("ChallengeWindowOpen", batch.receipt(3))
    network.pass_time(WINDOW_S + 1)
    result = network.chain.send(batch.receipt(3))
    assert result.return_data().data == bytes(committer.prover)
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


def test_flags_are_demanded(network: Network, committer: Person) -> None:
    honest = challenge(filled(committer, FALSE), 0, committer.tokens)
    metas = list(honest.accounts)
    metas[2] = AccountMeta(metas[2].pubkey, False, False)
    network.chain.refuses("AccountNotWritable", Instruction(honest.program_id, honest.data, metas))
    network.chain.refuses("MissingAccount", Instruction(honest.program_id, honest.data, honest.accounts[:-1]))
