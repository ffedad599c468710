"""All accounts as the model holds them, and what an instruction demands of them before it may change any.

An instruction's rule states its demands, each with the refusal that its breach is named by; where several are breached
the program may name any of them. Only when none is breached does the rule go on to its effects.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from proofgrid.settlement.forms import SIGNER, WRITABLE, Instruction
from proofgrid.settlement.refusals import Refusal
from tests.settlement.model.records import TYPES, Network, Record, Tokens

MOST = 2**64 - 1
RENT_PER_BYTE, RENT_BYTES = 6_960, 128  # lamports for two years; an account's own overhead

# What the token program says, by its own numbers.
INSUFFICIENT, MINT_MISMATCH, OWNER_MISMATCH, FROZEN = "Custom(1)", "Custom(3)", "Custom(4)", "Custom(17)"
# Of what is not a token account: by itself, or by the runtime when it writes to another program's account.
NOT_TOKENS = ("InvalidAccountData", "IncorrectProgramId", "ExternalAccountDataModified", OWNER_MISMATCH, INSUFFICIENT)

Kind = TypeVar("Kind", bound=Record)


class Refused(Exception):
    """The instruction changes nothing; the program's answer is one of ``names``."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


@dataclass(frozen=True)
class Given:
    """An instruction as it is sent: the account in each place, who signs and what may be written."""

    instruction: Instruction
    places: Mapping[str, bytes]
    signers: frozenset[bytes]
    writable: frozenset[bytes]
    arguments: Mapping[str, Any]
    tail: bytes = b""
    sizes: tuple[str, ...] = ()
    """What is wrong with the number of accounts or the length of the data."""

    def __getitem__(self, place: str) -> bytes:
        return self.places[place]


@dataclass
class Demands:
    """The names of the demands that are breached so far; to `only_ask` means to stop before the effects."""

    names: set[str] = field(default_factory=set)
    only_ask: bool = False

    def __call__(self, holds: bool, *names: str) -> bool:
        if not holds:
            self.names.update(names)
        return holds

    def hold(self) -> None:
        if self.names or self.only_ask:
            raise Refused(frozenset(self.names))

    def all_fit(self, *amounts: int) -> None:
        self(all(amount <= MOST for amount in amounts), "Overflow")


@dataclass
class Ledger:
    """Every account that matters: the program's records, token accounts, lamports; and the chain's clock."""

    find: Callable[..., tuple[bytes, int]]
    """The canonical address of seeds under the program, and its bump."""
    derive: Callable[..., bytes | None]
    """The address of seeds and a bump, or None where there is none."""
    config: bytes
    programs: Mapping[str, bytes]
    now_s: int
    slot: int
    supply: int = 0
    donated: int = 0
    """Tokens that somebody sent into the vault without an instruction of ours."""
    records: dict[bytes, Record] = field(default_factory=dict)
    tokens: dict[bytes, Tokens] = field(default_factory=dict)
    lamports: dict[bytes, int] = field(default_factory=dict)
    foreign: frozenset[bytes] = frozenset()
    """Accounts of other programs, which look like ours."""

    def copy(self) -> "Ledger":
        """Another ledger; batches, which hold a list, must not be open yet."""
        return replace(
            self,
            records={address: replace(record) for address, record in self.records.items()},
            tokens={address: replace(tokens) for address, tokens in self.tokens.items()},
            lamports=dict(self.lamports),
        )

    @property
    def network(self) -> Network:
        return self.read(self.config, Network)

    def read(self, address: bytes, kind: type[Kind]) -> Kind:
        record = self.records[address]
        assert isinstance(record, kind)
        return record

    def all(self, kind: type[Kind]) -> Iterator[tuple[bytes, Kind]]:
        return ((address, record) for address, record in self.records.items() if type(record) is kind)

    def is_free(self, address: bytes) -> bool:
        """Nobody's account, or a wallet: an account may be made there."""
        others = (self.records, self.tokens, self.foreign, (self.network.mint,))
        return not any(address in accounts for accounts in others)

    # what many instructions demand

    def shape(self, given: Given, must: Demands) -> None:
        """What the layout declares of each account."""
        must(not given.sizes, *given.sizes)
        for use in given.instruction.accounts:
            address = given[use.name]
            must(not use.flags & SIGNER or address in given.signers, "MissingSignature")
            must(not use.flags & WRITABLE or address in given.writable, "AccountNotWritable")
            if isinstance(use.of, str):
                must(address == self.programs[use.of], _wrong(use.of))
            elif use.of is not None:
                must(type(self.records.get(address)) is TYPES[use.of.name], _wrong(use.of.name))

    def may_receive(self, address: bytes) -> bool:
        """A token account of the network's mint that is not frozen."""
        tokens = self.tokens.get(address)
        return tokens is not None and tokens.mint == self.network.mint and not tokens.frozen

    def may_pay_in(self, given: Given, must: Demands, source: bytes, owner: bytes, amount: int) -> None:
        must(given["vault"] == self.network.vault, "WrongVault")
        must(source not in (given["vault"], self.network.vault), "SameAccountTwice")
        tokens = self.tokens.get(source)
        if tokens is None:
            must(False, *NOT_TOKENS)
            return
        must(tokens.mint == self.network.mint, MINT_MISMATCH)
        must(tokens.owner == owner, OWNER_MISMATCH)
        must(tokens.amount >= amount, INSUFFICIENT)
        must(not tokens.frozen, FROZEN)

    def may_pay_out(self, given: Given, must: Demands, destination: bytes) -> None:
        must(given["vault"] == self.network.vault, "WrongVault")
        must(self.may_receive(destination), "WrongTokenAccount")
        must(destination not in (given["vault"], self.network.vault), "SameAccountTwice")

    # what many instructions do

    def move(self, source: bytes, destination: bytes, amount: int) -> None:
        self.tokens[source].amount -= amount
        self.tokens[destination].amount += amount
        assert self.tokens[source].amount >= 0, "the vault pays what it does not hold"

    def make(self, address: bytes, record: Record, payer: bytes) -> None:
        """A new account; what is missing of its rent is the payer's."""
        rent = RENT_PER_BYTE * (RENT_BYTES + len(record.encode()))
        missing = max(0, rent - self.lamports.get(address, 0))
        self.lamports[payer] -= missing
        self.lamports[address] = self.lamports.get(address, 0) + missing
        self.records[address] = record

    def close(self, address: bytes, to: bytes) -> None:
        del self.records[address]
        self.lamports[to] += self.lamports.pop(address)


@cache
def _wrong(name: str) -> str:
    """The refusal of something else in the place of this program or record."""
    return Refusal["Wrong" + "".join(part.capitalize() for part in name.split("_"))].name


Rule = Callable[[Ledger, Given, Demands], None]
RULES: dict[str, Rule] = {}
"""What each instruction demands and does, by its name."""


def rule(of: Instruction) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[of.name] = function
        return function

    return register


def apply(ledger: Ledger, given: Given) -> None:
    """The instruction's effects. Raises Refused, and then nothing has changed."""
    _play(ledger, given, Demands())


def refusals(ledger: Ledger, given: Given) -> frozenset[str]:
    """What the instruction would be refused for; nothing changes."""
    try:
        _play(ledger, given, Demands(only_ask=True))
    except Refused as refused:
        return refused.names
    raise AssertionError(f"the rule of {given.instruction.name} does not hold before its effects")


def _play(ledger: Ledger, given: Given, must: Demands) -> None:
    ledger.shape(given, must)
    if must.names:
        must.hold()
    RULES[given.instruction.name](ledger, given, must)
