"""Signed transactions that fit a packet, and what a failed one means."""

from collections.abc import Sequence

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import InstructionErrorCustom, TransactionErrorInstructionError

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.refusals import refusal_name

PACKET_SIZE = 1232
"""The most bytes a serialised transaction may have."""


def sign(
    instructions: Sequence[Instruction],
    signers: Sequence[Keypair],
    blockhash: Hash,
    *,
    compute_units: int | None = None,
    micro_lamports_per_unit: int = 0,
) -> VersionedTransaction:
    """One transaction, paid by the first signer. Raises MalformedInput when it does not fit a packet."""
    budget = [] if compute_units is None else [set_compute_unit_limit(compute_units)]
    if micro_lamports_per_unit:
        budget.append(set_compute_unit_price(micro_lamports_per_unit))
    message = MessageV0.try_compile(signers[0].pubkey(), [*budget, *instructions], [], blockhash)
    transaction = VersionedTransaction(message, list(signers))
    size = len(bytes(transaction))
    if size > PACKET_SIZE:
        raise MalformedInput(f"the transaction has {size} bytes, a packet holds {PACKET_SIZE}: send it in parts")
    return transaction


def fits(instructions: Sequence[Instruction], payer: Pubkey) -> bool:
    """Whether one transaction, paid by ``payer`` and with a compute budget, holds them."""
    return size_of([set_compute_unit_limit(0), set_compute_unit_price(0), *instructions], payer) <= PACKET_SIZE


def size_of(instructions: Sequence[Instruction], payer: Pubkey) -> int:
    """Bytes of the transaction with just these instructions."""
    message = MessageV0.try_compile(payer, list(instructions), [], Hash.default())
    signatures = [Signature.default()] * message.header.num_required_signatures
    return len(bytes(VersionedTransaction.populate(message, signatures)))


def refusal_of(error: object, logs: Sequence[str] = ()) -> ProgramRefused:
    """The failure of a transaction as ProgramRefused: our refusal's name, or that of the runtime's error."""
    name = error_name(error)
    if any("insufficient lamports" in line for line in logs):
        name = "InsufficientFunds"
    tail = "; ".join(line for line in logs[-6:] if "failed" in line or "insufficient" in line)
    return ProgramRefused(name, f"the chain refused the transaction: {name}" + (f" ({tail})" if tail else ""))


def error_name(error: object) -> str:
    """``WrongPredecessor``, ``MissingRequiredSignature``, ``AccountInUse`` …"""
    if isinstance(error, TransactionErrorInstructionError):
        inner = error.err
        if isinstance(inner, InstructionErrorCustom):
            return refusal_name(inner.code)
        error = inner
    text = str(error) if type(error).__name__.endswith("Fieldless") else type(error).__name__
    return text.rsplit(".", 1)[-1].removeprefix("TransactionError").removeprefix("InstructionError")
