"""Sends transactions so that none is lost and none is paid for twice.

Blockhash at confirmed, simulation, compute limit = used x 1.2, capped priority fee; the signature is handed to the
caller before the bytes leave; the same bytes are sent again until the transaction lands or its blockhash has expired.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.models import TxOpts
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction_status import TransactionConfirmationStatus, TransactionStatus

from proofgrid.errors import ChainUnavailable
from proofgrid.settlement.rpc import ask
from proofgrid.settlement.transactions import refusal_of, sign

MAX_COMPUTE_UNITS = 1_400_000
COMPUTE_MARGIN = 1.2
_RAW = TxOpts(skip_preflight=True, max_retries=0, preflight_commitment=Confirmed)

OnSigned = Callable[[str, int], Awaitable[None] | None]
"""Called with the signature (base58) and the last valid block height before anything is sent; it must persist both."""


class TransactionExpired(ChainUnavailable):
    """The transaction did not land while its blockhash was valid: it never will, a new one may be built."""


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

    async def send(
        self,
        instructions: Sequence[Instruction],
        *,
        signers: Sequence[Keypair] = (),
        on_signed: OnSigned | None = None,
    ) -> Sent:
        """Land one transaction, paid by the payer.

        Raises ProgramRefused (by name) from the simulation or from the chain, TransactionExpired when it is
        certain that it did not land, ChainUnavailable when that is not known: the signature given to ``on_signed``
        can still land until its last valid block height.
        """
        everyone = [self.payer, *signers]
        units = await self._simulate(instructions, everyone)
        price = await self._price(instructions)
        blockhash, last_valid = await self._blockhash()
        limit = min(int(units * COMPUTE_MARGIN) + 1, MAX_COMPUTE_UNITS)
        transaction = sign(instructions, everyone, blockhash, compute_units=limit, micro_lamports_per_unit=price)
        signature = transaction.signatures[0]
        if on_signed is not None:
            waiting = on_signed(str(signature), last_valid)
            if inspect.isawaitable(waiting):
                await waiting
        slot = await self._land(bytes(transaction), signature, last_valid)
        return Sent(signature, slot, units)

    async def _blockhash(self) -> tuple[Hash, int]:
        value = (await ask(self.client.get_latest_blockhash(Confirmed))).value
        return value.blockhash, value.last_valid_block_height

    async def _simulate(self, instructions: Sequence[Instruction], signers: Sequence[Keypair]) -> int:
        """Compute units used, those of the budget instructions included."""
        transaction = sign(
            instructions, signers, Hash.default(), compute_units=MAX_COMPUTE_UNITS, micro_lamports_per_unit=1
        )
        call = self.client.simulate_transaction(transaction, commitment=Confirmed, replace_recent_blockhash=True)
        outcome = (await ask(call)).value
        if outcome.err is not None:
            raise refusal_of(outcome.err, outcome.logs or ())
        return outcome.units_consumed or MAX_COMPUTE_UNITS

    async def _price(self, instructions: Sequence[Instruction]) -> int:
        """The third quartile of what others paid lately to write our accounts (micro-lamports per unit), capped."""
        written = {meta.pubkey for one in instructions for meta in one.accounts if meta.is_writable}
        fees = (await ask(self.client.get_recent_prioritization_fees(_some(written)))).value
        paid = sorted(fee.prioritization_fee for fee in fees if fee.prioritization_fee)
        return min(paid[len(paid) * 3 // 4], self.max_micro_lamports) if paid else 0

    async def _land(self, raw: bytes, signature: Signature, last_valid: int) -> int:
        """Broadcast until the transaction is confirmed; returns its slot."""
        silent_since = next_broadcast = time.monotonic()
        while True:
            try:
                if time.monotonic() >= next_broadcast:
                    next_broadcast = time.monotonic() + self.rebroadcast_s
                    await ask(self.client.send_raw_transaction(raw, _RAW))
                expired = (await ask(self.client.get_block_height(Confirmed))).value > last_valid
                status = await self._status(signature, history=expired)
                silent_since = time.monotonic()
            except ChainUnavailable:
                if time.monotonic() - silent_since > self.patience_s:
                    raise
                await asyncio.sleep(self.poll_s)
                continue
            if status is not None and _is_confirmed(status):
                if status.err is not None:
                    raise refusal_of(status.err)
                return status.slot
            if expired and status is None:
                raise TransactionExpired(f"transaction {signature} did not land before block {last_valid}: send anew")
            await asyncio.sleep(self.poll_s)

    async def _status(self, signature: Signature, *, history: bool) -> TransactionStatus | None:
        answer = await ask(self.client.get_signature_statuses([signature], search_transaction_history=history))
        return answer.value[0]


def _is_confirmed(status: TransactionStatus) -> bool:
    return status.confirmation_status in (
        TransactionConfirmationStatus.Confirmed,
        TransactionConfirmationStatus.Finalized,
    )


def _some(addresses: set[Pubkey]) -> list[Pubkey]:
    return sorted(addresses, key=bytes)[:128]  # the method takes no more
