"""Proposals, votes by stake and what a vote changes (ADR 5)."""

from types import SimpleNamespace

from pydantic import ValidationError

from proofgrid.settlement.layout.governance import (
    CHANGE_PARAMETERS,
    CHANGE_PERMISSION,
    CHANGE_ROLES,
    DENY_BATCHES,
    DENY_REQUESTS,
    EXECUTE,
    PROPOSE,
    ROLES,
    VOTE,
)
from proofgrid.settlement.parameters import Parameters
from tests.settlement.model.ledger import Demands, Given, Ledger, rule
from tests.settlement.model.records import Permission, Proposal, Prover, Vote, rules_of


def _is_allowed(kind: int, change: bytes) -> bool:
    """The bounds that no vote can move."""
    if kind == CHANGE_PERMISSION:
        return change[32] <= DENY_REQUESTS | DENY_BATCHES
    if kind == CHANGE_PARAMETERS:
        try:
            Parameters.decode(change)
        except ValidationError:
            return False
    return True


def _is_gradual(now: SimpleNamespace, then: SimpleNamespace) -> bool:
    """No window and no bond shrinks to less than half."""
    kept = [
        name
        for name in vars(now)
        if name.endswith("_s") or name in ("min_stake", "leaf_bond", "job_bond", "demand_bond")
    ]
    return all(2 * getattr(then, name) >= getattr(now, name) for name in kept)


@rule(PROPOSE)
def propose(ledger: Ledger, given: Given, must: Demands) -> None:
    network, prover = ledger.network, ledger.read(given["prover"], Prover)
    kind, change, number = given.arguments["kind"], given.arguments["change"], network.next_proposal
    must(given["owner"] == prover.owner, "NotOwner")
    must(prover.active >= network.rules.min_stake, "StakeTooSmall")
    if must(kind in (CHANGE_PARAMETERS, CHANGE_ROLES, CHANGE_PERMISSION), "UnknownChange"):
        must(_is_allowed(kind, change), "ParameterOutOfRange")
    canonical, bump = ledger.find(b"proposal", number.to_bytes(8, "little"))
    must(given["proposal"] == canonical, "WrongProposalAddress")
    must.hold()
    vote_until_s = ledger.now_s + network.rules.vote_window_s
    execute_from_s = vote_until_s + network.rules.execute_delay_s
    proposal = Proposal(
        proposer=given["prover"],
        number=number,
        vote_until_s=vote_until_s,
        execute_from_s=execute_from_s,
        execute_until_s=execute_from_s + network.rules.vote_window_s,
        change=change,
        kind=kind,
        bump=bump,
    )
    ledger.make(canonical, proposal, given["owner"])
    network.next_proposal += 1


@rule(VOTE)
def vote(ledger: Ledger, given: Given, must: Demands) -> None:
    prover, proposal = ledger.read(given["prover"], Prover), ledger.read(given["proposal"], Proposal)
    in_favour, weight = given.arguments["in_favour"], prover.active
    must(given["owner"] == prover.owner, "NotOwner")
    must(in_favour in (0, 1), "MalformedFlag")
    must(ledger.now_s < proposal.vote_until_s, "VotingOver")
    must(weight > 0, "StakeTooSmall")
    canonical, bump = ledger.find(b"vote", given["proposal"], given["prover"])
    if must(given["vote"] == canonical, "WrongVoteAddress"):
        must(ledger.is_free(canonical), "AlreadyVoted")
    must.hold()
    record = Vote(prover=given["prover"], proposal=proposal.number, weight=weight, in_favour=in_favour, bump=bump)
    ledger.make(canonical, record, given["owner"])
    if in_favour:
        proposal.votes_for += weight
    else:
        proposal.votes_against += weight


@rule(EXECUTE)
def execute(ledger: Ledger, given: Given, must: Demands) -> None:
    network, proposal, subject = ledger.network, ledger.read(given["proposal"], Proposal), given["subject"]
    must(not proposal.executed, "AlreadyExecuted")
    must(ledger.now_s >= proposal.execute_from_s, "NotYetExecutable")
    must(ledger.now_s < proposal.execute_until_s, "ProposalExpired")
    must(proposal.votes_for > proposal.votes_against, "ProposalRejected")
    must(proposal.votes_for >= network.total_stake * network.rules.quorum_bps // 10_000, "ProposalRejected")
    if proposal.kind == CHANGE_PARAMETERS:
        must(proposal.number >= network.current_from, "ProposalOutdated")
        must(_is_gradual(network.rules, rules_of(proposal.change)), "ChangeTooLarge")
    if proposal.kind == CHANGE_ROLES:
        roles = ROLES.decode(proposal.change)
        must(subject == roles["treasury"] and ledger.may_receive(subject), "WrongTokenAccount")
        must(subject != network.vault, "WrongTokenAccount")
    if proposal.kind == CHANGE_PERMISSION:
        digest, denied = proposal.change[:32], proposal.change[32]
        canonical, bump = ledger.find(b"permission", digest)
        must(subject == canonical, "WrongPermissionAddress")
    must.hold()
    proposal.executed = 1
    if proposal.kind == CHANGE_PARAMETERS:
        network.parameters, network.current_from = proposal.change, network.next_proposal
    elif proposal.kind == CHANGE_ROLES:
        network.guardian, network.treasury = roles["guardian"], roles["treasury"]
    elif canonical in ledger.records:
        ledger.read(canonical, Permission).denied = denied
    else:
        ledger.make(canonical, Permission(digest=digest, denied=denied, bump=bump), given["payer"])
