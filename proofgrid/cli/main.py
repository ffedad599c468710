"""The ``proofgrid`` command: ``files`` works on files, ``services`` runs the network.

Imports that cost time stay inside the commands: ``proofgrid --help`` answers in under 0.3 s.
"""

import sys
from typing import Annotated, Any

import typer

from proofgrid import __version__
from proofgrid.cli import files, services
from proofgrid.cli.output import Output, exit_code
from proofgrid.errors import ProofgridError

app = typer.Typer(
    name="proofgrid",
    help="Verifiable zk proofs: prove and verify on files, or run and use a network of provers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
files.register(app)
services.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"proofgrid {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that come before every command."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; an error of ours becomes its message and its exit code, never a traceback."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return app(args=words)
    except ProofgridError as error:
        Output("--json" in words).failure(error)
        sys.exit(exit_code(error))
    except OSError as error:
        Output("--json" in words).failure(
            _FileTrouble(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
        )
        sys.exit(2)


class _FileTrouble(ProofgridError):
    """The operating system refused a file or a socket."""

    code = "os_error"
