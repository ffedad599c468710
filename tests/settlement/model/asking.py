"""What may be done with requests."""

from proofgrid.settlement.layout.config import MAX_WINDOW_S
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
from tests.settlement.model.cast import CAST, MEMO
from tests.settlement.model.ledger import MOST
from tests.settlement.model.play import Play
from tests.settlement.model.proofs import FALSE, TRUE, Specimen
from tests.settlement.model.records import NOBODY, Request
from tests.settlement.model.scene import Reader, Scene, able_provers
from tests.settlement.model.staking import set_paused

_ALIASED = FALSE[2]  # a statement that no proof fulfils: its input is not below r


def open_request(scene: Scene, read: Reader) -> Play:
    if scene.ledger.network.paused and not read.seldom(3):
        return set_paused(scene, read)
    requester, now_s = read.pick(CAST.requesters), scene.ledger.now_s
    unused = [nonce for nonce in range(4) if _request(scene, requester, nonce) not in scene.ledger.records]
    nonce = read.mostly(read.pick(unused or [0]), 0, MOST)
    asked = read.pick((TRUE[0], TRUE[0], TRUE[0], TRUE[1], _ALIASED))
    purse = CAST.purse(requester)
    refund_to = read.mostly(
        read.pick((purse, purse, CAST.purse(CAST.requesters[0], "second"))), scene.ledger.network.vault
    )
    pay_until_s = now_s + read.mostly(read.pick((100, 300, 600, 1_000, 1)), 0)
    expire_s = pay_until_s + read.mostly(read.pick((50, 50, 400, 0)), -1, MAX_WINDOW_S)
    arguments = {
        "direct_only": read.mostly(read.pick((0, 0, 0, 0, 1)), 2),
        "late_bps": read.mostly(read.pick((2_500, 0, 10_000, 2_500)), 10_001),
        "callback_units": 0,
        "nonce": nonce,
        "cap": scene.amount(read, 1_000, 1_000, 800, 799, 7, 20_000, scene.balance(purse)),
        "pay_until_s": pay_until_s,
        "expire_s": expire_s,
        "inputs": digest_public_inputs(asked.given.inputs),
        "assigner": CAST.assigner,
        "callback_program": read.pick((NOBODY, MEMO)),
    }
    places = {
        "requester": requester,
        "key": scene.place(b"key", asked.key),
        "permission": scene.place(b"permission", asked.key),
        "request": _request(scene, requester, nonce),
        "source": purse,
        "refund_to": refund_to,
    }
    return scene.play(OPEN_REQUEST, places, arguments)


def _request(scene: Scene, requester: bytes, nonce: int) -> bytes:
    return scene.place(b"request", requester, nonce.to_bytes(8, "little"))


def close_request(scene: Scene, read: Reader) -> Play | None:
    now_s = scene.ledger.now_s

    def is_over(request: Request) -> bool:
        return request.state in (FULFILLED, MISSED) or (request.state == OPEN and now_s > request.expire_s)

    found = scene.target(read, Request, is_over)
    if found is None:
        return None
    address, request = found
    others = (CAST.purse(CAST.stranger), CAST.purse(request.requester), CAST.treasury, CAST.stranger)
    destination = read.pick(others) if read.seldom(4) else request.refund_to
    places = {"requester": request.requester, "request": address, "destination": destination}
    return scene.play(CLOSE_REQUEST, places, signing=read.pick(("", "requester")))


def assign_request(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Request, lambda request: request.state == OPEN)
    if found is None:
        return open_request(scene, read)
    address, request = found
    if scene.ledger.network.paused and not read.seldom(3):
        return set_paused(scene, read)
    prover_at, prover = read.pick(able_provers(scene, read))
    rules = scene.ledger.network.rules
    all_free = max(0, prover.free) * 10_000 // max(1, rules.job_bond_bps)
    price = scene.amount(read, request.cap, request.cap * 4 // 5, request.cap // 3, min(request.cap, all_free), 1)
    places = {"assigner": request.assigner, "signer": prover.signer, "prover": prover_at, "request": address}
    return scene.play(ASSIGN_REQUEST, places, {"price": price})


def specimen_of(request: Request) -> Specimen:
    """The proof that the request asks for, true if there is one."""
    inputs = {digest_public_inputs(one.given.inputs): one for one in (_ALIASED, *TRUE)}
    return inputs[request.inputs]


def fulfil_request(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Request, lambda request: request.state in (ASSIGNED, DEMANDED))
    if found is None:
        return None
    address, request = found
    shown = specimen_of(request) if not read.seldom(6) else read.pick((*TRUE, *FALSE))
    prover = request.prover if request.prover != NOBODY else scene.place(b"prover", CAST.owners[0])
    places = {
        "prover": prover,
        "request": address,
        "key": scene.place(b"key", shown.key),
        "refund_to": request.refund_to,
    }
    return scene.play(FULFIL_REQUEST, places, {"proof": shown.given.proof}, tail=b"".join(shown.inputs))


def call_back(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Request, lambda request: bool(request.callback_due))
    if found is None:
        return None
    return scene.play(CALL_BACK, {"request": found[0], "callback_program": MEMO})


def slash_missed(scene: Scene, read: Reader) -> Play | None:
    now_s = scene.ledger.now_s

    def is_missed(request: Request) -> bool:
        deadlines = {ASSIGNED: request.settle_until_s, DEMANDED: request.answer_until_s}
        return now_s > deadlines.get(request.state, now_s)

    found = scene.target(read, Request, is_missed)
    if found is None:
        return None
    address, request = found
    prover = request.prover if request.prover != NOBODY else scene.place(b"prover", CAST.owners[0])
    return scene.play(SLASH_MISSED, {"prover": prover, "request": address, "refund_to": request.refund_to})


def demand_reveal(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Request, lambda request: request.state == ASSIGNED)
    if found is None:
        return None
    address, request = found
    places = {"requester": request.requester, "request": address, "source": CAST.purse(request.requester)}
    return scene.play(DEMAND_REVEAL, places)
