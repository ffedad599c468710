"""What a transaction will do, in words, computed from its message's bytes alone.

Whoever signs reads this; so nothing is guessed: an instruction that is not understood to its last byte is an error.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from solders.message import MessageV0
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement import layout
from proofgrid.settlement.amounts import show_amount
from proofgrid.settlement.foreign import ADVANCE_NONCE, KNOWN
from proofgrid.settlement.forms import Layout, Value
from proofgrid.settlement.layout.config import PARAMETERS
from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    PERMISSION,
    ROLES,
)
from proofgrid.settlement.layout.requests import CALL_BACK

ADDRESSES = frozenset(
    {
        *("authority", "owner", "signer", "guardian", "treasury"),
        *("prover", "committer", "request", "assigner", "callback_program"),
    }
)
"""Fields of 32 bytes that are addresses; the others are digests."""
AMOUNTS = frozenset({"amount", "cap", "price", "min_stake", "leaf_bond", "job_bond", "demand_bond"})
"""Fields that count units of the network's token."""
_CHANGES = {CHANGE_PARAMETERS: PARAMETERS, CHANGE_ROLES: ROLES, CHANGE_PERMISSION: PERMISSION}
_LAMPORT_DECIMALS = 9
_DAY_S = 86_400


@dataclass(frozen=True)
class Role:
    """An account of an instruction, as what it is given, and what it may be made to do."""

    name: str
    address: Pubkey
    is_signer: bool
    is_writable: bool


@dataclass(frozen=True)
class Step:
    """One instruction: of which program, its name, its arguments by name in words, its accounts."""

    program: str
    address: Pubkey
    name: str
    arguments: dict[str, str]
    accounts: tuple[Role, ...]


@dataclass(frozen=True)
class Summary:
    """A transaction: who pays its fee, who must sign, the nonce account that it spends, and its steps."""

    payer: Pubkey
    signers: tuple[Pubkey, ...]
    nonce: Pubkey | None
    steps: tuple[Step, ...]

    def lines(self) -> Iterator[str]:
        """For a person."""
        for number, step in enumerate(self.steps, 1):
            yield f"{number}. {step.name} ({step.program} {step.address})"
            for name, words in step.arguments.items():
                yield f"     {name:<31} {words}"
            for role in step.accounts:
                marks = ", ".join(("signs",) * role.is_signer + ("written",) * role.is_writable)
                yield f"     {role.name:<31} {role.address}" + (f"   [{marks}]" if marks else "")
        yield f"fee payer: {self.payer}"
        yield "must sign: " + ", ".join(map(str, self.signers))

    def facts(self) -> dict[str, object]:
        """For machines."""
        return {
            "payer": str(self.payer),
            "signers": [str(signer) for signer in self.signers],
            "nonce": None if self.nonce is None else str(self.nonce),
            "instructions": [
                {
                    "program": str(step.address),
                    "name": step.name,
                    "arguments": step.arguments,
                    "accounts": [
                        {"role": r.name, "address": str(r.address), "signer": r.is_signer, "writable": r.is_writable}
                        for r in step.accounts
                    ],
                }
                for step in self.steps
            ],
        }


def summarize(message: MessageV0, program_id: Pubkey | None, decimals: int | None = None) -> Summary:
    """The transaction in words; ``program_id`` is the network's program, named by whoever reads, never by the file.

    ``decimals`` are the token's. Raises MalformedInput for an instruction that is not known.
    """
    keys = message.account_keys
    steps = tuple(_step(message, index, program_id, decimals) for index in range(len(message.instructions)))
    nonce = None
    if steps and steps[0].name == ADVANCE_NONCE.name and steps[0].program == KNOWN[steps[0].address][0]:
        nonce = steps[0].accounts[0].address
    return Summary(keys[0], tuple(keys[: message.header.num_required_signatures]), nonce, steps)


def _step(message: MessageV0, index: int, program_id: Pubkey | None, decimals: int | None) -> Step:
    compiled, keys = message.instructions[index], message.account_keys
    address, data = keys[compiled.program_id_index], bytes(compiled.data)
    where = f"instruction {index + 1}"
    if address == program_id:
        program, known = "the network's program", layout.INSTRUCTIONS
    elif address in KNOWN:
        program, known = KNOWN[address]
    else:
        raise MalformedInput(
            f"{where} is for the program {address}, which is not known here: if that is your network's program, as you "
            "know it from elsewhere than this file, name it with --program; otherwise do not sign"
        )
    found = next((one for one in known if data[:1] == bytes([one.arguments.tag or 0])), None)
    if found is None:
        raise MalformedInput(f"{where} of the {program} is none that is known here ({data[:8].hex()}…): do not sign it")
    size = found.arguments.size
    values = found.arguments.decode(data[:size] if found.tail else data)
    arguments = dict(_words(values, found.arguments, decimals))
    if found.tail and data[size:]:
        arguments["then"] = _octets(data[size:])
    accounts = compiled.accounts
    if len(accounts) < len(found.accounts) or (len(accounts) > len(found.accounts) and found is not CALL_BACK):
        raise MalformedInput(
            f"{where}: {found.name} takes {len(found.accounts)} accounts, this one has {len(accounts)}"
        )
    names = [use.name for use in found.accounts] + ["passed on"] * (len(accounts) - len(found.accounts))
    roles = tuple(
        Role(name, keys[at], message.is_signer(at), message.is_maybe_writable(at))
        for name, at in zip(names, accounts, strict=True)
    )
    return Step(program, address, found.name, arguments, roles)


def _words(values: dict[str, Value], record: Layout, decimals: int | None) -> Iterator[tuple[str, str]]:
    for field in record.members:
        if field.name not in values:
            continue
        value = values[field.name]
        if not isinstance(value, bytes):
            yield field.name, _number(field.name, value, decimals)
        elif field.name == "change":
            yield from describe_change(cast(int, values["kind"]), value, decimals).items()
        elif field.name == PARAMETERS.name:
            yield from describe_change(CHANGE_PARAMETERS, value, decimals).items()
        else:
            yield field.name, _octets(value, field.name)


def _octets(value: bytes, name: str = "") -> str:
    if name in ADDRESSES:
        return str(Pubkey(value))
    return value.hex() if len(value) <= 32 else f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()}"


def _number(name: str, value: int, decimals: int | None) -> str:
    if name in AMOUNTS:
        return f"{value} units" if decimals is None else f"{show_amount(value, decimals)} tokens ({value} units)"
    if name == "lamports":
        return f"{show_amount(value, _LAMPORT_DECIMALS)} SOL"
    if name.endswith(("until_s", "expire_s")):
        return f"{value} ({show_time(value)})"
    if name.endswith("_s"):
        return f"{value} s" + (f" ({show_amount(value * 100 // _DAY_S, 2)} days)" if value >= _DAY_S else "")
    if name.endswith("_bps"):
        return f"{show_amount(value, 2)} %"
    return str(value)


def describe_change(kind: int, change: bytes, decimals: int | None = None) -> dict[str, str]:
    """A proposal's change in words; ``kind`` is one of layout.governance's. Raises MalformedInput for another."""
    record = _CHANGES.get(kind)
    if record is None:
        raise MalformedInput(f"there is no change of kind {kind}")
    return {f"{record.name}.{name}": words for name, words in _words(record.decode(change), record, decimals)}


def show_time(seconds: int) -> str:
    """A moment of the chain's clock, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return "no time of this calendar"
