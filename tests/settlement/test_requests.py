"""open, assign, fulfil, demand, slash, close: the escrow pays a true proof in time, once, and nobody else."""

from dataclasses import dataclass, replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import RequestAccount
from proofgrid.settlement.addresses import request_address, vault_address
from proofgrid.settlement.instructions import config, governance, requests
from proofgrid.settlement.instructions.requests import Terms
from proofgrid.settlement.layout.governance import DENY_BATCHES, DENY_REQUESTS
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, FULFILLED, MISSED, OPEN, OPEN_REQUEST
from proofgrid.settlement.transactions import sign
from proofgrid.verifier.receipts import digest_public_inputs
from tests.settlement.conftest import Chain
from tests.settlement.instances import Instance, instance, r
from tests.settlement.network import PARAMETERS, Network, Person
from tests.settlement.test_config import with_account

CAP, PRICE = 1_000, 800
FEE = PRICE // 100
FUNDS = 10_000


@dataclass
class Job:
    """One request, its people and its true proof; every builder is for it unless told otherwise."""

    network: Network
    given: Instance
    requester: Person
    prover: Person
    assigner: Keypair
    terms: Terms
    nonce: int = 7

    @property
    def chain(self) -> Chain:
        return self.network.chain

    @property
    def address(self) -> Pubkey:
        return request_address(self.chain.program_id, self.requester.key, self.nonce)[0]

    @property
    def account(self) -> RequestAccount:
        return RequestAccount.decode(self.chain.data(self.address))

    def open(self, terms: Terms | None = None, refund_to: Pubkey | None = None) -> Instruction:
        return requests.open_request(
            self.chain.program_id,
            self.requester.key,
            self.nonce,
            terms or self.terms,
            source=self.requester.tokens,
            refund_to=refund_to or self.requester.tokens,
        )

    def opened(self, terms: Terms | None = None) -> "Job":
        self.chain.send(self.open(terms), signers=[self.requester.keypair])
        return self

    def assign(self, price: int = PRICE, prover: Person | None = None) -> Instruction:
        prover = prover or self.prover
        return requests.assign_request(
            self.chain.program_id,
            self.address,
            assigner=self.assigner.pubkey(),
            owner=prover.key,
            signer=prover.hot.pubkey(),
            price=price,
        )

    def assigned(self, price: int = PRICE) -> "Job":
        self.opened()
        self.chain.send(self.assign(price), signers=[self.assigner, self.prover.hot])
        return self

    def fulfil(self, given: Instance | None = None, prover: Person | None = None) -> Instruction:
        given = given or self.given
        return requests.fulfil_request(
            self.chain.program_id,
            self.address,
            prover=(prover or self.prover).prover,
            refund_to=self.requester.tokens,
            key_digest=given.digest,
            inputs=given.inputs,
            proof=given.proof,
        )

    def close(self, destination: Pubkey | None = None, *, signed: bool = False) -> Instruction:
        return requests.close_request(
            self.chain.program_id,
            self.requester.key,
            self.address,
            destination or self.requester.tokens,
            signed=signed,
        )

    def slash(self) -> Instruction:
        return requests.slash_missed(
            self.chain.program_id, self.address, prover=self.prover.prover, refund_to=self.requester.tokens
        )

    def demand(self) -> Instruction:
        return requests.demand_reveal(self.chain.program_id, self.requester.key, self.address, self.requester.tokens)

    def demanded(self) -> "Job":
        self.assigned()
        self.chain.send(self.demand(), signers=[self.requester.keypair])
        return self

    def is_gone(self) -> bool:
        return not self.chain.svm.get_balance(self.address)

    def owed(self) -> int:
        """All that the program's accounts say the vault owes."""
        total = self.network.config.fees + self.network.config.burned + self.prover.pool.stake + self.prover.pool.earned
        if self.is_gone():
            return total
        account = self.account
        escrow = account.cap if account.state in (OPEN, ASSIGNED, DEMANDED) else account.refund
        return total + escrow + account.demand_bond


