"""The ledger as one commitment sees it: the state at the end of a slot."""

from dataclasses import dataclass

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import SimulatedTransactionInfo

from proofgrid.settlement.devnet.blockhashes import LIFETIME_SLOTS
from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.values import COMMITMENTS, MIN_CONTEXT_SLOT, Commitment, Json, Params, RpcError


@dataclass(frozen=True)
class Bank:
    """A slot of the ledger; every slot has a block, so that it is also the block height."""

    ledger: Ledger
    commitment: Commitment
    slot: int

    @classmethod
    def at(cls, ledger: Ledger, commitment: Commitment) -> "Bank":
        return cls(ledger, commitment, ledger.slot - ledger.delays.of(commitment))

    @classmethod
    def asked(cls, ledger: Ledger, params: Params, index: int, name: str = "commitment") -> "Bank":
        """The bank that the options at this position ask for; RpcError -32016 while it is not where they want it."""
        bank = cls.at(ledger, params.commitment(index, name))
        wanted = params.option_number(index, "minContextSlot")
        if wanted is not None and bank.slot < wanted:
            data = {"contextSlot": bank.slot}
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", data)
        return bank

    def in_context(self, value: Json) -> Json:
        return {"context": {"slot": self.slot, "apiVersion": "3.0.0"}, "value": value}

    def account(self, address: Pubkey) -> Account | None:
        return self.ledger.account(address, self.slot)

    def accounts_of(self, owner: Pubkey) -> list[tuple[Pubkey, Account]]:
        return self.ledger.accounts_of(owner, self.slot)

    def latest_blockhash(self) -> tuple[Hash, int]:
        """The newest blockhash and the last block height at which it is valid."""
        return self.ledger.blockhashes.of(self.slot), self.slot + LIFETIME_SLOTS

    def is_valid_blockhash(self, blockhash: Hash) -> bool:
        return self.ledger.blockhashes.is_valid(blockhash, self.slot)

    def check(self, transaction: VersionedTransaction) -> None:
        self.ledger.check(transaction, self.slot)

    def simulate(self, transaction: VersionedTransaction, *, sig_verify: bool) -> SimulatedTransactionInfo:
        return self.ledger.simulate(transaction, sig_verify=sig_verify, slot=self.slot)

    def has(self, landed: Landed) -> bool:
        """Whether the transaction has reached this commitment."""
        return COMMITMENTS.index(self.ledger.commitment_of(landed)) >= COMMITMENTS.index(self.commitment)
