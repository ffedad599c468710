"""``proofgrid transaction``: files that `--build` wrote are shown, signed, merged, exported and sent.

``show``, ``sign``, ``merge`` and ``export`` ask no network: they run where the cold keys are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.action import DEFAULT_RPC, Rpc, Yes, confirm
from proofgrid.cli.output import Output
from proofgrid.cli.services import AsJson, node_packages

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from proofgrid.settlement.offline import Draft

commands = typer.Typer(no_args_is_help=True, help="Transaction files: show, sign offline, merge signatures, send.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The transaction file.")]
Trusted = Annotated[
    str | None,
    typer.Option("--program", envvar="PROOFGRID_PROGRAM", help="The network's program, as you know it yourself."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.add_typer(commands, name="transaction", rich_help_panel="On chain")
    for command in (show, sign, merge, export, send):
        commands.command()(command)


@node_packages()
def show(file: File, program: Trusted = None, as_json: AsJson = False) -> None:
    """Say what a transaction does, from its bytes, and who has signed."""
    from proofgrid.settlement.offline import load_draft

    draft = load_draft(file)
    facts = draft.summary(_known(program)).facts() | _state(draft)
    Output(as_json).result(facts, "\n".join(_lines(draft, program)))


@node_packages()
def sign(
    file: File,
    keypair: Annotated[
        str, typer.Option("--keypair", "-k", envvar="PROOFGRID_KEYPAIR", help="A key file, env:NAME, - or prompt:.")
    ],
    program: Trusted = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write here. (Default: the same file.)")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show what a transaction does, ask, and add one signature. Needs no network."""
    from proofgrid.settlement.offline import load_draft, save_draft
    from proofgrid.settlement.wallet import load_signer

    out, known, draft = Output(as_json), _known(program), load_draft(file)
    confirm(out, list(_lines(draft, program)), yes=yes)
    signed = draft.sign(load_signer(keypair))
    target = output or file
    save_draft(target, signed, known, replaced=output is None)
    out.result({"file": str(target)} | _state(signed), "\n".join([f"signed: {target}", *_next(signed, target)]))


@node_packages()
def merge(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Copies of one transaction file.")],
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The file to write.")],
    program: Trusted = None,
    as_json: AsJson = False,
) -> None:
    """Put the signatures of several copies into one file. Needs no network."""
    from proofgrid.settlement.offline import load_draft, save_draft

    first, *others = (load_draft(file) for file in files)
    merged = first.merge(*others)
    save_draft(output, merged, _known(program))
    text = "\n".join([f"merged {len(files)} files into {output}", *_next(merged, output)])
    Output(as_json).result({"file": str(output)} | _state(merged), text)


@node_packages()
def export(file: File, program: Trusted = None, as_json: AsJson = False) -> None:
    """Print a transaction whose fee payer is a multisig's vault as a message that multisig apps import (base58)."""
    import base64

    from proofgrid.settlement.base58 import encode_base58
    from proofgrid.settlement.offline import load_draft

    draft = load_draft(file)
    out = Output(as_json)
    for line in draft.summary(_known(program)).lines():
        out.note(line)
    message = bytes(draft.exported())
    facts = {
        "base58": encode_base58(message),
        "base64": base64.b64encode(message).decode(),
        "vault": str(draft.required[0]),
    }
    out.result(facts, facts["base58"])


@node_packages()
def send(file: File, rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
    """Send a transaction that all have signed, and return when it is confirmed. Sending it twice is harmless."""
    import asyncio

    from proofgrid.cli.chain import deliver, endpoint
    from proofgrid.settlement.offline import load_draft

    draft = load_draft(file)
    draft.signed()  # says who is missing before any network is asked

    async def run() -> None:
        async with endpoint(rpc) as client:
            await deliver(client, draft, Output(as_json), {})

    asyncio.run(run())


def _known(program: str | None) -> "Pubkey | None":
    from proofgrid.settlement.wallet import parse_address

    return None if program is None else parse_address(program)


def _state(draft: "Draft") -> dict[str, object]:
    return {
        "network": str(draft.network),
        "signed": [str(one) for one in draft.required if one in draft.signatures],
        "missing": [str(one) for one in draft.missing],
        "last_valid_block_height": draft.last_valid_block_height,
    }


def _lines(draft: "Draft", program: str | None) -> Iterator[str]:
    yield from draft.summary(_known(program)).lines()
    yield "signed: " + (", ".join(str(one) for one in draft.required if one in draft.signatures) or "nobody yet")
    if draft.nonce is not None:
        yield f"does not expire: it spends the durable nonce {draft.nonce}"
    else:
        yield f"expires about a minute after it was built (the file says: with block {draft.last_valid_block_height})"
    yield f"the file says: for the network with the genesis hash {draft.network}"
    if draft.decimals is not None:
        yield f"the file says: its token has {draft.decimals} decimals; what is signed are units"


def _next(draft: "Draft", file: Path) -> list[str]:
    waits = [f"  waits for {one}" for one in draft.missing]
    return waits or [f"complete: send it with: proofgrid transaction send {file}"]
