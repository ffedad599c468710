"""``proofgrid key``: verifying keys on chain, registered once by anybody, then used by everybody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofgrid.cli.action import DEFAULT_RPC, Program, Reading, Rpc, reading
from proofgrid.cli.output import Output
from proofgrid.cli.services import AsJson, node_packages

if TYPE_CHECKING:
    from proofgrid.cli.chain import Chain

commands = typer.Typer(no_args_is_help=True, help="Verifying keys on chain: register one, look whether one is there.")

KeyFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="The verifying key, snarkjs' JSON.", metavar="KEY")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(commands, name="key", rich_help_panel="On chain")
    commands.command("register")(register_key)
    commands.command("show")(show)


@node_packages()
def register_key(
    key: KeyFile,
    program: Program,
    keypair: Annotated[
        str, typer.Option("--keypair", "-k", envvar="PROOFGRID_KEYPAIR", help="Who pays: a key file, env:NAME, - …")
    ],
    rpc: Rpc = DEFAULT_RPC,
    as_json: AsJson = False,
) -> None:
    """Register a verifying key under its digest, for good; about 0.008 SOL of rent and three transactions.

    An interrupted registration goes on where it stopped; a key that is there already costs nothing.
    """
    import asyncio

    from proofgrid.cli.chain import advised, endpoint
    from proofgrid.settlement.registry import upload_key
    from proofgrid.settlement.sender import Sender
    from proofgrid.settlement.wallet import load_signer, parse_address
    from proofgrid.verifier.keys import load_verifying_key

    verifying_key, program_id, payer = load_verifying_key(key), parse_address(program), load_signer(keypair)

    async def run() -> str:
        async with endpoint(rpc) as client:
            with advised():
                return str(await upload_key(Sender(client, payer), program_id, verifying_key))

    out, digest = Output(as_json), verifying_key.digest().hex()
    out.note(f"registering {digest}")
    address = asyncio.run(run())
    out.result({"digest": digest, "address": address}, f"registered: {address}")


@reading
def show(looking: Reading, key: KeyFile) -> None:
    """Say whether a verifying key is registered, and since when."""
    from proofgrid.settlement.accounts import KeyAccount
    from proofgrid.settlement.addresses import key_address
    from proofgrid.settlement.summary import show_time
    from proofgrid.verifier.keys import load_verifying_key

    digest = load_verifying_key(key).digest()

    async def look(chain: "Chain") -> dict[str, Any]:
        place, _ = key_address(chain.program_id, digest)
        found = await chain.fetch(KeyAccount, place, f"verifying key {digest.hex()}")
        since = show_time(found.registered_s)
        return {"digest": digest.hex(), "address": str(place), "inputs": found.n_public, "registered": since}

    facts = looking.read(look)
    looking.out.result(facts, "\n".join(f"{name:<20}{value}" for name, value in facts.items()))
