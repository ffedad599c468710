"""The network's beginning, its stop, its fees and what is burned."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import config_address, program_data_address, vault_address
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.config import BURN, COLLECT_FEES, INITIALIZE, SET_PAUSED
from proofgrid.settlement.parameters import Parameters


def initialize(
    program_id: Pubkey,
    authority: Pubkey,
    *,
    mint: Pubkey,
    treasury: Pubkey,
    guardian: Pubkey,
    parameters: Parameters,
) -> Instruction:
    """Make the network's config and vault, once; ``authority`` is the program's upgrade authority, pays and signs."""
    accounts = {
        "authority": authority,
        "config": config_address(program_id)[0],
        "vault": vault_address(program_id)[0],
        "mint": mint,
        "treasury": treasury,
        "program_data": program_data_address(program_id),
    }
    values = {"guardian": bytes(guardian), "parameters": parameters.encode()}
    return build(program_id, INITIALIZE, accounts, values)


def set_paused(program_id: Pubkey, guardian: Pubkey, *, paused: bool) -> Instruction:
    """Stop new money, or let it in again; the ``guardian`` signs."""
    accounts = {"guardian": guardian, "config": config_address(program_id)[0]}
    return build(program_id, SET_PAUSED, accounts, {"paused": int(paused)})


def collect_fees(program_id: Pubkey, treasury: Pubkey) -> Instruction:
    """Send the fees that have gathered to the treasury."""
    accounts = {
        "config": config_address(program_id)[0],
        "vault": vault_address(program_id)[0],
        "treasury": treasury,
    }
    return build(program_id, COLLECT_FEES, accounts, {})


def burn(program_id: Pubkey, mint: Pubkey) -> Instruction:
    """Take what slashing left to nobody out of the mint's supply; not possible for wrapped SOL."""
    accounts = {"config": config_address(program_id)[0], "vault": vault_address(program_id)[0], "mint": mint}
    return build(program_id, BURN, accounts, {})
