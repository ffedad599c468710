"""Transactions that are built here, signed elsewhere, and sent from anywhere: one JSON file that collects signatures.

Nothing of the file but its message and signatures is believed: what the message does is computed from its bytes by
:mod:`.summary`, and a signature counts only if it holds. This module asks no network.
"""

import base64
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from proofgrid.documents import parse_json
from proofgrid.errors import Conflict, MalformedInput, TooLarge
from proofgrid.settlement.addresses import SYSTEM_PROGRAM
from proofgrid.settlement.foreign import ADVANCE_NONCE
from proofgrid.settlement.summary import Summary, summarize
from proofgrid.settlement.transactions import PACKET_SIZE

MAX_FILE_BYTES = 64 << 10
MAX_DECIMALS = 255
_MAX_SIGNERS = 19
"""So many signatures alone fill a packet."""

_Parsed = TypeVar("_Parsed", Hash, Pubkey, Signature)
Base58 = Annotated[str, Field(max_length=88)]


class _Document(BaseModel):
    """The file's form. ``summary`` is for people who open the file; it is written and never read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    format: Literal["proofgrid-transaction"] = "proofgrid-transaction"
    version: Literal[1] = 1
    network: Base58
    message: Annotated[str, Field(max_length=2 * PACKET_SIZE)]
    decimals: Annotated[int, Field(ge=0, le=MAX_DECIMALS)] | None = None
    last_valid_block_height: Annotated[int, Field(ge=0, lt=1 << 64)] | None = None
    summary: Annotated[list[str], Field(max_length=1000)] = []
    signatures: Annotated[dict[Base58, Base58], Field(max_length=_MAX_SIGNERS)] = {}


@dataclass(frozen=True)
class Draft:
    """A transaction and the signatures that it has so far.

    ``network`` is the genesis hash of the chain that it is for, ``decimals`` the token's;
    ``last_valid_block_height`` is until when it may land, None with a durable nonce: always. The three are what the
    builder said; no signature covers them.
    """

    network: Hash
    message: MessageV0
    decimals: int | None = None
    last_valid_block_height: int | None = None
    signatures: dict[Pubkey, Signature] = field(default_factory=dict)

    @property
    def required(self) -> list[Pubkey]:
        """Who must sign, the fee payer first."""
        return list(self.message.account_keys[: self.message.header.num_required_signatures])

    @property
    def missing(self) -> list[Pubkey]:
        """Who has not signed yet."""
        return [signer for signer in self.required if signer not in self.signatures]

    @property
    def nonce(self) -> Pubkey | None:
        """The durable nonce account that the transaction spends."""
        if not self.message.instructions:
            return None
        first, keys = self.message.instructions[0], self.message.account_keys
        is_advance = bytes(first.data) == ADVANCE_NONCE.arguments.encode({})
        if keys[first.program_id_index] != SYSTEM_PROGRAM or not is_advance or not first.accounts:
            return None
        return keys[first.accounts[0]]

    def summary(self, program_id: Pubkey | None) -> Summary:
        """What it does, from its bytes; raises MalformedInput for what is not understood."""
        return summarize(self.message, program_id, self.decimals)

    def sign(self, *keypairs: Keypair) -> "Draft":
        """With these keys' signatures. Raises MalformedInput for a key that need not, Conflict for one that did."""
        signatures = dict(self.signatures)
        for keypair in keypairs:
            signer = keypair.pubkey()
            if signer not in self.required:
                raise MalformedInput(f"{signer} need not sign this; it waits for {_names(self.missing)}")
            if signer in signatures:
                raise Conflict(f"{signer} has signed already; it waits for {_names(self.missing) or 'nobody: send it'}")
            signatures[signer] = keypair.sign_message(to_bytes_versioned(self.message))
        return replace(self, signatures=signatures)

    def merge(self, *others: "Draft") -> "Draft":
        """With the signatures of other copies. Raises Conflict if one is another transaction or for another network."""
        signatures = dict(self.signatures)
        for other in others:
            if other.message != self.message or other.network != self.network:
                raise Conflict("these files hold different transactions: only copies of one file can be merged")
            signatures |= other.signatures
        return replace(self, signatures=signatures)

    def signed(self) -> VersionedTransaction:
        """The transaction, complete. Raises Conflict while a signature is missing."""
        if self.missing:
            raise Conflict(f"it is not signed yet by {_names(self.missing)}: run `proofgrid transaction sign` there")
        return VersionedTransaction.populate(self.message, [self.signatures[signer] for signer in self.required])

    def unsigned(self) -> VersionedTransaction:
        """The transaction as it is, zeros for the signatures that it lacks: for simulations."""
        nothing = Signature.default()
        return VersionedTransaction.populate(self.message, [self.signatures.get(one, nothing) for one in self.required])

    def exported(self) -> Message:
        """The steps alone, as a message of the older form, for a multisig whose vault pays and signs by itself.

        The vault is the fee payer; the compute budget is left to the transaction that executes the multisig's. Raises
        MalformedInput where somebody else must sign, or a nonce is spent.
        """
        vault, *others = self.required
        if self.nonce is not None:
            raise MalformedInput("a multisig's transaction does not expire: build this one without --nonce")
        if others:
            raise MalformedInput(f"a vault signs for itself alone, not for {_names(others)}: name it as --payer, too")
        steps = [one for one in self._instructions() if one.program_id != COMPUTE_BUDGET]
        return Message.new_with_blockhash(steps, vault, self.message.recent_blockhash)

    def _instructions(self) -> list[Instruction]:
        message, keys = self.message, self.message.account_keys
        return [
            Instruction(
                keys[one.program_id_index],
                bytes(one.data),
                [AccountMeta(keys[at], message.is_signer(at), message.is_maybe_writable(at)) for at in one.accounts],
            )
            for one in message.instructions
        ]

    def dump(self, program_id: Pubkey | None) -> str:
        """The file's text; ``program_id`` for the summary in it."""
        document = _Document(
            network=str(self.network),
            message=base64.b64encode(to_bytes_versioned(self.message)).decode(),
            decimals=self.decimals,
            last_valid_block_height=self.last_valid_block_height,
            summary=list(self.summary(program_id).lines()),
            signatures={str(signer): str(signature) for signer, signature in self.signatures.items()},
        )
        return json.dumps(document.model_dump(), indent=1) + "\n"


