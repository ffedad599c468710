"""A client whose endpoint misbehaves on demand, and an outbox that tells what it writes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.rpc.responses import RpcPrioritizationFee, SendTransactionResp
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from proofgrid.settlement.outbox import Entry, Outbox, State


@dataclass
class Faults:
    """``drop``: so many sends are swallowed; ``mute``: so many status queries fail; ``fees``: what others paid."""

    drop: int = 0
    mute: int = 0
    fees: list[int] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    @property
    def signatures(self) -> list[str]:
        """Distinct, in order."""
        names = [str(VersionedTransaction.from_bytes(raw).signatures[0]) for raw in self.sent]
        return list(dict.fromkeys(names))


class FlakyClient(AsyncClient):
    def __init__(self, url: str, faults: Faults) -> None:
        super().__init__(url, commitment=Confirmed, timeout=5)
        self.faults = faults

    async def send_raw_transaction(self, txn: bytes, opts: Any = None) -> SendTransactionResp:
        self.faults.sent.append(txn)
        if self.faults.drop:
            self.faults.drop -= 1
            return SendTransactionResp(VersionedTransaction.from_bytes(txn).signatures[0])
        return await super().send_raw_transaction(txn, opts)

    async def get_signature_statuses(
        self, signatures: list[Signature], search_transaction_history: bool = False
    ) -> Any:
        if self.faults.mute:
            self.faults.mute -= 1
            raise SolanaRpcException(OSError("gone"), self.get_signature_statuses, self, signatures)
        return await super().get_signature_statuses(signatures, search_transaction_history)

    async def get_recent_prioritization_fees(self, addresses: Any = None) -> Any:
        answer = await super().get_recent_prioritization_fees(addresses)
        if not self.faults.fees:
            return answer
        return type(answer)([RpcPrioritizationFee(1, fee) for fee in self.faults.fees])


class ToldOutbox(Outbox):
    """Calls ``on_signed`` with the signature and the last valid block height once they are stored."""

    on_signed: Callable[[str, int], None]

    def move(self, entry: Entry, to: State, **values: Any) -> bool:
        moved = super().move(entry, to, **values)
        if to is State.SIGNED and "raw" in values:
            self.on_signed(values["signature"], values["last_valid_block_height"])
        return moved
