"""Changes by a vote of the stake."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import (
    config_address,
    permission_address,
    proposal_address,
    prover_address,
    vote_address,
)
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions.build import build
from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    EXECUTE,
    PERMISSION,
    PROPOSE,
    ROLES,
    VOTE,
)
from proofgrid.settlement.parameters import Parameters


def propose_parameters(program_id: Pubkey, owner: Pubkey, number: int, parameters: Parameters) -> Instruction:
    """Put new parameters to the vote as proposal ``number``, the config's next; the cold ``owner`` signs and pays."""
    return _propose(program_id, owner, number, CHANGE_PARAMETERS, parameters.encode())


def propose_roles(program_id: Pubkey, owner: Pubkey, number: int, guardian: Pubkey, treasury: Pubkey) -> Instruction:
    """Put another guardian and another treasury (a token account) to the vote; ``owner`` as above."""
    change = ROLES.encode({"guardian": bytes(guardian), "treasury": bytes(treasury)})
    return _propose(program_id, owner, number, CHANGE_ROLES, change)


def propose_permission(program_id: Pubkey, owner: Pubkey, number: int, digest: bytes, denied: int) -> Instruction:
    """Put to the vote what a verifying key may not be used for: bits DENY_… of layout.governance; as above."""
    change = PERMISSION.encode({"digest": digest, "denied": denied})
    return _propose(program_id, owner, number, CHANGE_PERMISSION, change)


def vote(program_id: Pubkey, owner: Pubkey, number: int, *, in_favour: bool) -> Instruction:
    """Vote on proposal ``number`` with the active stake of the pool of the cold ``owner``, who signs and pays."""
    prover, _ = prover_address(program_id, owner)
    proposal, _ = proposal_address(program_id, number)
    accounts = {
        "owner": owner,
        "prover": prover,
        "proposal": proposal,
        "vote": vote_address(program_id, proposal, prover)[0],
    }
    return build(program_id, VOTE, accounts, {"in_favour": int(in_favour)})


def execute(
    program_id: Pubkey, payer: Pubkey, number: int, *, digest: bytes | None = None, treasury: Pubkey | None = None
) -> Instruction:
    """Let an accepted proposal take effect; name the permission's key or the new treasury if it is about one."""
    config, _ = config_address(program_id)
    subject = treasury if digest is None else permission_address(program_id, digest)[0]
    accounts = {
        "payer": payer,
        "config": config,
        "proposal": proposal_address(program_id, number)[0],
        "subject": subject or config,
    }
    return build(program_id, EXECUTE, accounts, {})


def _propose(program_id: Pubkey, owner: Pubkey, number: int, kind: int, change: bytes) -> Instruction:
    accounts = {
        "owner": owner,
        "prover": prover_address(program_id, owner)[0],
        "config": config_address(program_id)[0],
        "proposal": proposal_address(program_id, number)[0],
    }
    values: dict[str, Value] = {"kind": kind, "change": change}
    return build(program_id, PROPOSE, accounts, values)
