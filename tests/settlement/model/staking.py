"""What may be done with stakes, earnings, fees and votes."""

from proofgrid.settlement.layout.config import BURN, COLLECT_FEES, MAX_FEE_BPS, MAX_WINDOW_S, SET_PAUSED
from proofgrid.settlement.layout.config import PARAMETERS as PARAMETERS_LAYOUT
from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    EXECUTE,
    PERMISSION,
    PROPOSE,
    ROLES,
    VOTE,
)
from proofgrid.settlement.layout.provers import (
    COLLECT_EARNINGS,
    DEPOSIT_STAKE,
    REGISTER_PROVER,
    REQUEST_EXIT,
    UPDATE_PROVER,
    WITHDRAW_STAKE,
)
from tests.settlement.model.cast import CAST
from tests.settlement.model.ledger import MOST
from tests.settlement.model.play import Play
from tests.settlement.model.proofs import KEYS
from tests.settlement.model.records import Position, Proposal, Prover
from tests.settlement.model.scene import Reader, Scene


def set_paused(scene: Scene, read: Reader) -> Play:
    paused = read.mostly(1 - scene.ledger.network.paused, 2)
    return scene.play(SET_PAUSED, {"guardian": scene.ledger.network.guardian}, {"paused": paused})


def collect_fees(scene: Scene, read: Reader) -> Play:
    return scene.play(COLLECT_FEES, {})


def burn(scene: Scene, read: Reader) -> Play:
    return scene.play(BURN, {})


def register_prover(scene: Scene, read: Reader) -> Play:
    unborn = [who for who in range(3) if scene.place(b"prover", CAST.owners[who]) not in scene.ledger.records]
    who = read.mostly(read.pick(unborn or [0]), 0, 1)
    owner, signer = CAST.owners[who], CAST.hot[who]
    places = {"owner": owner, "prover": scene.place(b"prover", owner), "payout": _payout(scene, read, owner)}
    bps = read.mostly(read.pick((1_000, 0, 10_000)), 10_001)
    return scene.play(REGISTER_PROVER, places, {"pool_bps": bps, "signer": read.mostly(signer, owner)})


def update_prover(scene: Scene, read: Reader) -> Play:
    who = read.below(2)
    owner = CAST.owners[who]
    places = {"owner": owner, "prover": scene.place(b"prover", owner), "payout": _payout(scene, read, owner)}
    return scene.play(UPDATE_PROVER, places, {"signer": read.mostly(read.pick((CAST.hot[who], CAST.spare)), owner)})


def _registered(scene: Scene, read: Reader) -> bytes:
    """The owner of a prover, seldom one that has none yet."""
    owners = [owner for owner in CAST.owners if scene.place(b"prover", owner) in scene.ledger.records]
    return read.mostly(read.pick(owners), CAST.owners[2])


def _payout(scene: Scene, read: Reader, owner: bytes) -> bytes:
    foreign = CAST.purse(CAST.requesters[0], "foreign")
    return read.mostly(CAST.purse(owner), CAST.purse(CAST.stranger), scene.ledger.network.vault, foreign)


def deposit_stake(scene: Scene, read: Reader) -> Play:
    if scene.ledger.network.paused and not read.seldom(3):
        return set_paused(scene, read)
    owner = _registered(scene, read)
    staker = read.pick((owner, owner, *CAST.stakers))
    purse, prover = CAST.purse(staker), scene.place(b"prover", owner)
    record, least = scene.ledger.records.get(prover), scene.ledger.network.rules.min_stake
    missing = max(0, least - record.active) if isinstance(record, Prover) else least
    amount = scene.amount(read, 4 * least, least, missing, 300, 7, scene.balance(purse))
    return scene.play(DEPOSIT_STAKE, _position(scene, prover, staker) | {"source": purse}, {"amount": amount})


def _position(scene: Scene, prover: bytes, staker: bytes) -> dict[str, bytes]:
    return {"staker": staker, "prover": prover, "position": scene.place(b"position", prover, staker)}


