"""Commands under ``proofgrid settlement``: what the network does on its chain."""

import typer

from proofgrid.cli import status, watch

app = typer.Typer(name="settlement", help="The network's money on its chain.", no_args_is_help=True)
status.register(app)
watch.register(app)


def register(parent: typer.Typer) -> None:
    """Add ``settlement`` and its commands to ``parent``."""
    parent.add_typer(app)
