"""``proofgrid escrow``: requests whose money lies on chain: opened, looked at, demanded, cancelled."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofgrid.cli.action import Action, Plan, Reading, acting, reading
from proofgrid.errors import MalformedInput

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from proofgrid.cli.chain import Chain
    from proofgrid.settlement.accounts import RequestAccount

commands = typer.Typer(no_args_is_help=True, help="Escrow: pay for a proof through the chain, and get back the rest.")

Request = Annotated[str, typer.Argument(help="The request's account.")]
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(commands, name="escrow", rich_help_panel="On chain")
    commands.command("open")(open_request)
    commands.command("show")(show)
    commands.command("demand")(demand)
    commands.command("slash")(slash)
    commands.command("cancel")(cancel)


@acting
def open_request(
    action: Action,
    amount: Annotated[str, typer.Argument(help="The most to pay, in tokens, as 12.5.")],
    verifying_key: Annotated[
        Path, typer.Option("--verifying-key", exists=True, dir_okay=False, help="snarkjs' JSON; registered on chain.")
    ],
    public: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The public inputs, snarkjs' JSON.")],
    assigner: Annotated[str, typer.Option(help="Address of the key that may assign a prover: the coordinator's.")],
    pay_within: Annotated[str, typer.Option(help="Paid in full until then from now: 90s, 30m, 12h, 7d.")] = "1h",
    expire_within: Annotated[str, typer.Option(help="Accepted until then, for less pay.")] = "2h",
    late_bps: Annotated[
        int, typer.Option(min=0, max=10_000, help="Basis points of the price that a late proof earns.")
    ] = 5_000,
    direct_only: Annotated[bool, typer.Option(help="Only a proof verified on chain is paid, no batch.")] = False,
    number: Annotated[
        int | None, typer.Option(min=0, max=(1 << 64) - 1, help="The request's number. (Default: random.)")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Token account that pays. (Default: the keypair's own.)")] = None,
) -> None:
    """Put tokens into escrow for one proof of one statement; what is not paid comes back to the same account."""
    import secrets

    from proofgrid.settlement.addresses import request_address
    from proofgrid.settlement.instructions.requests import Terms
    from proofgrid.settlement.instructions.requests import open_request as build
    from proofgrid.settlement.wallet import parse_address
    from proofgrid.verifier.keys import load_public_inputs, load_verifying_key

    key, inputs = load_verifying_key(verifying_key), load_public_inputs(public)
    if len(inputs) != key.n_public:
        raise MalformedInput(f"{public} holds {len(inputs)} inputs, the key takes {key.n_public}")
    trusted, chosen = parse_address(assigner), secrets.randbits(64) if number is None else number
    pay_s, expire_s = _seconds(pay_within), _seconds(expire_within)

    async def plan(chain: "Chain") -> Plan:
        account, _ = await chain.token_account(source, action)
        now_s = await chain.time_s()
        terms = Terms(
            key_digest=key.digest(),
            inputs=tuple(inputs),
            cap=chain.units(amount),
            pay_until_s=now_s + pay_s,
            expire_s=now_s + expire_s,
            assigner=trusted,
            late_bps=late_bps,
            direct_only=direct_only,
        )
        made = build(chain.program_id, action.me, chosen, terms, source=account, refund_to=account)
        place, _ = request_address(chain.program_id, action.me, chosen)
        return Plan([made], {"request": str(place), "number": str(chosen), "cap": chain.tokens(terms.cap)})

    action.act(plan)


@reading
def show(looking: Reading, request: Request) -> None:
    """Show a request: how it stands, its deadlines and its money."""
    from proofgrid.settlement.accounts import RequestAccount
    from proofgrid.settlement.wallet import parse_address

    async def look(chain: "Chain") -> tuple[dict[str, Any], list[str]]:
        place = parse_address(request)
        account = await chain.fetch(RequestAccount, place, "request")
        return {"address": str(place), **account.model_dump(mode="json")}, _lines(chain, place, account)

    facts, lines = looking.read(look)
    looking.out.result(facts, "\n".join(lines))


@acting
def demand(
    action: Action,
    request: Request,
    source: Annotated[
        str | None, typer.Option(help="Token account for the bond. (Default: the keypair's own.)")
    ] = None,
) -> None:
    """Demand that the assigned prover shows its proof on chain. Your bond is the prover's if it does."""
    from proofgrid.settlement.instructions import requests
    from proofgrid.settlement.wallet import parse_address

    async def plan(chain: "Chain") -> Plan:
        account, _ = await chain.token_account(source, action)
        made = requests.demand_reveal(chain.program_id, action.me, parse_address(request), account)
        return Plan([made], {"bond": chain.tokens(chain.config.rules.demand_bond)})

    action.act(plan)


@acting
def slash(action: Action, request: Request) -> None:
    """Slash the prover that missed its deadline: its bond and the escrow go to the requester. Anyone may."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.accounts import RequestAccount
    from proofgrid.settlement.instructions import requests
    from proofgrid.settlement.wallet import parse_address

    async def plan(chain: "Chain") -> Plan:
        place = parse_address(request)
        found = await chain.fetch(RequestAccount, place, "request")
        prover, to = Pubkey(found.prover), Pubkey(found.refund_to)
        made = requests.slash_missed(chain.program_id, place, prover=prover, refund_to=to)
        return Plan([made], {"prover": str(prover), "bond": chain.tokens(found.bond), "refund_to": str(to)})

    action.act(plan)


@acting
def cancel(
    action: Action,
    request: Request,
    destination: Annotated[
        str | None, typer.Option(help="Token account for what comes back. (Default: the keypair's own.)")
    ] = None,
) -> None:
    """Cancel a request that nobody is assigned to, or clean up one that is over; the escrow and the rent come back."""
    from proofgrid.settlement.instructions import requests
    from proofgrid.settlement.wallet import parse_address

    async def plan(chain: "Chain") -> Plan:
        place = parse_address(request)
        to, before = await chain.token_account(destination, action)
        made = requests.close_request(chain.program_id, action.me, place, to, signed=True)
        return Plan([*before, made], {"request": str(place), "destination": str(to)})

    action.act(plan)


def _seconds(text: str) -> int:
    """``90s``, ``30m``, ``12h``, ``7d``."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise MalformedInput(f"a duration is a number and s, m, h or d, as 30m; got {text[:40]!r}")
    return int(number) * _UNITS_S[unit]


def _lines(chain: "Chain", address: "Pubkey", account: "RequestAccount") -> list[str]:
    from solders.pubkey import Pubkey

    from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, FULFILLED, MISSED, OPEN
    from proofgrid.settlement.summary import show_time

    names = {OPEN: "open", ASSIGNED: "assigned", DEMANDED: "demanded", FULFILLED: "fulfilled", MISSED: "missed"}
    rows: list[tuple[str, object]] = [
        ("request", address),
        ("state", names.get(account.state, account.state)),
        ("requester", Pubkey(account.requester)),
        ("in escrow, at most", chain.tokens(account.cap)),
        ("paid in full until", show_time(account.pay_until_s)),
        ("expires", show_time(account.expire_s)),
    ]
    if account.state != OPEN:
        rows += [("prover", Pubkey(account.prover)), ("price", chain.tokens(account.price))]
        rows += [("bond of the prover", chain.tokens(account.bond))]
    if account.state in (ASSIGNED, DEMANDED):
        until = account.answer_until_s if account.state == DEMANDED else account.settle_until_s
        rows.append(("slashed if not by", show_time(until)))
    if account.refund:
        rows.append(("refund waiting", chain.tokens(account.refund)))
    return [f"{name:<20}{value}" for name, value in rows]