@pytest.fixture
def job(chain: Chain) -> Job:
    network = Network.on(chain)
    given = instance(1)
    chain.register(given)
    assigner = chain.fund(50)
    prover = network.prover(20, 5_000, pool_bps=1_000)
    chain.svm.airdrop(prover.hot.pubkey(), 10**9)
    now = chain.svm.get_clock().unix_timestamp
    terms = Terms(
        key_digest=given.digest,
        inputs=given.inputs,
        cap=CAP,
        pay_until_s=now + 100,
        expire_s=now + 150,
        assigner=assigner.pubkey(),
        late_bps=2_500,
    )
    return Job(network, given, network.person(30, FUNDS), prover, assigner, terms)


# open_request


def test_opening_puts_the_cap_into_escrow(job: Job) -> None:
    result = job.chain.send(job.open(), signers=[job.requester.keypair])
    account = job.account
    assert (account.requester, account.refund_to) == (bytes(job.requester.key), bytes(job.requester.tokens))
    assert (account.key, account.inputs) == (job.given.digest, digest_public_inputs(job.given.inputs))
    assert (account.cap, account.state, account.price, account.prover) == (CAP, OPEN, 0, bytes(32))
    assert (account.pay_until_s, account.expire_s) == (job.terms.pay_until_s, job.terms.expire_s)
    assert (account.late_bps, account.direct_only, account.callback_due) == (2_500, 0, 0)
    assert job.requester.balance == FUNDS - CAP
    assert job.network.vault == job.owed()
    assert result.compute_units_consumed() < 40_000


def test_a_nonce_is_used_once(job: Job) -> None:
    job.opened()
    job.chain.refuses("RequestAlreadyOpen", job.open(), signers=[job.requester.keypair])
    job.nonce += 1
    job.opened()


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        ("AmountTooSmall", {"cap": 0}),
        ("Custom(1)", {"cap": FUNDS + 1}),  # SPL: insufficient funds
        ("ParameterOutOfRange", {"late_bps": 10_001}),
        ("WrongDeadline", {"pay_until_s": 0}),
        ("WrongDeadline", {"expire_s": 99}),
        ("WrongDeadline", {"expire_s": 365 * 24 * 3600 + 1}),
    ],
    ids=str,
)
def test_terms_that_cannot_be_are_refused(job: Job, refusal: str, change: dict[str, int]) -> None:
    now = job.chain.svm.get_clock().unix_timestamp
    change = {name: value + (now if name.endswith("_s") else 0) for name, value in change.items()}
    job.chain.refuses(refusal, job.open(replace(job.terms, **change)), signers=[job.requester.keypair])


def test_nothing_opens_while_the_network_is_stopped(job: Job) -> None:
    stop = config.set_paused(job.chain.program_id, job.network.guardian.pubkey(), paused=True)
    job.chain.send(stop, signers=[job.network.guardian])
    job.chain.refuses("Paused", job.open(), signers=[job.requester.keypair])


def test_a_denied_key_opens_nothing(job: Job) -> None:
    network = job.network
    for number, (denied, allowed) in enumerate(((DENY_REQUESTS, False), (DENY_BATCHES, True))):
        change = governance.propose_permission(job.chain.program_id, job.prover.key, number, job.given.digest, denied)
        ballot = governance.vote(job.chain.program_id, job.prover.key, number, in_favour=True)
        job.chain.send(change, ballot, signers=[job.prover.keypair])
        network.pass_time(360)
        job.chain.send(
            governance.execute(job.chain.program_id, job.chain.payer.pubkey(), number, digest=job.given.digest)
        )
        now = job.chain.svm.get_clock().unix_timestamp
        job.terms = replace(job.terms, pay_until_s=now + 100, expire_s=now + 150)
        if allowed:
            job.opened()
        else:
            job.chain.refuses("KeyDenied", job.open(), signers=[job.requester.keypair])
            elsewhere = with_account(job.open(), 3, Pubkey.new_unique())
            job.chain.refuses("WrongPermissionAddress", elsewhere, signers=[job.requester.keypair])


