"""The chain beside the ledger: every play goes to both, and they must agree on all accounts, byte for byte."""

import struct
from functools import lru_cache
from hashlib import sha256

from solders.account import Account
from solders.instruction import Instruction as SoldersInstruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from proofgrid.settlement.accounts import ConfigAccount, KeyAccount
from proofgrid.settlement.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM, config_address, key_address
from proofgrid.settlement.devnet.machine import put_accounts, strict_svm
from proofgrid.settlement.instructions import config
from proofgrid.settlement.layout import ACCOUNTS
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT
from proofgrid.settlement.parameters import Parameters
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.transactions import refusal_of
from tests.settlement.chains import Chain
from tests.settlement.model import batches, governance, requests, stakes
from tests.settlement.model.cast import CAST, keypair
from tests.settlement.model.ledger import Ledger, Refused, apply
from tests.settlement.model.play import PROGRAM, Play
from tests.settlement.model.proofs import KEYS
from tests.settlement.model.records import Key, Network, Tokens
from tests.settlement.network import PARAMETERS, name_upgrade_authority

RULES_OF = (batches, governance, requests, stakes)  # imported so that their rules are registered
BEGIN_S, BEGIN_SLOT = 1_700_000_000, 1_000
LAMPORTS = 10**12

Accounts = dict[bytes, tuple[int, bytes]]
"""Lamports and data by address."""


@lru_cache(maxsize=1 << 16)
def find(*seeds: bytes) -> tuple[bytes, int]:
    address, bump = Pubkey.find_program_address(seeds, PROGRAM)
    return bytes(address), bump


@lru_cache(maxsize=1 << 16)
def derive(bump: int, *seeds: bytes) -> bytes | None:
    address = Pubkey(sha256(b"".join(seeds) + bytes([bump]) + CAST.program + b"ProgramDerivedAddress").digest())
    return None if address.is_on_curve() else bytes(address)


class Disagreement(AssertionError):
    """The program did not do what the model says."""


