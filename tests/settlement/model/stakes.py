"""The network's stop, fees and burning; provers, the pools behind them and what they earn (ADR 5)."""

from proofgrid.settlement.layout.config import BASIS_POINTS, BURN, COLLECT_FEES, SET_PAUSED
from proofgrid.settlement.layout.provers import (
    COLLECT_EARNINGS,
    DEPOSIT_STAKE,
    REGISTER_PROVER,
    REQUEST_EXIT,
    UPDATE_PROVER,
    WITHDRAW_STAKE,
)
from tests.settlement.model.ledger import Demands, Given, Ledger, rule
from tests.settlement.model.records import Position, Prover


@rule(SET_PAUSED)
def set_paused(ledger: Ledger, given: Given, must: Demands) -> None:
    must(given["guardian"] == ledger.network.guardian, "NotGuardian")
    must(given.arguments["paused"] in (0, 1), "MalformedFlag")
    must.hold()
    ledger.network.paused = given.arguments["paused"]


@rule(COLLECT_FEES)
def collect_fees(ledger: Ledger, given: Given, must: Demands) -> None:
    network = ledger.network
    must(given["treasury"] == network.treasury, "WrongTokenAccount")
    must(network.fees > 0, "NothingToCollect")
    ledger.may_pay_out(given, must, given["treasury"])
    must.hold()
    ledger.move(network.vault, network.treasury, network.fees)
    network.fees = 0


@rule(BURN)
def burn(ledger: Ledger, given: Given, must: Demands) -> None:
    network = ledger.network
    must(given["mint"] == network.mint, "WrongMint")
    must(given["vault"] == network.vault, "WrongVault")
    must(network.burned > 0, "NothingToCollect")
    must.hold()
    ledger.tokens[network.vault].amount -= network.burned
    ledger.supply -= network.burned
    network.burned = 0


@rule(REGISTER_PROVER)
def register_prover(ledger: Ledger, given: Given, must: Demands) -> None:
    owner, address = given["owner"], given["prover"]
    canonical, bump = ledger.find(b"prover", owner)
    must(given.arguments["signer"] != owner, "ColdKeyIsHot")
    must(given.arguments["pool_bps"] <= BASIS_POINTS, "ParameterOutOfRange")
    _may_earn(ledger, given, must)
    if must(address == canonical, "WrongProverAddress"):
        must(ledger.is_free(address), "ProverAlreadyRegistered")
    must.hold()
    named = {"signer": given.arguments["signer"], "pool_bps": given.arguments["pool_bps"]}
    ledger.make(address, Prover(owner=owner, payout=given["payout"], bump=bump, **named), owner)


@rule(UPDATE_PROVER)
def update_prover(ledger: Ledger, given: Given, must: Demands) -> None:
    prover = ledger.read(given["prover"], Prover)
    must(given["owner"] == prover.owner, "NotOwner")
    must(given.arguments["signer"] != given["owner"], "ColdKeyIsHot")
    _may_earn(ledger, given, must)
    must.hold()
    prover.signer, prover.payout = given.arguments["signer"], given["payout"]


def _may_earn(ledger: Ledger, given: Given, must: Demands) -> None:
    payout = given["payout"]
    must(ledger.may_receive(payout) and payout != ledger.network.vault, "WrongTokenAccount")


@rule(DEPOSIT_STAKE)
def deposit_stake(ledger: Ledger, given: Given, must: Demands) -> None:
    network, staker, amount = ledger.network, given["staker"], given.arguments["amount"]
    prover = ledger.read(given["prover"], Prover)
    must(not network.paused, "Paused")
    canonical, bump = ledger.find(b"position", given["prover"], staker)
    is_new = ledger.is_free(given["position"])
    if is_new:
        must(given["position"] == canonical, "WrongPositionAddress")
    else:
        _is_position(ledger, given, must)
    shares = prover.shares_for(amount)
    must(shares > 0, "AmountTooSmall")
    must.all_fit(shares, prover.shares + shares, prover.stake + amount, network.total_stake + amount)
    ledger.may_pay_in(given, must, given["source"], staker, amount)
    must.hold()
    if is_new:
        ledger.make(canonical, Position(prover=given["prover"], staker=staker, bump=bump), staker)
    ledger.read(canonical, Position).shares += shares
    prover.shares += shares
    prover.stake += amount
    network.total_stake += amount
    ledger.move(given["source"], network.vault, amount)


def _is_position(ledger: Ledger, given: Given, must: Demands) -> None:
    """The position is this staker's in this pool."""
    position = ledger.records.get(given["position"])
    if must(isinstance(position, Position), "WrongPositionAccount"):
        assert isinstance(position, Position)
        must(position.prover == given["prover"], "WrongPositionAccount")
        must(position.staker == given["staker"], "NotStaker")


@rule(REQUEST_EXIT)
def request_exit(ledger: Ledger, given: Given, must: Demands) -> None:
    _is_position(ledger, given, must)
    position, shares = ledger.read(given["position"], Position), given.arguments["shares"]
    must(0 < shares <= position.shares, "NotEnoughShares")
    must.hold()
    position.shares -= shares
    position.exiting_shares += shares
    position.exit_from_s = ledger.now_s + ledger.network.rules.exit_window_s
    ledger.read(given["prover"], Prover).exiting_shares += shares


@rule(WITHDRAW_STAKE)
def withdraw_stake(ledger: Ledger, given: Given, must: Demands) -> None:
    _is_position(ledger, given, must)
    prover, position = ledger.read(given["prover"], Prover), ledger.read(given["position"], Position)
    shares = position.exiting_shares
    amount = prover.worth(shares)
    must(shares > 0, "NothingToWithdraw")
    must(ledger.now_s >= position.exit_from_s, "ExitWindowOpen")
    must(prover.stake - amount >= prover.locked, "StakeLocked")
    ledger.may_pay_out(given, must, given["destination"])
    must.hold()
    prover.stake -= amount
    prover.shares -= shares
    prover.exiting_shares -= shares
    ledger.network.total_stake -= amount
    position.exiting_shares = 0
    ledger.move(ledger.network.vault, given["destination"], amount)
    if position.shares == 0:
        ledger.close(given["position"], given["staker"])


@rule(COLLECT_EARNINGS)
def collect_earnings(ledger: Ledger, given: Given, must: Demands) -> None:
    prover = ledger.read(given["prover"], Prover)
    must(given["payout"] == prover.payout, "WrongTokenAccount")
    must(prover.earned > 0, "NothingToCollect")
    ledger.may_pay_out(given, must, given["payout"])
    must.hold()
    ledger.move(ledger.network.vault, prover.payout, prover.earned)
    prover.earned = 0
