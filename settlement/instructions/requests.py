"""Requests: escrow, assignment, fulfilment, demands, and what becomes of those that are missed."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import (
    config_address,
    key_address,
    permission_address,
    prover_address,
    request_address,
    vault_address,
)
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.instructions.keys import encode_inputs
from proofgrid.settlement.layout.requests import (
    ASSIGN_REQUEST,
    CALL_BACK,
    CLOSE_REQUEST,
    DEMAND_REVEAL,
    FULFIL_REQUEST,
    OPEN_REQUEST,
    SLASH_MISSED,
)
from proofgrid.verifier.receipts import digest_public_inputs

NOBODY = Pubkey.default()


@dataclass(frozen=True)
class Terms:
    """What a requester asks for: the statement, the most it pays, until when, and who may assign a prover.

    Times are the chain's, in seconds; ``late_bps`` is the part of the price that a proof between the two deadlines
    earns. ``callback_units`` says how many compute units the callback program needs; senders budget no more.
    """

    key_digest: bytes
    inputs: tuple[int, ...]
    cap: int
    pay_until_s: int
    expire_s: int
    assigner: Pubkey
    late_bps: int = 5_000
    direct_only: bool = False
    callback_program: Pubkey = NOBODY
    callback_units: int = 0


def open_request(
    program_id: Pubkey, requester: Pubkey, nonce: int, terms: Terms, *, source: Pubkey, refund_to: Pubkey
) -> Instruction:
    """Put ``terms.cap`` tokens of ``source`` into escrow for one proof; ``requester`` signs and pays.

    ``nonce`` is any number that this requester has not in use. Raises MalformedInput for inputs outside [0, r).
    """
    encode_inputs(terms.inputs)
    accounts = {
        "requester": requester,
        "config": config_address(program_id)[0],
        "key": key_address(program_id, terms.key_digest)[0],
        "permission": permission_address(program_id, terms.key_digest)[0],
        "request": request_address(program_id, requester, nonce)[0],
        "source": source,
        "vault": vault_address(program_id)[0],
        "refund_to": refund_to,
    }
    values: dict[str, Value] = {
        "direct_only": int(terms.direct_only),
        "late_bps": terms.late_bps,
        "callback_units": terms.callback_units,
        "nonce": nonce,
        "cap": terms.cap,
        "pay_until_s": terms.pay_until_s,
        "expire_s": terms.expire_s,
        "inputs": digest_public_inputs(terms.inputs),
        "assigner": bytes(terms.assigner),
        "callback_program": bytes(terms.callback_program),
    }
    return build(program_id, OPEN_REQUEST, accounts, values)


def close_request(
    program_id: Pubkey, requester: Pubkey, request: Pubkey, destination: Pubkey, *, signed: bool
) -> Instruction:
    """Cancel, refund or clean up a request; ``signed`` by its requester it may be cancelled and sent anywhere."""
    accounts = {
        "requester": requester,
        "config": config_address(program_id)[0],
        "request": request,
        "vault": vault_address(program_id)[0],
        "destination": destination,
    }
    built = build(program_id, CLOSE_REQUEST, accounts, {})
    return Instruction(program_id, built.data, [AccountMeta(requester, signed, True), *built.accounts[1:]])


def assign_request(
    program_id: Pubkey, request: Pubkey, *, assigner: Pubkey, owner: Pubkey, signer: Pubkey, price: int
) -> Instruction:
    """Assign a request to the prover of ``owner`` at a price; ``assigner`` and the prover's hot ``signer`` sign."""
    accounts = {
        "assigner": assigner,
        "signer": signer,
        "config": config_address(program_id)[0],
        "prover": prover_address(program_id, owner)[0],
        "request": request,
    }
    return build(program_id, ASSIGN_REQUEST, accounts, {"price": price})


def fulfil_request(
    program_id: Pubkey,
    request: Pubkey,
    *,
    prover: Pubkey,
    refund_to: Pubkey,
    key_digest: bytes,
    inputs: Sequence[int],
    proof: bytes,
) -> Instruction:
    """Verify a proof (256 bytes, ``Proof.encode()``) on chain and pay the assigned prover."""
    accounts = {
        "config": config_address(program_id)[0],
        "prover": prover,
        "request": request,
        "key": key_address(program_id, key_digest)[0],
        "vault": vault_address(program_id)[0],
        "refund_to": refund_to,
    }
    return build(program_id, FULFIL_REQUEST, accounts, {"proof": proof}, encode_inputs(inputs))


def call_back(
    program_id: Pubkey, request: Pubkey, callback_program: Pubkey, accounts: Sequence[AccountMeta] = ()
) -> Instruction:
    """Tell the requester's program that the request is fulfilled; it is given ``accounts``, none as a signer."""
    built = build(program_id, CALL_BACK, {"request": request, "callback_program": callback_program}, {})
    return Instruction(program_id, built.data, [*built.accounts, *accounts])


def slash_missed(program_id: Pubkey, request: Pubkey, *, prover: Pubkey, refund_to: Pubkey) -> Instruction:
    """Slash a prover that missed its deadline and refund the requester; anyone may ask."""
    accounts = {
        "config": config_address(program_id)[0],
        "prover": prover,
        "request": request,
        "vault": vault_address(program_id)[0],
        "refund_to": refund_to,
    }
    return build(program_id, SLASH_MISSED, accounts, {})


def demand_reveal(program_id: Pubkey, requester: Pubkey, request: Pubkey, source: Pubkey) -> Instruction:
    """Post a bond and demand that the proof be shown on chain; ``requester`` signs."""
    accounts = {
        "requester": requester,
        "config": config_address(program_id)[0],
        "request": request,
        "source": source,
        "vault": vault_address(program_id)[0],
    }
    return build(program_id, DEMAND_REVEAL, accounts, {})