class World:
    """One chain with the program, and the ledger of it; ``reset`` takes both back to their beginning.

    ``ledger`` is a model; ``begin`` plays what should stand before a sequence's first step and remembers the result.
    """

    def __init__(self, program: bytes | None = None, parameters: Parameters = PARAMETERS) -> None:
        svm = strict_svm(blockhash_check=False, history=0).with_sigverify(False)
        self.svm: LiteSVM = svm
        self.chain = Chain(svm, PROGRAM, keypair("payer"))
        svm.add_program(PROGRAM, program_bytes() if program is None else program)
        for wallet in (CAST.payer, *CAST.wallets):
            svm.airdrop(Pubkey(wallet), LAMPORTS)
        self._mint()
        self._set_clock(BEGIN_S, BEGIN_SLOT)
        self._found(parameters)
        self.ledger = self._read_ledger()
        self._blockhash = svm.latest_blockhash()
        self.begin()

    def begin(self) -> None:
        """What stands now is the beginning of every sequence."""
        self._first_ledger, self._first = self.ledger, self._accounts()
        self.reset()

    def reset(self) -> None:
        now = self._accounts()
        changed = {address: self._first.get(address) for address in {*now, *self._first}}
        different = {a: then for a, then in changed.items() if now.get(a) != then}
        put_accounts(self.svm, {Pubkey(a): then for a, then in different.items()})
        self.ledger = self._first_ledger.copy()
        self._set_clock(self.ledger.now_s, self.ledger.slot)
        self.before = self._snapshot()

    # what is played

    def send(self, play: Play) -> tuple[str, bool]:
        """Plays it on both sides; '' or the refusal's name, and whether nothing else was wrong. Raises Disagreement."""
        expected: frozenset[str] = frozenset()
        try:
            apply(self.ledger, play.given())
        except Refused as refused:
            expected = refused.names
        answer = self._run(play.built())
        if answer not in (expected or {""}):
            raise Disagreement(f"the program says {answer or 'yes'!r}, the model {sorted(expected) or 'yes'}")
        now, then = self._snapshot(), self.before
        if not answer:  # only accounts of the instruction can have changed; `agree` looks at all of them
            then = self._with(then, *play.places.values())
        if now != then:
            raise Disagreement(self._difference(now, then))
        self.before = now
        return answer, len(expected) == 1

    def agree(self) -> None:
        """Every account of the chain is the ledger's. Raises Disagreement."""
        ledger, now = self.ledger, self._snapshot()
        then = self._with({}, *ledger.lamports, *ledger.records, *ledger.tokens, ledger.network.mint)
        if now != then:
            raise Disagreement(self._difference(now, then))

    def pass_time(self, now_s: int) -> None:
        self.ledger.now_s, self.ledger.slot = now_s, self.ledger.slot + 1
        self._set_clock(self.ledger.now_s, self.ledger.slot)

    def change_outside(self, *addresses: bytes) -> None:
        """The ledger's token accounts and lamports at these addresses have changed by no instruction of ours."""
        for address in addresses:
            owner = TOKEN_PROGRAM if address in self.ledger.tokens else SYSTEM_PROGRAM
            account = Account(self.ledger.lamports[address], self._data(address), owner)
            self.svm.set_account(Pubkey(address), account)
        self.before = self._snapshot()

    def _run(self, instruction: SoldersInstruction) -> str:
        message = Message.new_with_blockhash([instruction], Pubkey(CAST.payer), self._blockhash)
        signatures = [Signature.default()] * message.header.num_required_signatures
        result = self.svm.send_transaction(VersionedTransaction.populate(message, signatures))
        if isinstance(result, FailedTransactionMetadata):
            return refusal_of(result.err()).name
        return ""

    # both sides, seen alike

    def _with(self, accounts: Accounts, *addresses: bytes) -> Accounts:
        """These accounts, but those at the addresses as the ledger says they are."""
        ledger, accounts = self.ledger, dict(accounts)
        for address in addresses:
            if address in ledger.lamports:
                accounts[address] = ledger.lamports[address], self._data(address)
            else:
                accounts.pop(address, None)
        return accounts

    def _data(self, address: bytes) -> bytes:
        ledger = self.ledger
        if address in ledger.records:
            return ledger.records[address].encode()
        if address in ledger.tokens:
            return _token_data(ledger.tokens[address])
        return _mint_data(ledger.supply) if address == ledger.network.mint else b""

    def _snapshot(self) -> Accounts:
        """The same accounts as the chain has them; the fee payer's are left out."""
        accounts: Accounts = {}
        for owner in (PROGRAM, TOKEN_PROGRAM, SYSTEM_PROGRAM):
            for address, account in self.svm.get_program_accounts(owner):
                accounts[bytes(address)] = (account.lamports, account.data)
        for address in self._apart:
            accounts.pop(address, None)
        return accounts

    def _accounts(self) -> dict[bytes, Account]:
        """Everything that a sequence may change."""
        owners = (PROGRAM, TOKEN_PROGRAM, SYSTEM_PROGRAM)
        return {
            bytes(address): account for owner in owners for address, account in self.svm.get_program_accounts(owner)
        }

    def _difference(self, now: Accounts, expected: Accounts) -> str:
        """Where the chain differs from what was expected."""
        lines = ["the accounts are not what the model says:"]
        for address in sorted({*now, *expected}):
            here, there = now.get(address), expected.get(address)
            if here != there:
                lines.append(
                    f"  {address.hex()[:8]}: the chain has {_shown(here, there)}, the model {_shown(there, here)}"
                )
        return "\n".join(lines)

    # the beginning

    def _set_clock(self, now_s: int, slot: int) -> None:
        clock = self.svm.get_clock()
        clock.unix_timestamp, clock.slot = now_s, slot
        self.svm.set_clock(clock)

    def _mint(self) -> None:
        supply = sum(amount for mint, _, amount in CAST.purses.values() if mint == CAST.mint)
        self.chain.forge(Pubkey(CAST.mint), _mint_data(supply), TOKEN_PROGRAM)
        for address, (mint, owner, amount) in CAST.purses.items():
            self.chain.forge(Pubkey(address), _token_data(Tokens(mint, owner, amount)), TOKEN_PROGRAM)

    def _found(self, parameters: Parameters) -> None:
        payer: Keypair = self.chain.payer
        name_upgrade_authority(self.chain, payer.pubkey())
        self.chain.send(
            config.initialize(
                PROGRAM,
                payer.pubkey(),
                mint=Pubkey(CAST.mint),
                treasury=Pubkey(CAST.treasury),
                guardian=Pubkey(CAST.guardian),
                parameters=parameters,
            )
        )
        for key in KEYS:
            self.chain.register(key)
        foreign, looks_like_tokens = CAST.forged
        discriminator = PROVER_ACCOUNT.discriminator or b""
        self.chain.forge(Pubkey(foreign), discriminator + bytes(PROVER_ACCOUNT.size - 8), Pubkey(CAST.stranger))
        tokens = _token_data(Tokens(CAST.mint, CAST.requesters[0], 10**6))
        self.chain.forge(Pubkey(looks_like_tokens), tokens, Pubkey(CAST.stranger))

    def _read_ledger(self) -> Ledger:
        """The only time that the model believes the chain: what `initialize` and the keys' uploads have left."""
        found = ConfigAccount.decode(self.chain.data(config_address(PROGRAM)[0]))
        place = find(b"config")[0]
        network = Network(found.mint, found.vault, found.guardian, found.treasury, found.parameters, found.bump)
        ledger = Ledger(
            find,
            derive,
            place,
            {"system_program": bytes(SYSTEM_PROGRAM), "token_program": bytes(TOKEN_PROGRAM)},
            now_s=BEGIN_S,
            slot=BEGIN_SLOT,
            supply=sum(amount for mint, _, amount in CAST.purses.values() if mint == CAST.mint),
            records={place: network},
            tokens={address: Tokens(*purse) for address, purse in CAST.purses.items()},
            foreign=frozenset((*CAST.forged, CAST.mint)),
        )
        ledger.tokens[network.vault] = Tokens(network.mint, place, 0)
        for key in KEYS:
            address, _ = key_address(PROGRAM, key.digest)
            data = self.chain.data(address)
            account = KeyAccount.decode(data)
            ledger.records[bytes(address)] = Key(account.digest, account.registered_s, account.n_public, data)
        ours = {*CAST.wallets, *ledger.records, *ledger.tokens, network.mint}
        self._apart = {address for address in self._accounts() if address not in ours}
        ledger.lamports = {a: account.lamports for a, account in self._accounts().items() if a in ours}
        return ledger


def _token_data(tokens: Tokens) -> bytes:
    state = 2 if tokens.frozen else 1
    return struct.pack("<32s32sQ36sB56x", tokens.mint, tokens.owner, tokens.amount, bytes(36), state)


def _mint_data(supply: int) -> bytes:
    return struct.pack("<I32sQBB36x", 1, bytes(32), supply, 6, 1)


def _shown(account: tuple[int, bytes] | None, other: tuple[int, bytes] | None) -> str:
    """What of an account is another than of the other one."""
    if account is None:
        return "nothing"
    lamports, data = account
    record = next((record for record in ACCOUNTS if data[:8] == record.discriminator), None)
    if record is None or other is None or other[1][:8] != data[:8]:
        return f"{lamports} lamports and {data.hex() or 'no data'}"
    ours, theirs = record.decode(data[: record.size]), record.decode(other[1][: record.size])
    fields = [f"{name} {value!r}" for name, value in ours.items() if value != theirs[name]]
    fields += [f"{lamports} lamports"] * (lamports != other[0])
    fields += [f"then {data[record.size :].hex()}"] * (data[record.size :] != other[1][record.size :])
    return f"{record.name} {', '.join(fields)}"
