"""Signs and sends transactions so that none is lost and none is paid for twice.

Simulation and blockhash at confirmed, compute limit = used x 1.2, capped priority fee. The same bytes are sent again
until they land or can no longer: the finalized chain is past their last valid block and its history lacks them.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.models import TxOpts
from solders.commitment_config import CommitmentLevel
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rpc.config import RpcSimulateTransactionConfig
from solders.rpc.requests import SimulateVersionedTransaction
from solders.rpc.responses import SimulateTransactionResp
from solders.signature import Signature
from solders.transaction_status import TransactionConfirmationStatus, TransactionStatus

from proofgrid.errors import ChainUnavailable
from proofgrid.settlement.rpc import ask, request, require_slot
from proofgrid.settlement.transactions import refusal_of, sign

MAX_COMPUTE_UNITS = 1_400_000
COMPUTE_MARGIN = 1.2
_RAW = TxOpts(skip_preflight=True, max_retries=0, preflight_commitment=Confirmed)


class TransactionExpired(ChainUnavailable):
    """The transaction did not land while its blockhash was valid: it never will, a new one may be built.

    ``slot`` is the finalized one at which that was certain.
    """

    def __init__(self, message: str, slot: int) -> None:
        super().__init__(message)
        self.slot = slot


@dataclass(frozen=True)
class Signed:
    """A transaction ready to be sent, as often as need be: its bytes say everything, whoever the endpoint is."""

    signature: Signature
    raw: bytes
    last_valid_block_height: int
    compute_units: int = 0
    """Used in the simulation."""


@dataclass(frozen=True)
class Sent:
    """A transaction that landed and succeeded, confirmed."""

    signature: Signature
    slot: int
    compute_units: int


@dataclass
class Sender:
    """Signs and sends for one payer.

    ``max_micro_lamports`` caps the price of a compute unit; ``patience_s`` is how long an endpoint that stopped
    answering is waited for.
    """

    client: AsyncClient
    payer: Keypair
    max_micro_lamports: int = 200_000
    poll_s: float = 0.2
    rebroadcast_s: float = 2.0
    patience_s: float = 90.0

    async def send(self, instructions: Sequence[Instruction], *, signers: Sequence[Keypair] = ()) -> Sent:
        """Land one transaction, paid by the payer; returns when it is confirmed.

        Raises ProgramRefused (by name) from the simulation or from the chain, TransactionExpired when it is
        certain that it did not land, ChainUnavailable when that is not known.
        """
        signed = await self.sign(instructions, signers=signers)
        return Sent(signed.signature, await self._land(signed), signed.compute_units)

    async def sign(
        self, instructions: Sequence[Instruction], *, signers: Sequence[Keypair] = (), min_slot: int = 0
    ) -> Signed:
        """A transaction that succeeds in a simulation on the state of ``min_slot`` or later, not sent.

        Raises ProgramRefused, ChainUnavailable.
        """
        everyone = [self.payer, *signers]
        units = await self._simulate(instructions, everyone, min_slot)
        price = await self._price(instructions)
        blockhash, last_valid = await self._blockhash()
        limit = min(int(units * COMPUTE_MARGIN) + 1, MAX_COMPUTE_UNITS)
        transaction = sign(instructions, everyone, blockhash, compute_units=limit, micro_lamports_per_unit=price)
        return Signed(transaction.signatures[0], bytes(transaction), last_valid, units)

    async def broadcast(self, signed: Signed) -> None:
        """Hand the bytes to an endpoint, without preflight; they may have been sent before."""
        await ask(self.client.send_raw_transaction(signed.raw, _RAW))

    async def slot_of(self, signed: Signed) -> int | None:
        """The slot in which the transaction succeeded, once that is confirmed; raises ProgramRefused if it failed."""
        status, _ = await self._status(signed.signature, history=False)
        return _slot(status)

    async def require_valid(self, signed: Signed) -> int | None:
        """As :meth:`slot_of`, where nothing is known of it yet; raises TransactionExpired when it never will land.

        Certain is: the finalized block height is past the last valid one, and the history of an endpoint that has
        reached that slot lacks the signature. Raises ChainUnavailable for an endpoint that is behind.
        """
        epoch = (await ask(self.client.get_epoch_info(Finalized))).value
        if epoch.block_height <= signed.last_valid_block_height:
            return None
        status, slot = await self._status(signed.signature, history=True)
        require_slot(slot, epoch.absolute_slot)
        if status is None:
            last = signed.last_valid_block_height
            message = f"transaction {signed.signature} did not land before block {last}: send anew"
            raise TransactionExpired(message, epoch.absolute_slot)
        return _slot(status)

    async def _blockhash(self) -> tuple[Hash, int]:
        value = (await ask(self.client.get_latest_blockhash(Confirmed))).value
        return value.blockhash, value.last_valid_block_height

    async def _simulate(self, instructions: Sequence[Instruction], signers: Sequence[Keypair], min_slot: int) -> int:
        """Compute units used, those of the budget instructions included."""
        transaction = sign(
            instructions, signers, Hash.default(), compute_units=MAX_COMPUTE_UNITS, micro_lamports_per_unit=1
        )
        options = RpcSimulateTransactionConfig(
            replace_recent_blockhash=True,
            commitment=CommitmentLevel.Confirmed,
            min_context_slot=min_slot or None,
        )
        body = SimulateVersionedTransaction(transaction, options)
        answer = await request(self.client, body, SimulateTransactionResp)
        require_slot(answer.context.slot, min_slot)
        outcome = answer.value
        if outcome.err is not None:
            raise refusal_of(outcome.err, outcome.logs or ())
        return outcome.units_consumed or MAX_COMPUTE_UNITS

    async def _price(self, instructions: Sequence[Instruction]) -> int:
        """The third quartile of what others paid lately to write our accounts (micro-lamports per unit), capped."""
        written = {meta.pubkey for one in instructions for meta in one.accounts if meta.is_writable}
        fees = (await ask(self.client.get_recent_prioritization_fees(_some(written)))).value
        paid = sorted(fee.prioritization_fee for fee in fees if fee.prioritization_fee)
        return min(paid[len(paid) * 3 // 4], self.max_micro_lamports) if paid else 0

    async def _land(self, signed: Signed) -> int:
        """Broadcast until the transaction is confirmed; returns its slot."""
        silent_since, next_broadcast, is_first = time.monotonic(), 0.0, True
        while True:
            try:
                slot = None
                if time.monotonic() >= next_broadcast:
                    next_broadcast = time.monotonic() + self.rebroadcast_s
                    slot = None if is_first else await self.require_valid(signed)
                    is_first = False
                    if slot is None:
                        await self.broadcast(signed)
                slot = slot or await self.slot_of(signed)
                silent_since = time.monotonic()
                if slot is not None:
                    return slot
            except TransactionExpired:
                raise
            except ChainUnavailable:
                if time.monotonic() - silent_since > self.patience_s:
                    raise
            await asyncio.sleep(self.poll_s)

    async def _status(self, signature: Signature, *, history: bool) -> tuple[TransactionStatus | None, int]:
        """What the endpoint knows of it, and the slot that the endpoint is at."""
        answer = await ask(self.client.get_signature_statuses([signature], search_transaction_history=history))
        return answer.value[0], answer.context.slot


def _slot(status: TransactionStatus | None) -> int | None:
    if status is None or not _is_confirmed(status):
        return None
    if status.err is not None:
        raise refusal_of(status.err)
    return status.slot


def _is_confirmed(status: TransactionStatus) -> bool:
    return status.confirmation_status in (
        TransactionConfirmationStatus.Confirmed,
        TransactionConfirmationStatus.Finalized,
    )


def _some(addresses: set[Pubkey]) -> list[Pubkey]:
    return sorted(addresses, key=bytes)[:128]  # the method takes no more
