"""Requests: an escrow from its opening to its payment, its refund, or its prover's loss (ADR 5, docs/protocol.md)."""

from proofgrid.settlement.layout.config import BASIS_POINTS, MAX_WINDOW_S
from proofgrid.settlement.layout.governance import DENY_REQUESTS
from proofgrid.settlement.layout.requests import (
    ASSIGN_REQUEST,
    ASSIGNED,
    CALL_BACK,
    CLOSE_REQUEST,
    DEMAND_REVEAL,
    DEMANDED,
    FULFIL_REQUEST,
    FULFILLED,
    MISSED,
    OPEN,
    OPEN_REQUEST,
    SLASH_MISSED,
)
from proofgrid.verifier.receipts import digest_public_inputs
from tests.settlement.model.ledger import Demands, Given, Ledger, rule
from tests.settlement.model.proofs import breaches, words_of
from tests.settlement.model.records import NOBODY, Key, Permission, Prover, Request


def may_use(ledger: Ledger, must: Demands, permission: bytes, key: bytes, use: int) -> None:
    """The stake has not denied this use of the key."""
    canonical, _ = ledger.find(b"permission", key)
    if must(permission == canonical, "WrongPermissionAddress"):
        record = ledger.records.get(canonical)
        must(not isinstance(record, Permission) or not record.denied & use, "KeyDenied")


def may_lock(ledger: Ledger, must: Demands, prover: Prover, amount: int) -> None:
    """Only active stake that nothing else has locked backs new work."""
    must(prover.active >= ledger.network.rules.min_stake, "StakeTooSmall")
    must(prover.free >= amount, "StakeLocked")
    must.all_fit(amount)


def slash(ledger: Ledger, prover: Prover, amount: int) -> int:
    """Locked stake is lost; a part of it is burned, the rest is returned: it is the harmed party's."""
    network = ledger.network
    prover.locked -= amount
    prover.stake -= amount
    network.total_stake -= amount
    burned = amount * network.rules.burn_bps // BASIS_POINTS
    network.burned += burned
    return amount - burned


def settle(ledger: Ledger, request: Request, pay: int) -> None:
    """The prover has done its work: it gets `pay` less the fee and what its pool keeps, and a demand's bond."""
    network, prover = ledger.network, ledger.read(request.prover, Prover)
    fee = pay * network.rules.fee_bps // BASIS_POINTS
    pooled = (pay - fee) * prover.pool_bps // BASIS_POINTS if prover.shares else 0
    network.fees += fee
    network.total_stake += pooled
    prover.stake += pooled
    prover.earned += pay - fee - pooled + request.demand_bond
    prover.locked -= request.bond
    prover.fulfilled += 1
    request.state, request.bond, request.demand_bond = FULFILLED, 0, 0
    request.callback_due = int(request.callback_program != NOBODY)
    request.refund = request.cap - pay
    _refund(ledger, request)


def _refund(ledger: Ledger, request: Request) -> None:
    """To where the request says; what cannot be received there waits."""
    if ledger.may_receive(request.refund_to):
        ledger.move(ledger.network.vault, request.refund_to, request.refund)
        request.refund = 0


def may_refund(ledger: Ledger, given: Given, must: Demands, request: Request) -> None:
    must(given["refund_to"] == request.refund_to, "WrongTokenAccount")
    must(given["vault"] == ledger.network.vault, "WrongVault")


@rule(OPEN_REQUEST)
def open_request(ledger: Ledger, given: Given, must: Demands) -> None:
    network, told, requester = ledger.network, given.arguments, given["requester"]
    key = ledger.read(given["key"], Key)
    must(not network.paused, "Paused")
    must(told["cap"] > 0, "AmountTooSmall")
    must(told["late_bps"] <= BASIS_POINTS, "ParameterOutOfRange")
    must(told["direct_only"] in (0, 1), "MalformedFlag")
    must(ledger.now_s < told["pay_until_s"] <= told["expire_s"] <= ledger.now_s + MAX_WINDOW_S, "WrongDeadline")
    refund_to = given["refund_to"]
    must(ledger.may_receive(refund_to) and refund_to != network.vault, "WrongTokenAccount")
    may_use(ledger, must, given["permission"], key.digest, DENY_REQUESTS)
    canonical, bump = ledger.find(b"request", requester, told["nonce"].to_bytes(8, "little"))
    if must(given["request"] == canonical, "WrongRequestAddress"):
        must(ledger.is_free(canonical), "RequestAlreadyOpen")
    ledger.may_pay_in(given, must, given["source"], requester, told["cap"])
    must.hold()
    _, permission_bump = ledger.find(b"permission", key.digest)
    roles = {"requester": requester, "refund_to": refund_to, "key": key.digest}
    request = Request(state=OPEN, bump=bump, permission_bump=permission_bump, **roles, **told)
    ledger.make(canonical, request, requester)
    ledger.move(given["source"], network.vault, request.cap)


