"""What the market says: ``proofgrid quote``, ``proofgrid why``, ``proofgrid market prices|statistics``."""

from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.output import Output
from proofgrid.cli.services import AsJson

if TYPE_CHECKING:
    from proofgrid.client import Client
    from proofgrid.models.market import Prices, Quote, Statistics, Why

Url = Annotated[str, typer.Option("--url", envvar="PROOFGRID_URL", help="The network's gateway.")]
_URL = "http://127.0.0.1:8645"
TOKEN_VARIABLE = "PROOFGRID_API_TOKEN"  # noqa: S105  # a variable's name; never an option: a process list shows options

group = typer.Typer(name="market", help="The market in public: prices and statistics.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.command()(quote)
    app.command()(why)
    group.command()(prices)
    group.command()(statistics)
    app.add_typer(group)


def quote(
    circuit: Annotated[str, typer.Argument(help="The circuit's id.")],
    deadline: Annotated[float, typer.Option(min=0.1, max=7 * 86400, help="Seconds.")] = 3600.0,
    url: Url = _URL,
    as_json: AsJson = False,
) -> None:
    """What a proof of this circuit would cost now, and how long it would take. Nothing is spent.

    The gateway's token, where it wants one, is read from PROOFGRID_API_TOKEN.
    """
    with _client(url) as client:
        found = client.quote(circuit, deadline_s=deadline)
    Output(as_json).result(found.model_dump(mode="json"), _quoted(found))


def why(
    request: Annotated[str, typer.Argument(help="The request's id.")], url: Url = _URL, as_json: AsJson = False
) -> None:
    """Why a request is not served yet, or was not: who was skipped for what, and what would change it."""
    with _client(url) as client:
        found = client.why(request)
    Output(as_json).result(found.model_dump(mode="json"), _reasons(found))


def prices(
    history: Annotated[int, typer.Option(min=0, max=1000, help="Points of each index to show.")] = 0,
    url: Url = _URL,
    as_json: AsJson = False,
) -> None:
    """The public price index, for each size of circuit."""
    with _client(url) as client:
        found = client.prices(history=history)
    Output(as_json).result(found.model_dump(mode="json"), _table(found))


def statistics(url: Url = _URL, as_json: AsJson = False) -> None:
    """The last day of the network in figures."""
    with _client(url) as client:
        found = client.statistics()
    Output(as_json).result(found.model_dump(mode="json"), _figures(found))


def _client(url: str) -> "Client":
    import os

    from proofgrid.client import Client  # the SDK: not for --help

    return Client(url, api_token=os.environ.get(TOKEN_VARIABLE))


def _quoted(found: "Quote") -> str:
    lines = []
    if found.expected_lamports is None:
        lines.append(f"no prover may have a request of {_many(found.units, 'unit')} now:")
    else:
        takes = "" if found.expected_s is None else f", about {found.expected_s:.1f} s"
        lines.append(f"expected {found.expected_lamports} for {_many(found.units, 'unit')}{takes}")
        lines.append(f"offers begin at {found.low_lamports}; a cap of {found.high_lamports} should do")
        lines.append(f"{_many(len(found.eligible), 'prover')} may have it")
    lines += [f"  {skip.sentence}" for skip in found.skips]
    return "\n".join(lines)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _reasons(found: "Why") -> str:
    return "\n".join([found.sentences[0], *(f"  {sentence}" for sentence in found.sentences[1:])])


def _table(found: "Prices") -> str:
    if not found.sizes:
        return "no prices yet: the index begins with the first proof"
    lines = ["constraints up to      price   per unit      deals"]
    for size in found.sizes:
        lines.append(
            f"{1024 * size.max_units:>17,} {size.lamports:>10,} {size.per_unit_micro / 1e6:>10,.2f} {size.deals:>10,}"
        )
        lines += [f"    {point.at:.0f}  {point.per_unit_micro / 1e6:,.2f} per unit" for point in size.history]
    return "\n".join(lines)


def _figures(found: "Statistics") -> str:
    waits = "" if found.median_wait_s is None else f"   median wait {found.median_wait_s:.2f} s"
    return "\n".join(
        [
            f"now       {found.waiting} waiting, {found.running} running{waits}",
            f"last day  {found.fulfilled} fulfilled, {found.unserved} not, {found.attempts_failed} attempts failed",
            f"proving   {found.proving_s:,.1f} s for {found.units:,} units, {found.paid_lamports:,} paid",
            f"provers   {found.asks.provers}, {found.asks.free} of {found.asks.capacity} slots free",
        ]
    )
