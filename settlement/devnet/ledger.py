"""One machine seen as a cluster: slots that pass, blockhashes that expire, transactions that land once.

Time is lazy: nothing runs in the background, each call first lets the slots pass that are due. A transaction lands
in the slot in which it arrives, is confirmed at once and final 32 slots later; nothing is ever rolled back.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from solders.transaction_status import TransactionErrorFieldless, TransactionErrorInstructionError

from proofgrid.settlement.devnet.journal import Journal
from proofgrid.settlement.devnet.landed import Details, Landed
from proofgrid.settlement.devnet.machine import strict_svm
from proofgrid.settlement.devnet.values import error_form

BLOCKHASH_LIFETIME_SLOTS = 150
FINAL_AFTER_SLOTS = 32
SLOT_S = 0.4
SLOTS_PER_EPOCH = 432_000


class Refused(Exception):
    """A transaction that the cluster would not take: ``error`` is the runtime's, with the logs of its simulation."""

    def __init__(self, error: object, logs: list[str] | None = None, units: int = 0) -> None:
        super().__init__(str(error))
        self.error, self.logs, self.units = error, logs or [], units


class Ledger:
    """The state of the devnet. Not safe for use by two threads at once."""

    def __init__(
        self,
        *,
        programs: Mapping[Pubkey, bytes] | None = None,
        state_file: Path | None = None,
        slot_s: float = SLOT_S,
    ) -> None:
        self.svm: LiteSVM = strict_svm(blockhash_check=False)  # blockhashes are checked here, with their lifetime
        self._first_slot = self.svm.get_clock().slot
        self._landed: dict[str, Landed] = {}
        self._by_address: dict[str, list[str]] = defaultdict(list)
        self._journal = Journal(state_file) if state_file else None
        if self._journal:
            last_slot, remembered = self._journal.restore(self.svm)
            self._first_slot = max(self._first_slot, last_slot + 1)
            for landed in remembered:
                self._remember(landed)
        self.genesis = Hash(bytes.fromhex(self._journal.genesis) if self._journal else secrets.token_bytes(32))
        self.slot = self._first_slot
        self._slot_s = slot_s
        self._origin = time.monotonic()
        self._skipped = 0
        self._blockhashes: dict[Hash, int] = {}
        for program_id, program in (programs or {}).items():
            self.svm.add_program(program_id, program)
        self._enter(self.slot)

    # Time

    @property
    def block_height(self) -> int:
        """Every slot has a block here; heights start at zero with this run."""
        return self.slot - self._first_slot

    def tick(self) -> None:
        """Let the slots pass that are due."""
        due = self._first_slot + self._skipped + int((time.monotonic() - self._origin) / self._slot_s)
        if due > self.slot:
            self._enter(due)

    def skip(self, slots: int) -> None:
        """Let this many slots pass now."""
        self._skipped += slots
        self.tick()

    def _enter(self, slot: int) -> None:
        self.slot = slot
        epoch = slot // SLOTS_PER_EPOCH
        self.svm.set_clock(Clock(slot, 0, epoch, epoch + 1, int(time.time())))
        self.svm.expire_blockhash()
        self._blockhashes[Hash(secrets.token_bytes(32))] = slot
        expired = [known for known, issued in self._blockhashes.items() if slot - issued > BLOCKHASH_LIFETIME_SLOTS]
        for blockhash in expired:
            del self._blockhashes[blockhash]

    def latest_blockhash(self) -> tuple[Hash, int]:
        """The newest blockhash and the last block height at which it is valid."""
        blockhash, issued = next(reversed(self._blockhashes.items()))
        return blockhash, issued - self._first_slot + BLOCKHASH_LIFETIME_SLOTS

    def is_valid_blockhash(self, blockhash: Hash) -> bool:
        return blockhash in self._blockhashes

    # Transactions

    def simulate(self, transaction: VersionedTransaction, *, sig_verify: bool) -> TransactionMetadata:
        """What the transaction would do; raises Refused with its error. Blockhashes are the caller's to check."""
        self.svm.with_sigverify(sig_verify)
        try:
            result = self.svm.simulate_transaction(transaction)
        finally:
            self.svm.with_sigverify(True)
        if isinstance(result, FailedTransactionMetadata):
            meta = result.meta()
            raise Refused(result.err(), meta.logs(), meta.compute_units_consumed())
        return result.meta()

    def check(self, transaction: VersionedTransaction) -> None:
        """Raises Refused for a transaction that cannot land: its blockhash is unknown or expired, or it has landed."""
        if str(transaction.signatures[0]) in self._landed:
            raise Refused(TransactionErrorFieldless.AlreadyProcessed)
        if not self.is_valid_blockhash(transaction.message.recent_blockhash):
            raise Refused(TransactionErrorFieldless.BlockhashNotFound)

    def execute(self, transaction: VersionedTransaction) -> None:
        """Land the transaction, or raise Refused. One that fails in an instruction lands and pays its fee."""
        self.check(transaction)
        keys = transaction.message.account_keys
        before = [self.svm.get_balance(key) or 0 for key in keys]
        result = self.svm.send_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            if not isinstance(result.err(), TransactionErrorInstructionError):
                raise Refused(result.err(), result.meta().logs())
            self._land(transaction, result.meta(), result.err(), before)
        else:
            self._land(transaction, result, None, before)

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Lamports from nowhere; raises Refused when the faucet is empty."""
        self.svm.expire_blockhash()  # two equal airdrops are two transactions
        result = self.svm.airdrop(address, lamports)
        if isinstance(result, FailedTransactionMetadata):
            raise Refused(result.err(), result.meta().logs())
        faucet = self.svm.airdrop_pubkey()
        message = MessageV0.try_compile(faucet, [], [], self.svm.latest_blockhash())
        landed = VersionedTransaction.populate(message, [result.signature()])
        self._land(landed, result, None, [self.svm.get_balance(faucet) or 0], also=(address,))
        return result.signature()

    def _land(
        self,
        transaction: VersionedTransaction,
        meta: TransactionMetadata,
        error: object | None,
        before: list[int],
        also: Iterable[Pubkey] = (),
    ) -> None:
        message = transaction.message
        keys = message.account_keys
        after = [self.svm.get_balance(key) or 0 for key in keys]
        landed = Landed(
            signature=str(transaction.signatures[0]),
            slot=self.slot,
            unix_time_s=int(time.time()),
            error=error_form(error),
            addresses=tuple(str(key) for key in (*keys, *also)),
            details=Details(transaction, meta, tuple(zip(before, after, strict=True))),
        )
        self._remember(landed)
        if self._journal:
            accounts = {key: self.svm.get_account(key) for key in (*_written(transaction), *also)}
            self._journal.append(accounts, landed)

    def _remember(self, landed: Landed) -> None:
        self._landed[landed.signature] = landed
        for address in landed.addresses:
            self._by_address[address].append(landed.signature)

    # Reading

    def landed(self, signature: str) -> Landed | None:
        return self._landed.get(signature)

    def signatures_of(self, address: str) -> list[Landed]:
        """The transactions that name the address, newest first."""
        return [self._landed[signature] for signature in reversed(self._by_address.get(address, []))]

    def is_final(self, landed: Landed) -> bool:
        return self.slot - landed.slot >= FINAL_AFTER_SLOTS

    def account(self, address: Pubkey) -> Account | None:
        """The account, if it has lamports."""
        account = self.svm.get_account(address)
        return account if account is not None and account.lamports else None

    @property
    def transaction_count(self) -> int:
        return len(self._landed)


def _written(transaction: VersionedTransaction) -> list[Pubkey]:
    """The accounts that the transaction may write: the writable signers and the writable others."""
    header, keys = transaction.message.header, transaction.message.account_keys
    signers = header.num_required_signatures
    signed = keys[: signers - header.num_readonly_signed_accounts]
    return [*signed, *keys[signers : len(keys) - header.num_readonly_unsigned_accounts]]
