"""Commands that run the network: up, worker, demo."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from proofgrid.cli.output import MissingPackage, Output
from proofgrid.errors import NotFound

if TYPE_CHECKING:
    from proofgrid.gateway.embedded import Network, Station
    from proofgrid.kernels.backend import Name

StateFolder = Annotated[
    Path,
    typer.Option("--state", envvar="PROOFGRID_STATE", file_okay=False, help="Where the network keeps its state."),
]
DEFAULT_STATE = Path("~/.proofgrid")
BackendName = Annotated[str, typer.Option("--backend", help="The workers' kernels: auto, cuda, native or reference.")]
Threads = Annotated[int, typer.Option(min=0, max=1024, help="Threads of a worker; 0 means one for each core.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.command()(up)
    app.command()(worker)
    app.command()(demo)


@contextmanager
def node_packages() -> Iterator[None]:
    """Say what to install where an import of the node's packages fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "proofgrid":
            raise
        raise MissingPackage(
            f"this command runs a node and needs the package {error.name!r}: pip install 'proofgrid[node]'"
        ) from error


@node_packages()
def up(
    state: StateFolder = DEFAULT_STATE,
    host: Annotated[
        str, typer.Option(help="Address to listen on; not loopback: requesters need the token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; 0 takes a free one.")] = 8645,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes to run and watch.")] = 1,
    database_url: Annotated[
        str | None, typer.Option(envvar="PROOFGRID_DATABASE_URL", help="Instead of SQLite.")
    ] = None,
    redis_url: Annotated[str | None, typer.Option(envvar="PROOFGRID_REDIS_URL", help="Instead of our own.")] = None,
    rpc_url: Annotated[str | None, typer.Option(envvar="PROOFGRID_RPC_URL", help="Instead of the devnet.")] = None,
    program_id: Annotated[str | None, typer.Option(help="The program's address on that chain.")] = None,
    prover: Annotated[str | None, typer.Option(help="The prover's account that commits on that chain.")] = None,
    committer_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Key file of that prover's hot key.")
    ] = None,
    backend: BackendName = "auto",
    threads: Threads = 0,
    as_json: AsJson = False,
) -> None:
    """Run the whole network here: coordinator, gateway, workers, Redis, and a Solana devnet with our program.

    With the URLs of a database, a Redis and a chain it runs on those instead. Ctrl-C stops everything in order;
    the same state folder resumes where it was.
    """
    from proofgrid.config import NetworkConfig
    from proofgrid.gateway.embedded import WorkerOptions
    from proofgrid.gateway.up import run_network

    out = Output(as_json)
    config = NetworkConfig(
        state_folder=state.expanduser().resolve(),
        host=host,
        port=port,
        database_url=database_url,
        redis_url=redis_url,
        rpc_url=rpc_url,
        program_id=program_id,
        prover=prover,
        committer_key=committer_key,
    )

    def say_station(station: "Station") -> None:
        out.say(f"  {station.component:<9} ready in {station.seconds:5.2f} s   {station.detail}")

    def say_ready(network: "Network") -> None:
        facts = {"url": network.url, "rpc_url": network.rpc_url, "program_id": network.program_id}
        token = f"\nrequesters show the token in {network.secrets_folder / 'api-token'}" if network.api_token else ""
        out.result(facts, f"ready: {network.url}   state in {config.state_folder}   Ctrl-C stops{token}")

    run_network(
        config,
        worker=WorkerOptions(count=workers, backend=cast("Name", backend), threads=threads),
        on_station=say_station,
        on_ready=say_ready,
    )
    out.note("stopped")


@node_packages()
def worker(state: StateFolder = DEFAULT_STATE, backend: BackendName = "auto", threads: Threads = 0) -> None:
    """Join one more worker to the network that `proofgrid up` runs on this state folder.

    On another machine of the fleet set the PROOFGRID_WORKER_… variables instead; they win.
    """
    from proofgrid.gateway.embedded import is_running
    from proofgrid.gateway.up import run_worker
    from proofgrid.prover.worker.settings import PREFIX, WorkerSettings

    if PREFIX + "REDIS_URL" in os.environ:
        run_worker(WorkerSettings.from_environment())
        return
    file = state.expanduser().resolve() / "secrets" / "worker.json"
    if not file.is_file() or not is_running(file.parents[1]):
        raise NotFound(
            f"no network runs on {file.parents[1]}: start it with `proofgrid up`, or name its --state folder"
        )
    settings = WorkerSettings.load(file)
    run_worker(replace(settings, backend=cast("Name", backend), threads=threads))


@node_packages()
def demo(
    state: Annotated[
        Path | None,
        typer.Option("--state", file_okay=False, help="Keep the demo's network here; else it is temporary."),
    ] = None,
    backend: BackendName = "auto",
    threads: Threads = 0,
    as_json: AsJson = False,
) -> None:
    """One real proof, the whole way: SDK, Celery, kernels, verifier, Merkle batch, Solana VM, receipt."""
    import signal
    import tempfile

    from proofgrid.cli.journey import travel
    from proofgrid.gateway.embedded import WorkerOptions

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: the temporary network goes
    options = WorkerOptions(count=1, backend=cast("Name", backend), threads=threads)
    if state is not None:
        travel(state.expanduser().resolve(), options, Output(as_json))
        return
    with tempfile.TemporaryDirectory(prefix="proofgrid-demo-") as folder:
        travel(Path(folder), options, Output(as_json))