def parse_draft(data: bytes) -> Draft:
    """The inverse of :meth:`Draft.dump`. Raises MalformedInput, whatever the bytes are: every signature is checked."""
    raw = parse_json(data, "the transaction file", limit=MAX_FILE_BYTES)
    try:
        document = _Document.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise MalformedInput(f"this is no transaction file of proofgrid: {where}: {first['msg']}"[:300]) from None
    message = _message(document.message)
    draft = Draft(_base58(Hash, document.network), message, document.decimals, document.last_valid_block_height)
    signatures = {}
    for name, words in document.signatures.items():
        signer, signature = _base58(Pubkey, name), _base58(Signature, words)
        if signer not in draft.required:
            raise MalformedInput(f"the file holds a signature of {signer}, who need not sign: somebody changed it")
        if not signature.verify(signer, to_bytes_versioned(message)):
            raise MalformedInput(
                f"the signature of {signer} is not one of this message: it was changed after signing. Build it anew"
            )
        signatures[signer] = signature
    return replace(draft, signatures=signatures)


def load_draft(path: Path) -> Draft:
    """The draft in this file. Raises MalformedInput, TooLarge; OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge(f"{path} is longer than the {MAX_FILE_BYTES} bytes that a transaction file may have")
    return parse_draft(data)


def save_draft(path: Path, draft: Draft, program_id: Pubkey | None, *, replaced: bool = False) -> None:
    """Write the file, whole or not at all. Raises Conflict where one exists, unless it may be ``replaced``."""
    if not replaced and path.exists():
        raise Conflict(f"{path} exists: name another file, or remove that one if nobody needs it")
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(draft.dump(program_id))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def compile_message(instructions: Sequence[Instruction], payer: Pubkey, blockhash: Hash) -> MessageV0:
    """The message that everybody signs. Raises MalformedInput when the transaction does not fit a packet."""
    message = MessageV0.try_compile(payer, list(instructions), [], blockhash)
    size = 1 + 64 * message.header.num_required_signatures + len(to_bytes_versioned(message))
    if size > PACKET_SIZE:
        raise MalformedInput(f"the transaction has {size} bytes, a packet holds {PACKET_SIZE}: do it in parts")
    return message


def _message(text: str) -> MessageV0:
    try:
        data = base64.b64decode(text, validate=True)
        message = from_bytes_versioned(data)
        if not isinstance(message, MessageV0) or to_bytes_versioned(message) != data or message.address_table_lookups:
            raise ValueError
        message.sanitize()
    except Exception:  # noqa: BLE001 - solders raises errors of several kinds for bytes that are no message
        raise MalformedInput(
            "the file's message is not one of a Solana transaction (version 0, without lookup tables): build it anew"
        ) from None
    if 1 + 64 * message.header.num_required_signatures + len(data) > PACKET_SIZE:
        raise MalformedInput(f"the file's transaction does not fit a packet of {PACKET_SIZE} bytes")
    return message


def _base58(kind: type[_Parsed], text: str) -> _Parsed:
    try:
        return kind.from_string(text)
    except Exception:  # noqa: BLE001 - ValueError, or ParseHashError, which is none
        raise MalformedInput(f"the file holds a {kind.__name__.lower()} that is none: it was changed") from None


def _names(addresses: Sequence[Pubkey]) -> str:
    return ", ".join(map(str, addresses))
