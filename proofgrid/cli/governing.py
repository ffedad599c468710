"""``proofgrid governance`` and ``proofgrid network``: what the stake decides, and what the guardian may stop."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from proofgrid.cli.action import Action, Plan, Reading, acting, reading
from proofgrid.errors import MalformedInput

if TYPE_CHECKING:
    from proofgrid.cli.chain import Chain
    from proofgrid.settlement.accounts import ProposalAccount
    from proofgrid.settlement.parameters import Parameters

governance = typer.Typer(
    no_args_is_help=True, help="Governance: propose changes, vote with stake, let them take effect."
)
network = typer.Typer(no_args_is_help=True, help="The network on chain: its rules, its stop, its fees.")

Number = Annotated[int, typer.Argument(min=0, max=(1 << 64) - 1, help="The proposal's number.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(governance, name="governance", rich_help_panel="On chain")
    app.add_typer(network, name="network", rich_help_panel="On chain")
    governance.command("propose")(propose)
    governance.command("vote")(vote)
    governance.command("execute")(execute)
    governance.command("show")(show_proposal)
    network.command("show")(show_network)
    network.command("pause")(pause)
    network.command("resume")(resume)
    network.command("collect")(collect)
    network.command("burn")(burn)


@acting
def propose(
    action: Action,
    changes: Annotated[
        list[str] | None, typer.Argument(help="NAME=VALUE of parameters, as `network show` names them.")
    ] = None,
    guardian: Annotated[str | None, typer.Option(help="Another guardian.")] = None,
    treasury: Annotated[str | None, typer.Option(help="Another treasury: a token account.")] = None,
    key: Annotated[str | None, typer.Option(help="Digest (hex) of a verifying key to permit or deny.")] = None,
    deny: Annotated[
        str, typer.Option(help="What that key may not do: nothing, requests, batches, everything.")
    ] = "nothing",
) -> None:
    """Put a change to the vote: parameters, roles, or what a verifying key may be used for. For provers' owners."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.instructions import governance as build
    from proofgrid.settlement.wallet import parse_address

    kinds = (bool(changes), guardian is not None or treasury is not None, key is not None)
    if sum(kinds) != 1:
        raise MalformedInput("propose one thing: NAME=VALUE …, or --guardian and --treasury, or --key with --deny")

    async def plan(chain: "Chain") -> Plan:
        number, now = chain.config.next_proposal, chain.config
        if changes:
            made = build.propose_parameters(chain.program_id, action.me, number, _changed(chain, now.rules, changes))
        elif key is not None:
            made = build.propose_permission(chain.program_id, action.me, number, _digest(key), _denied(deny))
        else:
            roles = (
                Pubkey(now.guardian) if guardian is None else parse_address(guardian),
                Pubkey(now.treasury) if treasury is None else parse_address(treasury),
            )
            made = build.propose_roles(chain.program_id, action.me, number, *roles)
        return Plan([made], {"proposal": number, "vote_window_s": now.rules.vote_window_s})

    action.act(plan)


@acting
def vote(
    action: Action,
    number: Number,
    in_favour: Annotated[bool, typer.Option("--for/--against", help="How.", show_default=False)],
) -> None:
    """Vote on a proposal with the active stake of your pool; the keypair is its owner. A vote is not changed."""
    from proofgrid.settlement.instructions import governance as build

    async def plan(chain: "Chain") -> Plan:
        made = build.vote(chain.program_id, action.me, number, in_favour=in_favour)
        return Plan([made], {"proposal": number, "vote": "for" if in_favour else "against"})

    action.act(plan)


