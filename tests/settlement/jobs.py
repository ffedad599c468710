"""A job on a network: one request, its people and its true proof."""

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import RequestAccount
from proofgrid.settlement.addresses import (
    request_address,
)
from proofgrid.settlement.instructions import requests
from proofgrid.settlement.instructions.requests import Terms
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, OPEN
from tests.settlement.chains import Chain
from tests.settlement.instances import Instance, instance
from tests.settlement.network import Network, Person

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

    @classmethod
    def on(cls, chain: Chain) -> "Job":
        """A network with a prover, an assigner and a requester who knows what to ask for; nothing is opened."""
        return cls.over(Network.on(chain))

    @classmethod
    def over(cls, network: Network) -> "Job":
        """The same on a network that is there."""
        chain, given = network.chain, instance(1)
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
        return cls(network, given, network.person(30, FUNDS), prover, assigner, terms)

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
