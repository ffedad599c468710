"""One machine seen as a cluster: slots that pass, blockhashes that expire, transactions that land once.

Time is lazy: nothing runs in the background, each call first lets the slots pass that are due. A transaction lands
in the slot in which it arrives; a fork undoes what landed in the slots that lost, up to what is final. Slots, block
heights (every slot has a block) and the chain's clock only go forward, also over a fork and a restart.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata
from solders.transaction_status import TransactionErrorFieldless, TransactionErrorInstructionError

from proofgrid.settlement.devnet.blockhashes import Blockhashes
from proofgrid.settlement.devnet.faults import Faults, Plan
from proofgrid.settlement.devnet.journal import Journal, Moment
from proofgrid.settlement.devnet.landed import Details, Landed, written_by
from proofgrid.settlement.devnet.machine import missing_program, put_accounts, strict_svm
from proofgrid.settlement.devnet.nonces import advanced, is_spendable, nonce_of
from proofgrid.settlement.devnet.timeline import SLOT_S, Timeline
from proofgrid.settlement.devnet.undo import States, UndoLog
from proofgrid.settlement.devnet.values import Commitment, error_form

SLOTS_PER_EPOCH = 432_000

Result = TypeVar("Result")


@dataclass(frozen=True)
class Delays:
    """After how many slots a transaction is confirmed and final. Mainnet's are about 2 and 32."""

    confirmed: int = 0
    finalized: int = 32

    def of(self, commitment: Commitment) -> int:
        return {"processed": 0, "confirmed": self.confirmed, "finalized": self.finalized}[commitment]


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
        delays: Delays | None = None,
        faults: Plan | None = None,
    ) -> None:
        self.svm: LiteSVM = strict_svm(blockhash_check=False, history=0)  # both are checked here, with their lifetime
        self.delays = delays or Delays()
        self.faults = Faults(faults)
        self.on_change: Callable[[], None] = lambda: None
        """Called when a slot begins, a transaction lands or a fork loses."""
        self._landed: dict[str, Landed] = {}
        self._by_address: dict[str, list[str]] = defaultdict(list)
        self._held: list[tuple[int, VersionedTransaction]] = []
        self._undo = UndoLog()
        self._journal = Journal(state_file) if state_file else None
        first, ahead_s = self.delays.finalized, 0.0  # so that every commitment has a slot from the start
        if self._journal:
            moment, remembered = self._journal.restore(self.svm)
            for landed in remembered:
                self._remember(landed)
            if moment is not None:
                first, ahead_s = max(first, moment.slot_now(slot_s)), moment.ahead_s
        self.genesis = Hash(bytes.fromhex(self._journal.genesis) if self._journal else secrets.token_bytes(32))
        self.time = Timeline(first, slot_s, ahead_s)
        self._first_slot = self.slot = first
        self.blockhashes = Blockhashes(self.genesis, first)
        for program_id, program in (programs or {}).items():
            self.svm.add_program(program_id, program)
        self._enter(self.slot)

    # Time

    def tick(self) -> None:
        """Let the slots pass that are due, with what is due in them."""
        due = self.time.due()
        while self.slot < due:
            has_events = self._held or (self._undo and self.faults.plan.fork.probability)
            self._enter(self.slot + 1 if has_events else due)
            if self._undo and self.faults.strikes("fork", ordinal=self.slot):
                self.fork(self.faults.plan.fork_slots, keep_blockhashes=not self.faults.plan.fork_blockhashes)
            self._release()

    def warp(self, *, slots: int, seconds: float) -> None:
        """Let this much time pass now."""
        self.time.warp(slots, seconds)
        self.tick()
        self._set_clock()
        if self._journal:
            self._journal.append({}, [], self._moment())

    def _enter(self, slot: int) -> None:
        self.slot = slot
        self._set_clock()
        self.svm.expire_blockhash()
        self.blockhashes.enter(slot)
        self._undo.forget(self._root)
        self.on_change()

    def _set_clock(self) -> None:
        epoch = self.slot // SLOTS_PER_EPOCH
        self.svm.set_clock(Clock(self.slot, 0, epoch, epoch + 1, self.time.unix_time_s()))

    def _moment(self) -> Moment:
        return Moment(self.slot, self.time.ahead_s, time.time())

    @property
    def _root(self) -> int:
        """The newest slot that no fork can undo: a final one, or the last before this run."""
        return max(self.slot - self.delays.finalized, self._first_slot - 1)

    # Transactions

    def simulate(self, transaction: VersionedTransaction, *, sig_verify: bool, slot: int) -> SimulatedTransactionInfo:
        """What the transaction would do on the accounts of that slot; raises Refused with its error.

        Blockhashes are the caller's to check, with ``check``. The Clock is always the newest.
        """
        self.svm.with_sigverify(sig_verify)
        try:
            with self._rewound(transaction, slot):
                result = self._run(self.svm.simulate_transaction, transaction)
        finally:
            self.svm.with_sigverify(True)
        if isinstance(result, FailedTransactionMetadata):
            meta = result.meta()
            raise Refused(result.err(), meta.logs(), meta.compute_units_consumed())
        return result

    def check(self, transaction: VersionedTransaction, slot: int) -> None:
        """Raises Refused for a transaction that cannot land: its blockhash is unknown or expired, or it has landed."""
        if str(transaction.signatures[0]) in self._landed:
            raise Refused(TransactionErrorFieldless.AlreadyProcessed)
        if self.blockhashes.is_valid(transaction.message.recent_blockhash, slot):
            return
        nonce = nonce_of(transaction)
        if nonce is None or not is_spendable(transaction, self.account(nonce, slot)):
            raise Refused(TransactionErrorFieldless.BlockhashNotFound)

    def receive(self, transaction: VersionedTransaction) -> None:
        """Land the transaction as far as no fault keeps it from it, or raise Refused."""
        self.check(transaction, self.slot)
        if any(held.signatures[0] == transaction.signatures[0] for _, held in self._held):
            return
        if self.faults.strikes("drop"):
            return
        if self.faults.strikes("late"):
            self._held.append((self.slot + self.faults.plan.late_slots, transaction))
            return
        self._execute(transaction)

    def _release(self) -> None:
        due = [transaction for slot, transaction in self._held if slot <= self.slot]
        self._held = [(slot, transaction) for slot, transaction in self._held if slot > self.slot]
        for transaction in due:
            try:
                self.check(transaction, self.slot)
                self._execute(transaction)
            except Refused:
                continue  # it came too late: never heard of again

    def _execute(self, transaction: VersionedTransaction) -> None:
        """Land the transaction, or raise Refused. One that fails in an instruction lands and pays its fee."""
        keys = transaction.message.account_keys
        before = {key: self.svm.get_account(key) for key in written_by(transaction)}
        balances = [self.svm.get_balance(key) or 0 for key in keys]
        nonce = nonce_of(transaction)
        stored = self.svm.get_account(nonce) if nonce else None
        result = self._run(self.svm.send_transaction, transaction)
        if not isinstance(result, FailedTransactionMetadata):
            self._land(transaction, result, None, before, balances)
            return
        if not isinstance(result.err(), TransactionErrorInstructionError):
            raise Refused(result.err(), result.meta().logs())
        if nonce and stored and is_spendable(transaction, stored):
            self.svm.set_account(nonce, advanced(transaction, stored))
        self._land(transaction, result.meta(), result.err(), before, balances)

    def _run(self, call: Callable[[VersionedTransaction], Result], transaction: VersionedTransaction) -> Result:
        missing = missing_program(self.svm, transaction)
        if missing is not None:
            raise Refused(missing)
        return call(transaction)

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Lamports from nowhere, met by no fault but a fork; raises Refused when the faucet is empty."""
        self.svm.expire_blockhash()  # two equal airdrops are two transactions
        faucet = self.svm.airdrop_pubkey()
        before = {key: self.svm.get_account(key) for key in (faucet, address)}
        balance = self.svm.get_balance(faucet) or 0
        result = self.svm.airdrop(address, lamports)
        if isinstance(result, FailedTransactionMetadata):
            raise Refused(result.err(), result.meta().logs())
        message = MessageV0.try_compile(faucet, [], [], self.svm.latest_blockhash())
        landed = VersionedTransaction.populate(message, [result.signature()])
        self._land(landed, result, None, before, [balance], also=(address,))
        return result.signature()

    def _land(
        self,
        transaction: VersionedTransaction,
        meta: TransactionMetadata,
        error: object | None,
        before: States,
        balances: list[int],
        also: Iterable[Pubkey] = (),
    ) -> None:
        keys = transaction.message.account_keys
        after = [self.svm.get_balance(key) or 0 for key in keys]
        landed = Landed(
            signature=str(transaction.signatures[0]),
            slot=self.slot,
            unix_time_s=self.time.unix_time_s(),
            error=error_form(error),
            addresses=tuple(str(key) for key in (*keys, *also)),
            details=Details(transaction, meta, tuple(zip(balances, after, strict=True))),
            unseen_until=self.slot + self.faults.plan.late_slots if self.faults.strikes("unseen") else 0,
        )
        self._undo.record(self.slot, before)
        self._remember(landed)
        if self._journal:
            self._journal.append({key: self.svm.get_account(key) for key in before}, [landed], self._moment())
        self.on_change()

    def _remember(self, landed: Landed) -> None:
        self._landed[landed.signature] = landed
        for address in landed.addresses:
            self._by_address[address].append(landed.signature)

    # Forks

    def fork(self, slots: int, *, keep_blockhashes: bool = True) -> list[str]:
        """Undo what landed in the last ``slots`` slots, this one included, but nothing final; returns the signatures.

        Accounts return exactly; the transactions are unknown again, and may land again while their blockhash lives.
        """
        to = max(self.slot - slots, self._root)
        gone = list(self.recent(self.slot - to))
        states = self._undo.roll_back(to)
        put_accounts(self.svm, states)
        for landed in gone:
            del self._landed[landed.signature]
            for address in landed.addresses:
                self._by_address[address].remove(landed.signature)
        if not keep_blockhashes:
            self.blockhashes.abandon(to)
        signatures = [landed.signature for landed in gone]
        if self._journal and gone:
            self._journal.append(states, [], self._moment(), undone=signatures)
        self.on_change()
        return signatures

    @contextmanager
    def _rewound(self, transaction: VersionedTransaction, slot: int) -> Iterator[None]:
        """The transaction's accounts as they were at the end of that slot."""
        keys = [key for key in transaction.message.account_keys if self._undo.changed(key, slot)]
        now = {key: self.svm.get_account(key) for key in keys}
        put_accounts(self.svm, {key: self._undo.before(key, slot) for key in keys})
        try:
            yield
        finally:
            put_accounts(self.svm, now)

    # Reading

    def account(self, address: Pubkey, slot: int) -> Account | None:
        """The account at the end of this slot, if it has lamports."""
        changed = self._undo.changed(address, slot)
        account = self._undo.before(address, slot) if changed else self.svm.get_account(address)
        return account if account is not None and account.lamports else None

    def accounts_of(self, owner: Pubkey, slot: int) -> list[tuple[Pubkey, Account]]:
        """The accounts that the program owned at the end of this slot."""
        found: States = {**dict(self.svm.get_program_accounts(owner)), **self._undo.states_at(slot)}
        return [
            (address, account)
            for address, account in found.items()
            if account is not None and account.lamports and account.owner == owner
        ]

    def landed(self, signature: str) -> Landed | None:
        return self._landed.get(signature)

    def recent(self, slots: int) -> Iterator[Landed]:
        """What landed in the last so many slots, newest first."""
        for landed in reversed(self._landed.values()):
            if landed.slot <= self.slot - slots:
                return
            yield landed

    def signatures_of(self, address: str) -> list[Landed]:
        """The transactions that name the address, newest first."""
        return [self._landed[signature] for signature in reversed(self._by_address.get(address, []))]

    def commitment_of(self, landed: Landed) -> Commitment:
        age = self.slot - landed.slot
        if landed.slot <= self._root:
            return "finalized"
        return "confirmed" if age >= self.delays.confirmed else "processed"

    def is_seen(self, landed: Landed) -> bool:
        return self.slot >= landed.unseen_until

    @property
    def transaction_count(self) -> int:
        return len(self._landed)
