"""``proofgrid prover`` and ``proofgrid stake``: who proves, with which keys, and the tokens that stand behind it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofgrid.cli.action import Action, Plan, Reading, acting, reading
from proofgrid.errors import MalformedInput

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from proofgrid.cli.chain import Chain
    from proofgrid.settlement.accounts import PositionAccount, ProverAccount

prover_app = typer.Typer(no_args_is_help=True, help="Provers: register one, change its keys, look, collect earnings.")
stake_app = typer.Typer(no_args_is_help=True, help="Stake: deposit tokens in a prover's pool, and take them out again.")

Signer = Annotated[str | None, typer.Option(help="Address of the hot key that signs the prover's work.")]
Payout = Annotated[str | None, typer.Option(help="Token account for earnings. (Default: the owner's own.)")]
OfProver = Annotated[str | None, typer.Option("--prover", help="The prover's or its owner's address. (Default: own.)")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(prover_app, name="prover", rich_help_panel="On chain")
    app.add_typer(stake_app, name="stake", rich_help_panel="On chain")
    prover_app.command("register")(register_prover)
    prover_app.command("update")(update_prover)
    prover_app.command("show")(show_prover)
    prover_app.command("collect")(collect)
    stake_app.command("deposit")(deposit)
    stake_app.command("exit")(leave)
    stake_app.command("withdraw")(withdraw)
    stake_app.command("show")(show_stake)


@acting
def register_prover(
    action: Action,
    signer: Annotated[str, typer.Option(help="Address of the hot key that will sign the prover's work.")],
    payout: Payout = None,
    pool_bps: Annotated[
        int, typer.Option(min=0, max=10_000, help="Basis points of each payment that stay in the pool; for good.")
    ] = 0,
) -> None:
    """Register a prover. The keypair is its cold owner, who alone moves its stake; the hot signer only works."""
    from proofgrid.settlement.addresses import prover_address
    from proofgrid.settlement.instructions import provers
    from proofgrid.settlement.wallet import parse_address

    hot = parse_address(signer)

    async def plan(chain: "Chain") -> Plan:
        account, before = await chain.token_account(payout, action)
        made = provers.register_prover(chain.program_id, action.me, signer=hot, payout=account, pool_bps=pool_bps)
        facts = {"prover": str(prover_address(chain.program_id, action.me)[0]), "payout": str(account)}
        return Plan([*before, made], facts)

    action.act(plan)


@acting
def update_prover(action: Action, signer: Signer = None, payout: Payout = None) -> None:
    """Replace the hot signer, the payout account, or both; the keypair is the owner. The old key is out at once."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.instructions import provers
    from proofgrid.settlement.wallet import parse_address

    if signer is None and payout is None:
        raise MalformedInput("nothing to change: name --signer, --payout or both")

    async def plan(chain: "Chain") -> Plan:
        prover, account = await chain.prover(action.me)
        hot = Pubkey(account.signer) if signer is None else parse_address(signer)
        to = Pubkey(account.payout) if payout is None else parse_address(payout)
        made = provers.update_prover(chain.program_id, action.me, signer=hot, payout=to)
        return Plan([made], {"prover": str(prover), "signer": str(hot), "payout": str(to)})

    action.act(plan)


@reading
def show_prover(
    looking: Reading, address: Annotated[str, typer.Argument(help="The prover's account, or its owner.")]
) -> None:
    """Show a prover: its keys, its stake and what is locked of it, its earnings and its record."""
    from proofgrid.settlement.wallet import parse_address

    async def look(chain: "Chain") -> tuple[dict[str, Any], list[str]]:
        prover, account = await chain.prover(parse_address(address))
        return {"address": str(prover), **account.model_dump(mode="json")}, _prover_lines(chain, prover, account)

    facts, lines = looking.read(look)
    looking.out.result(facts, "\n".join(lines))


@acting
def collect(action: Action, prover: OfProver = None) -> None:
    """Send a prover's earnings to its payout account; anyone may, the keypair only pays the fee."""
    from solders.pubkey import Pubkey

    from proofgrid.settlement.instructions import provers

    async def plan(chain: "Chain") -> Plan:
        address, account = await _prover(chain, action, prover)
        made = provers.collect_earnings(chain.program_id, address, Pubkey(account.payout))
        return Plan([made], {"collected": chain.tokens(account.earned)})

    action.act(plan, ask=False)


@acting
def deposit(
    action: Action,
    amount: Annotated[str, typer.Argument(help="Tokens, as 12.5.")],
    prover: OfProver = None,
    source: Annotated[
        str | None, typer.Option(help="Token account to take them from. (Default: the keypair's own.)")
    ] = None,
) -> None:
    """Put tokens into a prover's pool. They can be slashed for its misdeeds, until they are out again."""
    from proofgrid.settlement.instructions import provers

    async def plan(chain: "Chain") -> Plan:
        address, _ = await _prover(chain, action, prover)
        account, _ = await chain.token_account(source, action)
        made = provers.deposit_stake(chain.program_id, address, action.me, account, chain.units(amount))
        return Plan([made], {"prover": str(address), "deposited": chain.tokens(chain.units(amount))})

    action.act(plan)


