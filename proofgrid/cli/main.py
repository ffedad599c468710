"""The ``proofgrid`` command: ``files`` works on files, ``services`` runs the network, the others act on its chain.

Imports that cost time stay inside the commands: ``proofgrid --help`` answers in under 0.3 s.
"""

import sys
import traceback
from typing import Annotated, Any

import typer

from proofgrid import __version__
from proofgrid.cli import (
    benchmark,
    database,
    escrow,
    export,
    files,
    governing,
    keys,
    market,
    nonces,
    services,
    settlement,
    staking,
    transactions,
)
from proofgrid.cli.output import DEFECT, INTERRUPTED, Output, exit_code
from proofgrid.errors import Cancelled, ProofgridError

app = typer.Typer(
    name="proofgrid",
    help="Verifiable zk proofs: prove and verify on files, or run and use a network of provers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
files.register(app)
benchmark.register(app)
database.register(app)
services.register(app)
export.register(app)
settlement.register(app)
staking.register(app)
escrow.register(app)
keys.register(app)
governing.register(app)
market.register(app)
nonces.register(app)
transactions.register(app)


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
    out = Output("--json" in words)
    try:
        code = app(args=words, standalone_mode=not out.as_json)  # with --json, usage errors are ours to word
    except ProofgridError as error:
        out.failure(error)
        sys.exit(exit_code(error))
    except OSError as error:
        out.failure(_FileTrouble(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")))
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the border: a defect of ours is not a verdict on a proof
        wording = getattr(error, "format_message", None)  # typer's own errors have one
        if wording is None:
            traceback.print_exc()
            out.failure(_Defect(f"a defect of proofgrid: {type(error).__name__}: {error}"))
            sys.exit(DEFECT)
        out.failure(_Usage(wording()))
        sys.exit(2)
    if code == INTERRUPTED:
        out.failure(Cancelled("interrupted"))
    sys.exit(code)


class _Usage(ProofgridError):
    """A command line that says something else than the command takes."""

    code = "usage"


class _Defect(ProofgridError):
    """An error that nobody foresaw."""

    code = "defect"


class _FileTrouble(ProofgridError):
    """The operating system refused a file or a socket."""

    code = "os_error"
