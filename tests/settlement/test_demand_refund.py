"""void_leaf: a demander's token account that was closed or frozen keeps nobody's stake locked, and nothing is lost."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import DemandAccount
from proofgrid.settlement.addresses import TOKEN_PROGRAM, demand_address
from proofgrid.settlement.instructions import batches
from proofgrid.settlement.layout.batches import LEAF_VOID
from tests.settlement.batches import Batch, Entry
from tests.settlement.conftest import Chain
from tests.settlement.instances import instance
from tests.settlement.network import PARAMETERS, Network, Person

TRUE = instance(1)
STAKE, FUNDS, BOND, DEMAND_BOND = 50_000, 100, PARAMETERS.leaf_bond, PARAMETERS.demand_bond
REFUND = DEMAND_BOND + BOND - BOND * PARAMETERS.burn_bps // 10_000


class Demanded:
    """A batch of three true leaves, the first of them demanded, and the demander's account as it was before it went."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.network = chain, Network.on(chain)
        chain.register(TRUE)
        self.committer: Person = self.network.prover(40, STAKE)
        chain.svm.airdrop(self.committer.hot.pubkey(), 10**10)
        entries = [Entry(TRUE, bytes([i]) * 32, b"p" * 32) for i in range(3)]
        self.batch = Batch(self.network, self.committer, entries).committed()
        self.demander = self.network.person(41, FUNDS)
        program = chain.program_id
        at, by = self.batch.address, self.demander
        self.chain.send(batches.demand_leaf(program, by.key, at, 0, by.tokens), signers=[by.keypair])
        self.demand = demand_address(program, at, 0)[0]
        self.void = batches.void_leaf(program, at, self.committer.prover, 0, demander=by.key, refund_to=by.tokens)
        self.release = batches.release_batch(program, at, self.committer.prover)
        self.answer = batches.answer_leaf(program, at, self.committer.prover, self.batch.shown(0), by.key)
        self.purse = chain.svm.get_account(by.tokens)

    def lose_purse(self, how: str) -> None:
        assert self.purse is not None
        gone = Account(0, b"", Pubkey.default())
        frozen = Account(self.purse.lamports, _with_state(self.purse.data, 2), TOKEN_PROGRAM)
        self.chain.svm.set_account(self.demander.tokens, gone if how == "closed" else frozen)

    def find_purse(self) -> None:
        assert self.purse is not None
        self.chain.svm.set_account(self.demander.tokens, self.purse)


def _with_state(token_account: bytes, state: int) -> bytes:
    return token_account[:108] + bytes([state]) + token_account[109:]


@pytest.mark.parametrize("how", ["closed", "frozen"])
def test_a_refund_that_cannot_be_received_waits(chain: Chain, how: str) -> None:
    # Given a demand that nobody answered, and whose refund nobody can receive
    demanded = Demanded(chain)
    demanded.lose_purse(how)
    demanded.network.pass_time(PARAMETERS.challenge_window_s + 1)
    chain.refuses("DemandsOpen", demanded.release)
    # When somebody voids the leaf
    chain.send(demanded.void)
    # Then the committer has lost that leaf's bond, and the rest of its stake is free again
    assert demanded.batch.account.state(0) == LEAF_VOID
    assert demanded.batch.account.open_demands == 0
    chain.send(demanded.release)
    pool = demanded.committer.pool
    assert (pool.stake, pool.locked, pool.false_leaves) == (STAKE - BOND, 0, 1)
    # And the refund waits in the demand, once, for an account that can receive it
    assert DemandAccount.decode(chain.data(demanded.demand)).bond == REFUND
    chain.refuses("WrongTokenAccount", demanded.void)
    demanded.find_purse()
    chain.send(demanded.void)
    assert demanded.demander.balance == FUNDS - DEMAND_BOND + REFUND
    assert not chain.svm.get_balance(demanded.demand)
    assert demanded.committer.pool == pool
    chain.refuses("WrongDemandAccount", demanded.void)


def test_a_void_leaf_is_not_answered_while_its_refund_waits(chain: Chain) -> None:
    """The refund is the demander's: no answer brings the leaf back, or the bond to the committer."""
    demanded = Demanded(chain)
    demanded.lose_purse("frozen")
    demanded.network.pass_time(PARAMETERS.reveal_window_s + 1)
    chain.send(demanded.void)
    chain.refuses("LeafSettled", demanded.answer)
    assert demanded.committer.pool.earned == 0