@acting
def leave(
    action: Action,
    amount: Annotated[str, typer.Argument(help="Tokens, as 12.5, or all.")],
    prover: OfProver = None,
) -> None:
    """Start the exit window of staked tokens. In it they still can be slashed, and do not vote or back new work."""
    from proofgrid.settlement.accounts import PositionAccount
    from proofgrid.settlement.addresses import position_address
    from proofgrid.settlement.instructions import provers

    async def plan(chain: "Chain") -> Plan:
        address, pool = await _prover(chain, action, prover)
        place, _ = position_address(chain.program_id, address, action.me)
        position = await chain.fetch(PositionAccount, place, f"stake of {action.me} in {address}")
        shares = position.shares if amount == "all" else pool.shares_worth(chain.units(amount))
        if shares > position.shares:
            held = chain.tokens(pool.worth(position.shares))
            raise MalformedInput(
                f"{action.me} has {held} in this pool that are not on their way out: name less, or all"
            )
        made = provers.request_exit(chain.program_id, address, action.me, shares)
        facts = {"shares": str(shares), "worth_now": chain.tokens(pool.worth(shares))}
        return Plan([made], facts | {"exit_window_s": chain.config.rules.exit_window_s})

    action.act(plan)


@acting
def withdraw(
    action: Action,
    prover: OfProver = None,
    destination: Annotated[
        str | None, typer.Option(help="Token account to send them to. (Default: the keypair's own.)")
    ] = None,
) -> None:
    """Take out what `stake exit` announced, once its window is over and no work is locked on it."""
    from proofgrid.settlement.instructions import provers

    async def plan(chain: "Chain") -> Plan:
        address, _ = await _prover(chain, action, prover)
        account, before = await chain.token_account(destination, action)
        made = provers.withdraw_stake(chain.program_id, address, action.me, account)
        return Plan([*before, made], {"prover": str(address), "destination": str(account)})

    action.act(plan)


@reading
def show_stake(
    looking: Reading,
    staker: Annotated[str, typer.Argument(help="Whose stake.")],
    prover: Annotated[str | None, typer.Option(help="In whose pool. (Default: the staker's own.)")] = None,
) -> None:
    """Show somebody's shares in a pool, what they are worth, and what is on its way out."""
    from proofgrid.settlement.accounts import PositionAccount
    from proofgrid.settlement.addresses import position_address
    from proofgrid.settlement.wallet import parse_address

    async def look(chain: "Chain") -> tuple[dict[str, Any], list[str]]:
        who = parse_address(staker)
        address, pool = await chain.prover(who if prover is None else parse_address(prover))
        place, _ = position_address(chain.program_id, address, who)
        position = await chain.fetch(PositionAccount, place, f"stake of {who} in {address}")
        facts = {"address": str(place), **position.model_dump(mode="json")}
        facts |= {"worth": str(pool.worth(position.shares)), "exiting_worth": str(pool.worth(position.exiting_shares))}
        return facts, _position_lines(chain, place, pool, position)

    facts, lines = looking.read(look)
    looking.out.result(facts, "\n".join(lines))


async def _prover(chain: "Chain", action: Action, named: str | None) -> "tuple[Pubkey, ProverAccount]":
    from proofgrid.settlement.wallet import parse_address

    return await chain.prover(action.me if named is None else parse_address(named))


def _prover_lines(chain: "Chain", address: "Pubkey", account: "ProverAccount") -> list[str]:
    from solders.pubkey import Pubkey

    free = account.worth(account.shares - account.exiting_shares) - account.locked
    return _table(
        ("prover", address),
        ("owner (cold)", Pubkey(account.owner)),
        ("signer (hot)", Pubkey(account.signer)),
        ("payout", Pubkey(account.payout)),
        ("stake", chain.tokens(account.stake)),
        ("  locked by work", chain.tokens(account.locked)),
        ("  on its way out", chain.tokens(account.worth(account.exiting_shares))),
        ("  free for work", chain.tokens(max(free, 0))),
        ("earned", f"{chain.tokens(account.earned)}, to be collected"),
        ("stays in the pool", f"{account.pool_bps / 100:g} % of each payment"),
        ("batches", account.next_number),
        ("requests", f"{account.fulfilled} fulfilled, {account.missed} missed; {account.false_leaves} false leaves"),
    )


def _position_lines(chain: "Chain", address: "Pubkey", pool: "ProverAccount", position: "PositionAccount") -> list[str]:
    from proofgrid.settlement.summary import show_time

    rows: list[tuple[str, object]] = [
        ("position", address),
        ("staked", f"{chain.tokens(pool.worth(position.shares))} ({position.shares} shares)"),
    ]
    if position.exiting_shares:
        rows.append(("on its way out", chain.tokens(pool.worth(position.exiting_shares))))
        rows.append(("withdraw from", show_time(position.exit_from_s)))
    return _table(*rows)


def _table(*rows: tuple[str, object]) -> list[str]:
    return [f"{name:<20}{value}" for name, value in rows]
