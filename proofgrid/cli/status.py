"""``proofgrid settlement status``: which batches are not settled yet, and why."""

import io
from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.output import Output
from proofgrid.cli.services import DEFAULT_STATE, AsJson, StateFolder, node_packages

if TYPE_CHECKING:
    from proofgrid.settlement.overview import Overview

STUCK = 1
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(status)


@node_packages()
def status(
    state: StateFolder = DEFAULT_STATE,
    rpc_url: Annotated[
        str | None,
        typer.Option(
            envvar="PROOFGRID_RPC_URL", help="Instead of the endpoints last used; several are separated by commas."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is on its way to the chain and why it is not there yet: batches, endpoints, balance, stake.

    Reads the outbox of the network in this state folder, whether it runs or not, and sends nothing. Exit code 0 says
    that nothing is stuck, 1 that something is.
    """
    import asyncio

    from proofgrid.config import NetworkConfig
    from proofgrid.settlement.endpoints import split_urls
    from proofgrid.settlement.overview import overview

    out = Output(as_json)
    config = NetworkConfig(state_folder=state.expanduser().resolve())
    found = asyncio.run(overview(config.outbox_file, split_urls(rpc_url or "")))
    out.result(found.model_dump(mode="json"), "" if as_json else _text(found))
    if found.stuck:
        raise typer.Exit(STUCK)


def _text(found: "Overview") -> str:
    """The verdict in one line, then what it rests on."""
    lines = [_verdict(found), ""]
    lines += [f"  ! {sentence}" for sentence in [*found.stuck, *found.warnings]]
    lines += [""] if found.stuck or found.warnings else []
    if found.batches:
        lines += [_table(found), ""]
    lines.append("batches   " + (", ".join(f"{count} {state}" for state, count in found.counts.items()) or "none yet"))
    if found.stake is not None:
        stake = found.stake
        room = "" if stake.leaves_left is None else f", room for {stake.leaves_left} leaves"
        lines.append(f"stake     {stake.stake}, locked {stake.locked}, free {stake.free}{room}")
        lines.append(f"next      batch {stake.next_number}")
    if found.balance is not None:
        from proofgrid.settlement.balance import sol

        balance = found.balance
        lines.append(f"balance   {sol(balance.lamports)} SOL, {balance.level} (a batch needs {sol(balance.needed)})")
    lines += [
        f"endpoint  {one.name}  " + (f"slot {one.slot}" if one.slot is not None else "no") for one in found.endpoints
    ]
    lines += [f"prover    {found.prover}", f"hot key   {found.signer}", f"program   {found.program_id}"]
    return "\n".join(lines)


def _verdict(found: "Overview") -> str:
    if found.stuck:
        return f"stuck: {found.stuck[0]}"
    if found.verdict == "clear":
        return "clear: every batch is final"
    return f"under way: {len(found.batches)} not final yet, none stuck"


def _table(found: "Overview") -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("batch", "root", "leaves", "state", "age", "tries", "blocks left", "signature", "why"):
        table.add_column(name, overflow="fold", justify="right" if name in ("leaves", "age", "tries") else "left")
    for batch in found.batches[:_SHOWN]:
        forks = f" (+{batch.forks} forks)" if batch.forks else ""
        table.add_row(
            str(batch.number),
            batch.root[:8] + "…",
            str(batch.leaf_count),
            str(batch.state),
            _age(batch.age_s),
            f"{batch.attempts}{forks}",
            "" if batch.heights_left is None else str(batch.heights_left),
            "" if batch.signature is None else batch.signature[:8] + "…",
            batch.error or "",
        )
    console = Console(file=io.StringIO(), width=118, color_system=None)
    console.print(table)
    more = len(found.batches) - _SHOWN
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text.rstrip() + (f"\n… and {more} more: --json shows all" if more > 0 else "")


def _age(seconds: float) -> str:
    """For a person: 12 s, 3 min, 5 h, 2 d."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
