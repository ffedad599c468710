"""``proofgrid nonce``: accounts that let a transaction wait for its signatures."""

from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.action import Action, Plan, Reading, acting, reading

if TYPE_CHECKING:
    from proofgrid.cli.chain import Chain
    from proofgrid.settlement.nonces import Nonce

commands = typer.Typer(no_args_is_help=True, help="Durable nonces: so that a transaction can wait for cold signatures.")

Address = Annotated[str, typer.Argument(help="The nonce account.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(commands, name="nonce", rich_help_panel="On chain")
    commands.command("create")(create)
    commands.command("show")(show)
    commands.command("close")(close)


@acting
def create(
    action: Action,
    authority: Annotated[
        str | None, typer.Option(help="Who spends and closes it, for example the cold owner. (Default: the keypair.)")
    ] = None,
) -> None:
    """Make a nonce account; its rent (0.0015 SOL) comes back when it is closed."""
    from solana.rpc.commitment import Confirmed
    from solders.keypair import Keypair

    from proofgrid.settlement import nonces
    from proofgrid.settlement.rpc import ask
    from proofgrid.settlement.wallet import parse_address

    ruler = action.me if authority is None else parse_address(authority)
    account = Keypair()  # signs its own creation and is forgotten: the authority rules it

    async def plan(chain: "Chain") -> Plan:
        rent = (await ask(chain.client.get_minimum_balance_for_rent_exemption(nonces.NONCE_SIZE, Confirmed))).value
        made = nonces.create(action.fee_payer, account.pubkey(), ruler, rent=rent)
        return Plan(made, {"nonce": str(account.pubkey()), "authority": str(ruler)}, [account])

    action.act(plan, ask=False)


@reading
def show(looking: Reading, address: Address) -> None:
    """Show a nonce account: who rules it, and the hash that its next transaction must carry."""
    from proofgrid.settlement.amounts import show_amount
    from proofgrid.settlement.nonces import read_nonce
    from proofgrid.settlement.wallet import parse_address

    async def look(chain: "Chain") -> "Nonce":
        return await read_nonce(chain.client, parse_address(address))

    nonce = looking.read(look)
    facts = {"address": str(nonce.address), "authority": str(nonce.authority), "stored": str(nonce.stored)}
    lines = [f"{name:<20}{value}" for name, value in facts.items()]
    lines.append(f"{'balance':<20}{show_amount(nonce.lamports, 9)} SOL")
    looking.out.result(facts | {"lamports": str(nonce.lamports)}, "\n".join(lines))


@acting
def close(
    action: Action,
    address: Address,
    to: Annotated[str | None, typer.Option(help="Where its SOL goes. (Default: the fee payer.)")] = None,
) -> None:
    """Close a nonce account; the keypair is its authority. What waits for it can never land any more."""
    from proofgrid.settlement import nonces
    from proofgrid.settlement.wallet import parse_address

    async def plan(chain: "Chain") -> Plan:
        nonce = await nonces.read_nonce(chain.client, parse_address(address))
        receiver = action.fee_payer if to is None else parse_address(to)
        return Plan([nonces.withdraw(nonce, receiver, nonce.lamports)], {"closed": address, "to": str(receiver)})

    action.act(plan)
