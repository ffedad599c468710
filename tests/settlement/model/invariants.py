"""What holds of the ledger after every instruction, whatever it was (ADR 5)."""

from collections import Counter

from proofgrid.settlement.layout.batches import LEAF_DEMANDED
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, OPEN
from tests.settlement.model.ledger import Ledger
from tests.settlement.model.records import Batch, Demand, Position, Prover, Request


def owed(ledger: Ledger) -> int:
    """All that the vault owes to somebody, or holds for nobody."""
    total = ledger.network.fees + ledger.network.burned
    total += sum(prover.stake + prover.earned for _, prover in ledger.all(Prover))
    total += sum(demand.bond for _, demand in ledger.all(Demand))
    for _, request in ledger.all(Request):
        escrow = request.cap if request.state in (OPEN, ASSIGNED, DEMANDED) else request.refund
        total += escrow + request.demand_bond
    return total


def check(ledger: Ledger) -> None:
    """Raises AssertionError that says which statement is broken."""
    network = ledger.network
    assert ledger.tokens[network.vault].amount == owed(ledger) + ledger.donated, "the vault holds what it owes"
    of_mint = sum(tokens.amount for tokens in ledger.tokens.values() if tokens.mint == network.mint)
    assert of_mint == ledger.supply, "no token comes or goes but by burning"
    assert network.total_stake == sum(prover.stake for _, prover in ledger.all(Prover)), "the total is the pools' sum"
    _check_pools(ledger)


def _check_pools(ledger: Ledger) -> None:
    locked, shares, exiting, demands = Counter[bytes](), Counter[bytes](), Counter[bytes](), Counter[bytes]()
    for _, request in ledger.all(Request):
        locked[request.prover] += request.bond
    for _, batch in ledger.all(Batch):
        locked[batch.committer] += batch.locked
    for _, position in ledger.all(Position):
        shares[position.prover] += position.shares + position.exiting_shares
        exiting[position.prover] += position.exiting_shares
    for _, demand in ledger.all(Demand):
        demands[demand.batch] += ledger.read(demand.batch, Batch).leaves[demand.leaf] == LEAF_DEMANDED
    for address, prover in ledger.all(Prover):
        assert prover.locked == locked[address], "what is locked is what stands behind leaves and requests"
        assert prover.locked <= prover.stake, "what is locked is there"
        assert prover.shares == shares[address], "a pool's shares are its positions'"
        assert prover.exiting_shares == exiting[address], "and so are those on their way out"
        assert prover.worth(prover.shares) <= prover.stake, "all shares are worth at most the stake"
    for address, batch in ledger.all(Batch):
        assert batch.open_demands == demands[address] == batch.leaves.count(LEAF_DEMANDED), (
            "each demanded leaf has its demand"
        )