def request_exit(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Position, lambda position: position.shares > 0)
    if found is None:
        return None
    _, position = found
    shares = scene.amount(read, position.shares, position.shares // 2, position.shares // 9, 1)
    return scene.play(REQUEST_EXIT, _position(scene, position.prover, position.staker), {"shares": shares})


def withdraw_stake(scene: Scene, read: Reader) -> Play | None:
    now_s = scene.ledger.now_s
    found = scene.target(read, Position, lambda position: position.exiting_shares > 0 and position.exit_from_s <= now_s)
    if found is None:
        return None
    _, position = found
    own = CAST.purse(position.staker)
    places = _position(scene, position.prover, position.staker)
    destination = read.mostly(own, CAST.purse(CAST.stranger), scene.ledger.network.vault)
    return scene.play(WITHDRAW_STAKE, places | {"destination": destination})


def collect_earnings(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Prover, lambda prover: prover.earned > 0)
    if found is None:
        return None
    payout = read.mostly(found[1].payout, CAST.purse(CAST.stranger))
    return scene.play(COLLECT_EARNINGS, {"prover": found[0], "payout": payout})


def propose(scene: Scene, read: Reader) -> Play:
    owner, network = _registered(scene, read), scene.ledger.network
    number = network.next_proposal + read.mostly(0, 1)
    kind = read.mostly(read.pick((CHANGE_PARAMETERS, CHANGE_PARAMETERS, CHANGE_PERMISSION, CHANGE_ROLES)), 4)
    change = {
        CHANGE_PARAMETERS: _parameters(scene, read),
        CHANGE_PERMISSION: PERMISSION.encode(
            {"digest": KEYS[read.seldom(4)].digest, "denied": read.mostly(3 - read.below(4), 4)}
        ),
        CHANGE_ROLES: ROLES.encode(
            {
                "guardian": read.pick((CAST.guardian, CAST.stranger)),
                "treasury": read.mostly(read.pick((CAST.other_treasury, CAST.treasury)), network.vault, CAST.stranger),
            }
        ),
    }.get(kind, bytes(64))
    places = {
        "owner": owner,
        "prover": scene.place(b"prover", owner),
        "proposal": scene.place(b"proposal", number.to_bytes(8, "little")),
    }
    return scene.play(PROPOSE, places, {"kind": kind, "change": change})


def _parameters(scene: Scene, read: Reader) -> bytes:
    """The parameters of now, but for one or two."""
    rules = vars(scene.ledger.network.rules)
    allowed: tuple[dict[str, int], ...] = (
        {"leaf_bond": 25, "demand_bond": 45},
        {"fee_bps": 0},
        {"fee_bps": MAX_FEE_BPS, "job_bond_bps": 0},
        {"burn_bps": 9_000, "job_bond": 33},
        {"min_stake": 500, "leaf_bond": 5},
        {"min_stake": 499},
        {"min_stake": 3_000, "job_bond_bps": 10_000},
        {"challenge_window_s": 50, "reveal_window_s": 500},
        {"reveal_window_s": 24, "exit_window_s": 900},
        {"exit_window_s": 700, "quorum_bps": 7_000},
        {"leaf_bond": MOST, "demand_bond": MOST},
    )
    beyond: tuple[dict[str, int], ...] = (
        {"fee_bps": MAX_FEE_BPS + 1},
        {"burn_bps": 1_999},
        {"exit_window_s": 349},
        {"claim_window_s": MAX_WINDOW_S + 1},
        {"demand_bond": 0},
    )
    return PARAMETERS_LAYOUT.encode(rules | read.mostly(read.pick(allowed), *beyond))


def vote(scene: Scene, read: Reader) -> Play | None:
    ledger = scene.ledger
    found = scene.target(read, Proposal, lambda proposal: ledger.now_s < proposal.vote_until_s)
    if found is None:
        return propose(scene, read)
    address, _ = found
    owner = _registered(scene, read)
    prover = scene.place(b"prover", owner)
    places = {"owner": owner, "prover": prover, "proposal": address, "vote": scene.place(b"vote", address, prover)}
    return scene.play(VOTE, places, {"in_favour": read.mostly(1, 0, 2)})


def execute(scene: Scene, read: Reader) -> Play | None:
    ledger = scene.ledger

    def is_due(proposal: Proposal) -> bool:
        return not proposal.executed and proposal.execute_from_s <= ledger.now_s < proposal.execute_until_s

    found = scene.target(read, Proposal, is_due)
    if found is None:
        return propose(scene, read)
    address, proposal = found
    subject = ledger.config
    if proposal.kind == CHANGE_PERMISSION:
        subject = scene.place(b"permission", proposal.change[:32])
    if proposal.kind == CHANGE_ROLES:
        subject = proposal.change[32:]
    return scene.play(EXECUTE, {"payer": CAST.stranger, "proposal": address, "subject": subject})
