"""From instructions to a draft, and from a signed draft to the chain: it lands once, or it is certain why not."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.models import TxOpts
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionStatus

from proofgrid.errors import ChainUnavailable, Conflict, MalformedInput, NotFound
from proofgrid.settlement import nonces
from proofgrid.settlement.nonces import Nonce, read_nonce
from proofgrid.settlement.offline import Draft, compile_message
from proofgrid.settlement.rpc import ask
from proofgrid.settlement.sender import COMPUTE_MARGIN, MAX_COMPUTE_UNITS
from proofgrid.settlement.transactions import error_name, refusal_of

BLOCKHASH_BLOCKS = 150
"""A blockhash is good for so many blocks after its own."""
UNTRIED_UNITS = 300_000
WAITING_UNITS = 20_000
"""What waits for signatures may land on another state than it was tried on: room for that, and to advance the nonce."""
_RAW = TxOpts(skip_preflight=True, max_retries=0, preflight_commitment=Confirmed)


@dataclass(frozen=True)
class Landed:
    """A transaction that succeeded, confirmed; ``is_news`` is False if it had landed before it was sent this time."""

    signature: Signature
    slot: int
    is_news: bool = True


async def draft(
    client: AsyncClient,
    instructions: Sequence[Instruction],
    payer: Pubkey,
    *,
    nonce: Nonce | None = None,
    decimals: int | None = None,
    micro_lamports_per_unit: int = 0,
    tried: bool = True,
) -> Draft:
    """A transaction that succeeds in a simulation now, unsigned. With a ``nonce`` it does not expire.

    Not ``tried``, it is not simulated, for it is meant for later, and may use UNTRIED_UNITS compute units.
    Raises ProgramRefused by name, MalformedInput when it does not fit a packet, ChainUnavailable.
    """
    units = await _simulated(client, instructions, payer) if tried else UNTRIED_UNITS
    network = (await ask(client.get_genesis_hash())).value
    limit = int(units * COMPUTE_MARGIN) + 1 if nonce is None else 2 * units + WAITING_UNITS
    budget = [set_compute_unit_limit(min(limit, MAX_COMPUTE_UNITS))]
    if micro_lamports_per_unit:
        budget.append(set_compute_unit_price(micro_lamports_per_unit))
    if nonce is not None:
        steps = [nonces.advance(nonce), *budget, *instructions]
        return Draft(network, compile_message(steps, payer, nonce.stored), decimals)
    latest = (await ask(client.get_latest_blockhash(Confirmed))).value
    message = compile_message([*budget, *instructions], payer, latest.blockhash)
    return Draft(network, message, decimals, latest.last_valid_block_height)


@dataclass
class Delivery:
    """Sends signed drafts; ``patience_s`` is how long an endpoint that stopped answering is waited for."""

    client: AsyncClient
    poll_s: float = 0.2
    rebroadcast_s: float = 2.0
    patience_s: float = 90.0

    async def deliver(self, signed: Draft, *, on_sending: Callable[[Signature], None] = lambda _: None) -> Landed:
        """Land it and return when that is confirmed; a draft that landed before is success, and costs nothing.

        Raises Conflict for one that can never land any more (expired, or its nonce was spent by another), or that
        lacks signatures; MalformedInput for another network's; ProgramRefused by name, ChainUnavailable when it is
        not known whether it landed: the same call asks again.
        """
        transaction = signed.signed()
        signature = transaction.signatures[0]
        served = (await ask(self.client.get_genesis_hash())).value
        if served != signed.network:
            raise MalformedInput(
                f"this transaction was built for the network with the genesis hash {signed.network}, and this endpoint "
                f"serves {served}: name the right one with --rpc"
            )
        # Not the file's word: if that were too low, one that still can land would be called gone, and be paid twice.
        last_valid = (await ask(self.client.get_block_height(Confirmed))).value + BLOCKHASH_BLOCKS
        status = await self._status(signature)
        if status is None:
            await self._preflight(signed, transaction)
            on_sending(signature)
        elif _is_confirmed(status):
            return Landed(signature, _slot(status), is_news=False)
        return Landed(signature, await self._land(signed, bytes(transaction), last_valid))

    async def _land(self, signed: Draft, raw: bytes, last_valid: int) -> int:
        signature = signed.signatures[signed.required[0]]
        silent_since = next_broadcast = time.monotonic()
        while True:
            try:
                if time.monotonic() >= next_broadcast:
                    next_broadcast = time.monotonic() + self.rebroadcast_s
                    await ask(self.client.send_raw_transaction(raw, _RAW))
                gone = await self._is_gone(signed, last_valid)  # asked before the status, which then is the last word
                status = await self._status(signature)
                silent_since = time.monotonic()
                if status is not None and _is_confirmed(status):
                    return _slot(status)
                if status is None and gone:
                    raise Conflict(f"transaction {signature} did not land and never will: {gone}")
            except ChainUnavailable as error:
                if time.monotonic() - silent_since > self.patience_s:
                    raise ChainUnavailable(
                        f"it is not known whether transaction {signature} landed; send the same again to see: {error}"
                    ) from error
            await asyncio.sleep(self.poll_s)

    async def _is_gone(self, signed: Draft, last_valid: int) -> str:
        """Why the transaction can land no more; empty while it can."""
        if signed.nonce is not None:
            return await self._spent(signed, signed.nonce)
        height = (await ask(self.client.get_block_height(Finalized))).value
        return "its blockhash has expired; build it anew" if height > last_valid else ""

    async def _spent(self, signed: Draft, address: Pubkey) -> str:
        try:
            stored = (await read_nonce(self.client, address)).stored
        except NotFound:
            return f"the nonce account {address} was closed; build it anew with another"
        is_ours = stored == signed.message.recent_blockhash
        return "" if is_ours else f"the nonce {address} was spent by another transaction; build it anew"

    async def _preflight(self, signed: Draft, transaction: VersionedTransaction) -> None:
        outcome = (
            await ask(self.client.simulate_transaction(transaction, sig_verify=True, commitment=Confirmed))
        ).value
        if outcome.err is None:
            return
        if error_name(outcome.err) != "BlockhashNotFound":
            raise refusal_of(outcome.err, outcome.logs or ())
        if signed.nonce is None:
            raise Conflict(
                "this transaction has expired: without a durable nonce it lands within about a minute of being built. "
                "Build it anew, with --nonce if signing takes longer"
            )
        raise Conflict(
            f"this transaction cannot land: {await self._spent(signed, signed.nonce) or 'its nonce is wrong'}"
        )

    async def _status(self, signature: Signature) -> TransactionStatus | None:
        answer = await ask(self.client.get_signature_statuses([signature], search_transaction_history=True))
        return answer.value[0]


async def _simulated(client: AsyncClient, instructions: Sequence[Instruction], payer: Pubkey) -> int:
    """Compute units used, those of the budget included. Nobody signs for a simulation."""
    budget = [set_compute_unit_limit(MAX_COMPUTE_UNITS), set_compute_unit_price(1)]
    transaction = Draft(Hash.default(), compile_message([*budget, *instructions], payer, Hash.default())).unsigned()
    call = client.simulate_transaction(transaction, commitment=Confirmed, replace_recent_blockhash=True)
    outcome = (await ask(call)).value
    if outcome.err is not None:
        raise refusal_of(outcome.err, outcome.logs or ())
    return outcome.units_consumed or MAX_COMPUTE_UNITS


def _is_confirmed(status: TransactionStatus) -> bool:
    return status.confirmation_status in (
        TransactionConfirmationStatus.Confirmed,
        TransactionConfirmationStatus.Finalized,
    )


def _slot(status: TransactionStatus) -> int:
    if status.err is not None:
        raise refusal_of(status.err)
    return status.slot