def test_opening_with_wrong_accounts_is_refused(job: Job) -> None:
    chain, signers = job.chain, [job.requester.keypair]
    honest = job.open()
    chain.refuses("WrongConfigAccount", with_account(honest, 1, job.requester.tokens), signers=signers)
    chain.refuses("WrongKeyAccount", with_account(honest, 2, job.requester.tokens), signers=signers)
    chain.refuses("WrongRequestAddress", with_account(honest, 4, Pubkey.new_unique()), signers=signers)
    chain.refuses("WrongVault", with_account(honest, 6, job.requester.tokens), signers=signers)
    chain.refuses("Custom(4)", with_account(honest, 5, job.prover.tokens), signers=signers)  # SPL: not the owner's
    vault, _ = vault_address(chain.program_id)
    for refund_to in (vault, job.network.mint, job.network.token_account(job.requester.key, mint=Pubkey.new_unique())):
        chain.refuses("WrongTokenAccount", job.open(refund_to=refund_to), signers=signers)
    at = OPEN_REQUEST.arguments.offset("direct_only")
    flagged = Instruction(chain.program_id, honest.data[:at] + b"\2" + honest.data[at + 1 :], honest.accounts)
    chain.refuses("MalformedFlag", flagged, signers=signers)


# assign_request


def test_assigning_locks_the_provers_stake(job: Job) -> None:
    job.opened()
    now = job.chain.svm.get_clock().unix_timestamp
    job.chain.send(job.assign(), signers=[job.assigner, job.prover.hot])
    account = job.account
    assert (account.state, account.price, account.bond) == (ASSIGNED, PRICE, PRICE * 2_000 // 10_000)
    assert account.prover == bytes(job.prover.prover)
    assert account.assigned_s == now
    assert account.settle_until_s == job.terms.expire_s + PARAMETERS.challenge_window_s + PARAMETERS.claim_window_s
    assert job.prover.pool.locked == 160


def test_the_bond_has_a_floor_and_direct_requests_settle_at_once(job: Job) -> None:
    job.terms = replace(job.terms, direct_only=True)
    job.assigned(price=1)
    assert (job.account.bond, job.account.settle_until_s) == (PARAMETERS.job_bond, job.terms.expire_s)


def test_both_sides_must_agree(job: Job) -> None:
    job.opened()
    chain, honest, hot = job.chain, job.assign(), job.prover.hot
    stranger = chain.fund(51)
    chain.refuses("NotAssigner", with_account(honest, 0, stranger.pubkey()), signers=[stranger, hot])
    chain.refuses("NotSigner", with_account(honest, 1, stranger.pubkey()), signers=[job.assigner, stranger])
    chain.refuses("NotSigner", with_account(honest, 1, job.prover.key), signers=[job.assigner, job.prover.keypair])
    for index, signer in ((0, hot), (1, job.assigner)):
        metas = list(honest.accounts)
        metas[index] = AccountMeta(metas[index].pubkey, False, False)
        chain.refuses("MissingSignature", Instruction(chain.program_id, honest.data, metas), signers=[signer])


def test_prices_that_cannot_be_are_refused(job: Job) -> None:
    job.opened()
    signers = [job.assigner, job.prover.hot]
    job.chain.refuses("PriceOverCap", job.assign(CAP + 1), signers=signers)
    job.chain.refuses("AmountTooSmall", job.assign(0), signers=signers)
    job.chain.send(job.assign(CAP), signers=signers)
    assert job.account.price == CAP


def test_a_prover_without_free_stake_is_refused(job: Job) -> None:
    job.opened()
    signers = [job.assigner, job.prover.hot]
    job.network.edit_prover(job.prover, locked=5_000 - 159)
    job.chain.refuses("StakeLocked", job.assign(), signers=signers)
    job.network.edit_prover(job.prover, locked=0, stake=990)
    job.chain.refuses("StakeTooSmall", job.assign(), signers=signers)
    job.network.edit_prover(job.prover, stake=5_000, exiting_shares=4_900_000)
    job.chain.refuses("StakeTooSmall", job.assign(), signers=signers)


def test_assignments_have_their_time(job: Job) -> None:
    job.assigned()
    signers = [job.assigner, job.prover.hot]
    job.chain.refuses("RequestNotOpen", job.assign(), signers=signers)
    job.nonce += 1
    job.opened()
    job.network.pass_time(100)
    job.chain.refuses("TooLate", job.assign(), signers=signers)
    stop = config.set_paused(job.chain.program_id, job.network.guardian.pubkey(), paused=True)
    job.chain.send(stop, signers=[job.network.guardian])
    job.chain.refuses("Paused", job.assign(), signers=signers)


# fulfil_request


def test_a_true_proof_is_paid_and_the_rest_goes_back(job: Job) -> None:
    job.assigned()
    result = job.chain.send(job.fulfil())
    pool, income = job.prover.pool, PRICE - FEE
    assert (job.account.state, job.account.refund, job.account.bond) == (FULFILLED, 0, 0)
    assert (pool.earned, pool.stake, pool.locked, pool.fulfilled) == (income - income // 10, 5_000 + income // 10, 0, 1)
    assert job.network.config.fees == FEE
    assert job.network.config.total_stake == pool.stake
    assert job.requester.balance == FUNDS - PRICE
    assert job.network.vault == job.owed()
    assert result.compute_units_consumed() < 130_000
    job.chain.refuses("RequestNotAssigned", job.fulfil())


@pytest.mark.parametrize("n_public", [4, 8, 16])
def test_more_inputs_fit_a_packet(job: Job, n_public: int) -> None:
    job.given = instance(n_public)
    job.chain.register(job.given)
    job.terms = replace(job.terms, key_digest=job.given.digest, inputs=job.given.inputs)
    job.assigned()
    result = job.chain.send(job.fulfil())
    assert job.account.state == FULFILLED
    if n_public == 4:
        assert result.compute_units_consumed() < 200_000
    else:
        sign([job.fulfil()], [job.chain.payer], job.chain.svm.latest_blockhash())


@pytest.mark.parametrize(("late_s", "pay"), [(0, PRICE), (1, PRICE // 4), (50, PRICE // 4)])
def test_late_proofs_earn_less(job: Job, late_s: int, pay: int) -> None:
    job.assigned()
    job.network.pass_time(100 + late_s)
    job.chain.send(job.fulfil())
    assert job.requester.balance == FUNDS - pay
    assert job.network.vault == job.owed()


def test_after_expiry_nothing_is_paid(job: Job) -> None:
    job.assigned()
    job.network.pass_time(151)
    job.chain.refuses("TooLate", job.fulfil())


def test_false_proofs_are_not_paid(job: Job) -> None:
    job.assigned()
    given = job.given
    job.chain.refuses("InvalidProof", job.fulfil(given.with_points(c=given.a)))
    job.chain.refuses("MalformedProof", job.fulfil(given.with_points(a=(1, 1))))
    other = (given.inputs[0] + 1) % r
    job.chain.refuses("WrongStatement", job.fulfil(replace(given, inputs=(other,))))
    aliased = job.fulfil()
    data = aliased.data[:-32] + (given.inputs[0] + r).to_bytes(32, "big")
    job.chain.refuses("WrongStatement", Instruction(aliased.program_id, data, aliased.accounts))
    job.chain.refuses("WrongInputCount", Instruction(aliased.program_id, aliased.data + bytes(32), aliased.accounts))
    job.chain.refuses("WrongInputCount", Instruction(aliased.program_id, aliased.data[:-1], aliased.accounts))
    foreign = instance(2)
    job.chain.register(foreign)
    job.chain.refuses("WrongStatement", job.fulfil(foreign))


def test_nobody_else_is_paid(job: Job) -> None:
    job.assigned()
    rival = job.network.prover(21, 5_000)
    job.chain.refuses("NotAssignedProver", job.fulfil(prover=rival))
    elsewhere = job.network.token_account(rival.key)
    job.chain.refuses("WrongTokenAccount", with_account(job.fulfil(), 5, elsewhere))
    job.chain.refuses("WrongVault", with_account(job.fulfil(), 4, elsewhere))
    job.chain.refuses("WrongRequestAccount", with_account(job.fulfil(), 2, rival.prover))


def test_an_open_request_is_not_fulfilled(job: Job) -> None:
    job.opened()
    job.chain.refuses("RequestNotAssigned", job.fulfil())


@pytest.mark.parametrize("state", [0, 2])
def test_a_refund_account_that_is_closed_or_frozen_stops_no_payment(job: Job, state: int) -> None:
    job.assigned()
    account = job.chain.svm.get_account(job.requester.tokens)
    assert account is not None
    job.chain.forge(job.requester.tokens, account.data[:108] + bytes([state]) + account.data[109:], account.owner)
    job.chain.send(job.fulfil())
    assert job.prover.pool.earned > 0
    assert job.account.refund == CAP - PRICE
    assert job.network.vault == job.owed()
    job.chain.refuses("WrongTokenAccount", job.close())
    fresh = job.network.token_account(job.requester.key)
    job.chain.send(job.close(fresh, signed=True), signers=[job.requester.keypair])
    assert job.network.balance(fresh) == CAP - PRICE
    assert job.network.vault == job.owed()


# close_request


def test_a_requester_cancels(job: Job) -> None:
    job.opened()
    elsewhere = job.network.token_account(job.requester.key)
    job.chain.send(job.close(elsewhere, signed=True), signers=[job.requester.keypair])
    assert job.network.balance(elsewhere) == CAP
    assert job.is_gone()
    assert job.network.vault == job.owed()


def test_anyone_refunds_what_expired(job: Job) -> None:
    job.opened()
    job.chain.refuses("NotYetExpired", job.close())
    job.network.pass_time(150)
    job.chain.refuses("NotYetExpired", job.close())
    job.network.pass_time(1)
    elsewhere = job.network.token_account(job.prover.key)
    job.chain.refuses("WrongTokenAccount", job.close(elsewhere))
    rent, before = job.chain.svm.get_balance(job.address), job.chain.svm.get_balance(job.requester.key)
    job.chain.send(job.close())
    assert job.requester.balance == FUNDS
    assert job.chain.svm.get_balance(job.requester.key) == (before or 0) + (rent or 0)
    assert job.is_gone()


def test_what_is_assigned_is_not_closed(job: Job) -> None:
    job.assigned()
    job.network.pass_time(10_000)
    job.chain.refuses("RequestNotOver", job.close(signed=True), signers=[job.requester.keypair])
    job.chain.refuses("RequestNotOver", job.close())


def test_demanded_requests_are_not_closed(job: Job) -> None:
    job.demanded()
    job.chain.refuses("RequestNotOver", job.close(signed=True), signers=[job.requester.keypair])


def test_anyone_cleans_up_what_is_over(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil(), job.close())
    assert job.is_gone()
    assert job.requester.balance == FUNDS - PRICE
    # the nonce may be used again
    job.opened()
    assert job.account.state == OPEN


def test_nobody_else_cancels(job: Job) -> None:
    job.opened()
    stranger = job.network.person(31)
    stolen = with_account(job.close(stranger.tokens, signed=True), 0, stranger.key)
    job.chain.refuses("WrongRequester", stolen, signers=[stranger.keypair])
    job.network.pass_time(151)
    job.chain.refuses("WrongRequester", with_account(job.close(), 0, stranger.key))
    job.chain.refuses("WrongVault", with_account(job.close(), 3, stranger.tokens))


# slash_missed


def test_a_missed_deadline_costs_the_bond(job: Job) -> None:
    job.assigned()
    supply = job.network.config.total_stake
    job.network.pass_time(150 + 300)
    job.chain.refuses("NotYetMissed", job.slash())
    job.network.pass_time(1)
    job.chain.send(job.slash())
    pool, burned = job.prover.pool, 160 // 2
    assert (pool.stake, pool.locked, pool.missed) == (5_000 - 160, 0, 1)
    assert job.network.config.burned == burned
    assert job.network.config.total_stake == supply - 160
    assert job.requester.balance == FUNDS + 160 - burned
    assert job.account.state == MISSED
    assert job.network.vault == job.owed()
    job.chain.refuses("RequestNotAssigned", job.slash())
    job.chain.send(job.close())
    assert job.is_gone()


def test_a_fulfilled_request_is_not_slashed(job: Job) -> None:
    job.assigned()
    job.chain.send(job.fulfil())
    job.network.pass_time(1_000)
    job.chain.refuses("RequestNotAssigned", job.slash())


def test_nobody_else_is_slashed(job: Job) -> None:
    job.assigned()
    job.network.pass_time(1_000)
    rival = job.network.prover(21, 5_000)
    job.chain.refuses("NotAssignedProver", with_account(job.slash(), 1, rival.prover))
    elsewhere = job.network.token_account(rival.key)
    job.chain.refuses("WrongTokenAccount", with_account(job.slash(), 4, elsewhere))
    job.chain.refuses("WrongVault", with_account(job.slash(), 3, elsewhere))


def test_stake_on_its_way_out_is_slashed_as_well(job: Job) -> None:
    job.assigned()
    job.chain.send(job.prover.exit(job.prover, 5_000_000), signers=[job.prover.keypair])
    job.network.pass_time(1_000)
    job.chain.refuses("StakeLocked", job.prover.withdraw(job.prover), signers=[job.prover.keypair])
    job.chain.send(job.slash())
    before = job.prover.balance
    job.chain.send(job.prover.withdraw(job.prover), signers=[job.prover.keypair])
    assert job.prover.balance - before == pytest.approx(5_000 - 160, abs=1)


# demand_reveal


def test_an_answered_demand_pays_in_full_and_the_bond(job: Job) -> None:
    job.demanded()
    now = job.chain.svm.get_clock().unix_timestamp
    assert (job.account.state, job.account.demand_bond) == (DEMANDED, PARAMETERS.demand_bond)
    assert job.account.answer_until_s == max(job.terms.expire_s, now + PARAMETERS.reveal_window_s)
    assert job.requester.balance == FUNDS - CAP - PARAMETERS.demand_bond
    job.network.pass_time(150)
    job.chain.send(job.fulfil())
    income = PRICE - FEE
    assert job.prover.pool.earned == income - income // 10 + PARAMETERS.demand_bond
    assert job.requester.balance == FUNDS - PRICE - PARAMETERS.demand_bond
    assert job.network.vault == job.owed()


def test_an_unanswered_demand_costs_the_bond(job: Job) -> None:
    job.assigned()
    job.network.pass_time(140)
    job.chain.send(job.demand(), signers=[job.requester.keypair])
    job.network.pass_time(PARAMETERS.reveal_window_s)
    job.chain.refuses("NotYetMissed", job.slash())
    job.network.pass_time(1)
    job.chain.refuses("TooLate", job.fulfil())
    job.chain.send(job.slash())
    assert job.requester.balance == FUNDS + 80
    assert job.network.vault == job.owed()


def test_demands_have_their_time_and_their_requester(job: Job) -> None:
    job.opened()
    signers = [job.requester.keypair]
    job.chain.refuses("RequestNotAssigned", job.demand(), signers=signers)
    job.chain.send(job.assign(), signers=[job.assigner, job.prover.hot])
    stranger = job.network.person(31, 1_000)
    stolen = with_account(with_account(job.demand(), 0, stranger.key), 3, stranger.tokens)
    job.chain.refuses("WrongRequester", stolen, signers=[stranger.keypair])
    job.chain.refuses("WrongVault", with_account(job.demand(), 4, stranger.tokens), signers=signers)
    job.network.pass_time(451)
    job.chain.refuses("TooLate", job.demand(), signers=signers)


def test_one_demand_is_enough(job: Job) -> None:
    job.demanded()
    job.chain.refuses("RequestNotAssigned", job.demand(), signers=[job.requester.keypair])
