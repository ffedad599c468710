"""Provers, their stake and their earnings."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import config_address, position_address, prover_address, vault_address
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.provers import (
    COLLECT_EARNINGS,
    DEPOSIT_STAKE,
    REGISTER_PROVER,
    REQUEST_EXIT,
    UPDATE_PROVER,
    WITHDRAW_STAKE,
)


def register_prover(
    program_id: Pubkey, owner: Pubkey, *, signer: Pubkey, payout: Pubkey, pool_bps: int = 0
) -> Instruction:
    """Open a pool of stake under a cold ``owner``, who signs and pays.

    ``signer`` is the hot key that works for it; ``payout`` the token account that earnings go to; ``pool_bps`` the
    share of each payment, in basis points, that stays in the pool for all who stake; it never changes.
    """
    accounts = {
        "owner": owner,
        "config": config_address(program_id)[0],
        "prover": prover_address(program_id, owner)[0],
        "payout": payout,
    }
    values: dict[str, Value] = {"pool_bps": pool_bps, "signer": bytes(signer)}
    return build(program_id, REGISTER_PROVER, accounts, values)


def update_prover(program_id: Pubkey, owner: Pubkey, *, signer: Pubkey, payout: Pubkey) -> Instruction:
    """Name another hot key and another payout account; the cold ``owner`` signs, the old key has no say any more."""
    accounts = {
        "owner": owner,
        "config": config_address(program_id)[0],
        "prover": prover_address(program_id, owner)[0],
        "payout": payout,
    }
    return build(program_id, UPDATE_PROVER, accounts, {"signer": bytes(signer)})


def deposit_stake(program_id: Pubkey, prover: Pubkey, staker: Pubkey, source: Pubkey, amount: int) -> Instruction:
    """Add ``amount`` tokens of ``source`` to a prover's pool; ``staker`` owns them, signs and gets shares."""
    accounts = {**_position(program_id, prover, staker), "source": source}
    return build(program_id, DEPOSIT_STAKE, accounts, {"amount": amount})


def request_exit(program_id: Pubkey, prover: Pubkey, staker: Pubkey, shares: int) -> Instruction:
    """Start the exit window of ``shares``; ``staker`` signs. They can be slashed until they are withdrawn."""
    return build(program_id, REQUEST_EXIT, _position(program_id, prover, staker), {"shares": shares})


def withdraw_stake(program_id: Pubkey, prover: Pubkey, staker: Pubkey, destination: Pubkey) -> Instruction:
    """Send what exiting shares are worth to ``destination``, a token account, after the window; ``staker`` signs."""
    accounts = {**_position(program_id, prover, staker), "destination": destination}
    return build(program_id, WITHDRAW_STAKE, accounts, {})


def collect_earnings(program_id: Pubkey, prover: Pubkey, payout: Pubkey) -> Instruction:
    """Send what a prover earned to its payout account; anyone may ask."""
    accounts = {
        "config": config_address(program_id)[0],
        "prover": prover,
        "vault": vault_address(program_id)[0],
        "payout": payout,
    }
    return build(program_id, COLLECT_EARNINGS, accounts, {})


def _position(program_id: Pubkey, prover: Pubkey, staker: Pubkey) -> dict[str, Pubkey]:
    return {
        "staker": staker,
        "config": config_address(program_id)[0],
        "prover": prover,
        "position": position_address(program_id, prover, staker)[0],
        "vault": vault_address(program_id)[0],
    }
