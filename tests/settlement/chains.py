"""A machine with the program and a payer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import FeatureSet, LiteSVM
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from proofgrid.errors import ProgramRefused
from proofgrid.settlement.addresses import key_address
from proofgrid.settlement.devnet.machine import strict_svm
from proofgrid.settlement.forms import Layout, Value
from proofgrid.settlement.instructions import keys, uploads
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.transactions import refusal_of, sign
from tests.settlement.instances import Instance

PROGRAM_ID = Pubkey(b"the settlement program in tests.")  # fixed, so that every derived address has the same bump
FEATURES = {"mainnet": lambda: None, "all_features": FeatureSet.all_enabled}


@dataclass
class Chain:
    """A machine with the program and a payer; ``send`` raises ProgramRefused with the refusal's name."""

    svm: LiteSVM
    program_id: Pubkey = PROGRAM_ID
    payer: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([7]) * 32))

    @classmethod
    def under(cls, features: str) -> "Chain":
        """A chain with the committed program, under one of FEATURES."""
        built = cls(strict_svm(FEATURES[features]()))
        built.svm.add_program(built.program_id, program_bytes())
        built.svm.airdrop(built.payer.pubkey(), 10**12)
        return built

    def send(
        self, *batch: Instruction, signers: Sequence[Keypair] = (), compute_units: int = 400_000
    ) -> TransactionMetadata:
        self.svm.expire_blockhash()
        signers = signers or (self.payer,)
        transaction = sign(batch, signers, self.svm.latest_blockhash(), compute_units=compute_units)
        result = self.svm.send_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            raise refusal_of(result.err(), result.meta().logs())
        return result

    def refuses(self, name: str, *batch: Instruction, signers: Sequence[Keypair] = ()) -> None:
        """The batch is refused with this name, and nothing but the fee payer's lamports has changed."""
        watched = {meta.pubkey for one in batch for meta in one.accounts} - {(signers or [self.payer])[0].pubkey()}
        before = {key: self.svm.get_account(key) for key in watched}
        with pytest.raises(ProgramRefused) as refused:
            self.send(*batch, signers=signers)
        assert refused.value.name == name, str(refused.value)
        assert {key: self.svm.get_account(key) for key in watched} == before

    def fund(self, seed: int) -> Keypair:
        keypair = Keypair.from_seed(bytes([seed]) * 32)
        self.svm.airdrop(keypair.pubkey(), 10**10)
        return keypair

    def data(self, address: Pubkey) -> bytes:
        account = self.svm.get_account(address)
        assert account is not None, f"no account at {address}"
        assert account.owner == self.program_id
        return account.data

    def forge(self, address: Pubkey, data: bytes, owner: Pubkey) -> None:
        self.svm.set_account(address, Account(10**9, data, owner))

    def edit(self, address: Pubkey, record: Layout, **values: Value) -> None:
        """Write fields of one of the program's accounts by hand, for what no instruction does in a test's time."""
        data = self.data(address)
        head = record.encode(record.decode(data[: record.size]) | values)
        self.forge(address, head + data[record.size :], self.program_id)

    def upload(self, instance: Instance, *, chunk_size: int = 900) -> Pubkey:
        """Open and fill an upload, not finalised; returns the address the key will have."""
        authority = self.payer.pubkey()
        digest, encoding = instance.digest, instance.encoding
        self.send(uploads.init_upload(self.program_id, authority, digest, len(encoding)))
        for at in range(0, len(encoding), chunk_size):
            chunk = encoding[at : at + chunk_size]
            self.send(uploads.write_upload(self.program_id, authority, digest, at, chunk))
        return key_address(self.program_id, digest)[0]

    def register(self, instance: Instance) -> Pubkey:
        key = self.upload(instance)
        self.send(keys.finalize_key(self.program_id, self.payer.pubkey(), instance.digest))
        return key
