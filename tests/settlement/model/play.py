"""One instruction that somebody sends: as the model is told it, and as the chain is sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solders.instruction import AccountMeta
from solders.instruction import Instruction as SoldersInstruction
from solders.pubkey import Pubkey

from proofgrid.settlement.forms import SIGNER, WRITABLE, Instruction
from tests.settlement.model.cast import CAST
from tests.settlement.model.ledger import Given

PROGRAM = Pubkey(CAST.program)
_CAN_SIGN = frozenset(CAST.wallets)


@dataclass(frozen=True)
class Play:
    """An instruction to send: the accounts in its places, and what of the layout's flags is not kept."""

    instruction: Instruction
    places: Mapping[str, bytes]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tail: bytes = b""
    signing: str = ""
    """A place whose account signs though the layout does not ask for it."""
    silent: str = ""
    """A place whose account does not sign."""
    read_only: str = ""
    """A place whose account may not be written."""
    is_short: bool = False
    """The last account is left out."""
    is_long: bool = False
    """A byte more than the arguments have follows them."""

    def __str__(self) -> str:
        places = ", ".join(f"{place} {address.hex()[:8]}" for place, address in self.places.items())
        told = ", ".join(f"{k} {v.hex()[:16] if isinstance(v, bytes) else v}" for k, v in self.arguments.items())
        bent = f"; signing {self.signing}, silent {self.silent}, read only {self.read_only}"
        return f"{self.instruction.name}({told}) with {places}; {len(self.tail)} bytes more{bent}"

    def given(self) -> Given:
        """As the model is told it."""
        metas = self._metas()
        signers = frozenset(bytes(meta.pubkey) for meta in metas if meta.is_signer)
        writable = frozenset(bytes(meta.pubkey) for meta in metas if meta.is_writable)
        sizes = (["MissingAccount"] if self.is_short else []) + (["MalformedInstruction"] if self.is_long else [])
        return Given(self.instruction, self.places, signers, writable, self.arguments, self.tail, tuple(sizes))

    def built(self) -> SoldersInstruction:
        """As the chain is sent it."""
        data = self.instruction.arguments.encode(self.arguments) + self.tail + b"\0" * self.is_long
        metas = self._metas()
        return SoldersInstruction(PROGRAM, data, metas[:-1] if self.is_short else metas)

    def _metas(self) -> list[AccountMeta]:
        metas = []
        for use in self.instruction.accounts:
            address = self.places[use.name]
            signs = use.flags & SIGNER and use.name != self.silent and address in _CAN_SIGN
            writes = use.flags & WRITABLE and use.name != self.read_only
            metas.append(AccountMeta(Pubkey(address), bool(signs or use.name == self.signing), bool(writes)))
        return metas