@acting
def execute(action: Action, number: Number) -> None:
    """Let an accepted proposal take effect, after its delay; anyone may."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.instructions import governance as build
    from proofgrid.settlement.layout.governance import CHANGE_PERMISSION, CHANGE_ROLES, PERMISSION, ROLES

    async def plan(chain: "Chain") -> Plan:
        proposal = await _proposal(chain, number)
        digest = treasury = None
        if proposal.kind == CHANGE_PERMISSION:
            digest = cast(bytes, PERMISSION.decode(proposal.change)["digest"])
        elif proposal.kind == CHANGE_ROLES:
            treasury = Pubkey(cast(bytes, ROLES.decode(proposal.change)["treasury"]))
        made = build.execute(chain.program_id, action.fee_payer, number, digest=digest, treasury=treasury)
        return Plan([made], {"proposal": number})

    action.act(plan)


@reading
def show_proposal(looking: Reading, number: Number) -> None:
    """Show a proposal: what it changes, its votes and its times."""
    from proofgrid.settlement.summary import describe_change, show_time

    async def look(chain: "Chain") -> tuple[dict[str, Any], list[str]]:
        found = await _proposal(chain, number)
        change = describe_change(found.kind, found.change, chain.decimals)
        total = chain.config.total_stake
        quorum = total * chain.config.rules.quorum_bps // 10_000
        rows = [
            ("proposal", number),
            *change.items(),
            ("for", chain.tokens(found.votes_for)),
            ("against", chain.tokens(found.votes_against)),
            ("quorum", f"{chain.tokens(quorum)} of {chain.tokens(total)} must vote"),
            ("vote until", show_time(found.vote_until_s)),
            ("execute from", show_time(found.execute_from_s)),
            ("execute until", show_time(found.execute_until_s)),
            ("executed", "yes" if found.executed else "no"),
        ]
        facts = found.model_dump(mode="json") | {"change": change}
        return facts, [f"{name:<34}{value}" for name, value in rows]

    facts, lines = looking.read(look)
    looking.out.result(facts, "\n".join(lines))


@reading
def show_network(looking: Reading) -> None:
    """Show the network: its token, its roles, its parameters, its stake, whether it is paused."""
    from solders.pubkey import Pubkey

    async def look(chain: "Chain") -> tuple[dict[str, Any], list[str]]:
        now = chain.config
        rows: list[tuple[str, object]] = [
            ("program", chain.program_id),
            ("mint", f"{chain.mint}, {chain.decimals} decimals"),
            ("guardian", Pubkey(now.guardian)),
            ("treasury", Pubkey(now.treasury)),
            ("paused", "yes: no new money comes in" if now.paused else "no"),
            ("all stake", chain.tokens(now.total_stake)),
            ("fees to collect", chain.tokens(now.fees)),
            *describe_parameters(chain).items(),
        ]
        facts = {"program": str(chain.program_id), "decimals": chain.decimals, **now.model_dump(mode="json")}
        return facts, [f"{name.removeprefix('parameters.'):<24}{value}" for name, value in rows]

    facts, lines = looking.read(look)
    looking.out.result(facts, "\n".join(lines))


@acting
def pause(action: Action) -> None:
    """Stop new money: deposits, requests, assignments. Batches, payments and withdrawals go on. For the guardian."""
    _set_paused(action, paused=True)


@acting
def resume(action: Action) -> None:
    """Let new money in again. For the guardian."""
    _set_paused(action, paused=False)


@acting
def collect(action: Action) -> None:
    """Send the network's fees to its treasury; anyone may, the keypair only pays the fee."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.instructions import config

    async def plan(chain: "Chain") -> Plan:
        made = config.collect_fees(chain.program_id, Pubkey(chain.config.treasury))
        return Plan([made], {"collected": chain.tokens(chain.config.fees)})

    action.act(plan, ask=False)


@acting
def burn(action: Action) -> None:
    """Take what slashing left to nobody out of the token's supply; anyone may. Not possible with wrapped SOL."""
    from proofgrid.settlement.instructions import config

    async def plan(chain: "Chain") -> Plan:
        return Plan([config.burn(chain.program_id, chain.mint)], {"burned": chain.tokens(chain.config.burned)})

    action.act(plan, ask=False)


def _set_paused(action: Action, *, paused: bool) -> None:
    from proofgrid.settlement.instructions import config

    async def plan(chain: "Chain") -> Plan:
        return Plan([config.set_paused(chain.program_id, action.me, paused=paused)], {"paused": paused})

    action.act(plan)


def describe_parameters(chain: "Chain") -> dict[str, str]:
    """The parameters in words."""
    from proofgrid.settlement.layout.governance import CHANGE_PARAMETERS
    from proofgrid.settlement.summary import describe_change

    return describe_change(CHANGE_PARAMETERS, chain.config.parameters, chain.decimals)


async def _proposal(chain: "Chain", number: int) -> "ProposalAccount":
    from proofgrid.settlement.accounts import ProposalAccount
    from proofgrid.settlement.addresses import proposal_address

    address, _ = proposal_address(chain.program_id, number)
    return await chain.fetch(ProposalAccount, address, f"proposal {number}")


def _changed(chain: "Chain", now: "Parameters", changes: list[str]) -> "Parameters":
    """The parameters with these changes; amounts are in tokens, windows in seconds, shares in basis points."""
    from pydantic import ValidationError

    from proofgrid.settlement.parameters import Parameters
    from proofgrid.settlement.summary import AMOUNTS

    values = now.model_dump()
    for change in changes:
        name, _, text = change.partition("=")
        if name not in values:
            raise MalformedInput(f"{name[:40]!r} is no parameter; there are: {', '.join(values)}")
        if name in AMOUNTS:
            values[name] = chain.units(text)
        elif text.isascii() and text.isdigit() and len(text) < 20:
            values[name] = int(text)
        else:
            raise MalformedInput(
                f"{name} is a whole number, of seconds (…_s) or basis points (…_bps); got {text[:40]!r}"
            )
    try:
        return Parameters.model_validate(values)
    except ValidationError as error:
        raise MalformedInput("; ".join(str(one["msg"]) for one in error.errors(include_url=False))) from None


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise MalformedInput("a verifying key's digest is 64 hexadecimal digits: `proofgrid inspect KEY.json` says it")
    return digest


def _denied(text: str) -> int:
    from proofgrid.settlement.layout.governance import DENY_BATCHES, DENY_REQUESTS

    bits = {
        "nothing": 0,
        "requests": DENY_REQUESTS,
        "batches": DENY_BATCHES,
        "everything": DENY_REQUESTS | DENY_BATCHES,
    }
    if text not in bits:
        raise MalformedInput(f"--deny takes one of {', '.join(bits)}, got {text[:40]!r}")
    return bits[text]