@rule(CLOSE_REQUEST)
def close_request(ledger: Ledger, given: Given, must: Demands) -> None:
    request, destination = ledger.read(given["request"], Request), given["destination"]
    must(given["requester"] == request.requester, "WrongRequester")
    must(request.state not in (ASSIGNED, DEMANDED), "RequestNotOver")
    if given["requester"] not in given.signers:
        must(request.state != OPEN or ledger.now_s > request.expire_s, "NotYetExpired")
        must(not request.callback_due, "CallbackDue")
        must(destination == request.refund_to, "WrongTokenAccount")
    amount = request.cap if request.state == OPEN else request.refund
    if amount > 0:
        ledger.may_pay_out(given, must, destination)
    must.hold()
    if amount > 0:
        ledger.move(ledger.network.vault, destination, amount)
    ledger.close(given["request"], request.requester)


@rule(ASSIGN_REQUEST)
def assign_request(ledger: Ledger, given: Given, must: Demands) -> None:
    rules, price = ledger.network.rules, given.arguments["price"]
    request, prover = ledger.read(given["request"], Request), ledger.read(given["prover"], Prover)
    must(not ledger.network.paused, "Paused")
    must(request.state == OPEN, "RequestNotOpen")
    must(given["assigner"] == request.assigner, "NotAssigner")
    must(given["signer"] == prover.signer, "NotSigner")
    must(price > 0, "AmountTooSmall")
    must(price <= request.cap, "PriceOverCap")
    must(ledger.now_s < request.pay_until_s, "TooLate")
    bond = max(rules.job_bond, price * rules.job_bond_bps // BASIS_POINTS)
    may_lock(ledger, must, prover, bond)
    must.hold()
    prover.locked += bond
    request.state, request.prover, request.price, request.bond = ASSIGNED, given["prover"], price, bond
    request.assigned_s, request.settle_until_s = ledger.now_s, request.expire_s
    if not request.direct_only:
        request.settle_until_s += rules.challenge_window_s + rules.claim_window_s


@rule(FULFIL_REQUEST)
def fulfil_request(ledger: Ledger, given: Given, must: Demands) -> None:
    request, key = ledger.read(given["request"], Request), ledger.read(given["key"], Key)
    if must(request.state in (ASSIGNED, DEMANDED), "RequestNotAssigned"):
        deadline = request.expire_s if request.state == ASSIGNED else request.answer_until_s
        must(ledger.now_s <= deadline, "TooLate")
    must(given["prover"] == request.prover, "NotAssignedProver")
    if must(len(given.tail) == 32 * key.n_public, "WrongInputCount"):
        inputs = words_of(given.tail)
        must(request.key == key.digest and request.inputs == digest_public_inputs(inputs), "WrongStatement")
        must(*breaches(key.digest, inputs, given.arguments["proof"]))
    may_refund(ledger, given, must, request)
    must.hold()
    is_late = request.state == ASSIGNED and ledger.now_s > request.pay_until_s
    settle(ledger, request, request.price * request.late_bps // BASIS_POINTS if is_late else request.price)


@rule(CALL_BACK)
def call_back(ledger: Ledger, given: Given, must: Demands) -> None:
    """The programs that the model's requests name accept every call."""
    request = ledger.read(given["request"], Request)
    must(bool(request.callback_due), "NoCallbackDue")
    must(given["callback_program"] == request.callback_program, "WrongCallbackProgram")
    must.hold()
    request.callback_due = 0


@rule(SLASH_MISSED)
def slash_missed(ledger: Ledger, given: Given, must: Demands) -> None:
    request = ledger.read(given["request"], Request)
    if must(request.state in (ASSIGNED, DEMANDED), "RequestNotAssigned"):
        deadline = request.settle_until_s if request.state == ASSIGNED else request.answer_until_s
        must(ledger.now_s > deadline, "NotYetMissed")
    must(given["prover"] == request.prover, "NotAssignedProver")
    may_refund(ledger, given, must, request)
    must.hold()
    prover = ledger.read(request.prover, Prover)
    request.refund = request.cap + request.demand_bond + slash(ledger, prover, request.bond)
    prover.missed += 1
    request.state, request.bond, request.demand_bond = MISSED, 0, 0
    _refund(ledger, request)


@rule(DEMAND_REVEAL)
def demand_reveal(ledger: Ledger, given: Given, must: Demands) -> None:
    request, rules = ledger.read(given["request"], Request), ledger.network.rules
    must(given["requester"] == request.requester, "WrongRequester")
    if must(request.state == ASSIGNED, "RequestNotAssigned"):
        must(ledger.now_s <= request.settle_until_s, "TooLate")
    ledger.may_pay_in(given, must, given["source"], given["requester"], rules.demand_bond)
    must.hold()
    request.state, request.demand_bond = DEMANDED, rules.demand_bond
    request.answer_until_s = max(request.expire_s, ledger.now_s + rules.reveal_window_s)
    ledger.move(given["source"], ledger.network.vault, rules.demand_bond)
