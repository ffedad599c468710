"""``proofgrid settlement watch``: checks committed batches and challenges what is false."""

from typing import TYPE_CHECKING, Annotated

import typer

from proofgrid.cli.output import Output
from proofgrid.cli.services import DEFAULT_STATE, AsJson, StateFolder, node_packages
from proofgrid.errors import ChainUnavailable, MalformedInput

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from proofgrid.settlement.watcher.events import Event
    from proofgrid.settlement.watcher.watch import Watcher


def register(app: typer.Typer) -> None:
    """Add this module's command to ``app``."""
    app.command()(watch)


@node_packages()
def watch(
    rpc: Annotated[
        str,
        typer.Option("--rpc", envvar="PROOFGRID_RPC_URL", help="RPC endpoints: one URL, or more separated by commas."),
    ],
    program: Annotated[
        str, typer.Option("--program", envvar="PROOFGRID_PROGRAM", help="Address of the network's program.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Where batches' data is: folders and gateways' URLs, in order. Default: this machine's."),
    ] = None,
    state: StateFolder = DEFAULT_STATE,
    key: Annotated[
        str | None,
        typer.Option(
            help="The key that pays: a key file, env:NAME, stdin: or prompt:. [one in the state folder, made]"
        ),
    ] = None,
    reward: Annotated[str | None, typer.Option(help="Token account for rewards and bonds. Default: the key's.")] = None,
    prover: Annotated[
        list[str] | None, typer.Option(help="Watch this prover's account only, and others named.")
    ] = None,
    answer_for: Annotated[
        list[str] | None, typer.Option(help="Answer demands for the leaves of this prover's account.")
    ] = None,
    demand: Annotated[
        int | None, typer.Option(min=0, help="Demand leaves that nobody shows, with at most so much in bonds. [0]")
    ] = None,
    min_reward: Annotated[int | None, typer.Option(min=0, help="Do not challenge for less. [0]")] = None,
    min_balance: Annotated[
        int | None, typer.Option(min=0, help="Send nothing while the key has fewer lamports. [20000000]")
    ] = None,
    key_budget: Annotated[
        int | None, typer.Option(min=0, help="Register keys for at most so many lamports of rent. [50000000]")
    ] = None,
    poll: Annotated[float | None, typer.Option(min=0.1, max=3600, help="Seconds between two rounds. [10]")] = None,
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; say what would be sent.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every committed batch, challenge what is false, and say so, a line for each batch and each action.

    With --json each line is a JSON object. Ctrl-C ends after the transaction under way, a second one at once.
    """
    import asyncio

    from proofgrid.config import DEFAULT_URL, WatcherConfig
    from proofgrid.settlement.wallet import load_or_create_keypair, load_signer
    from proofgrid.settlement.watcher.service import Assignment, watching

    out = Output(as_json)
    folder = state.expanduser().resolve() / "watcher"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    payer = None
    if not dry_run:
        payer = load_signer(key) if key is not None else load_or_create_keypair(folder / "key.json")
        out.note(f"watching as {payer.pubkey()}: it pays for transactions and must have SOL")
    given = {
        "poll_s": poll,
        "min_reward": min_reward,
        "min_balance_lamports": min_balance,
        "key_budget_lamports": key_budget,
        "demand_budget": demand,
    }
    assignment = Assignment(
        rpc=rpc,
        program=_address(program),
        data=data or [DEFAULT_URL],
        memory=folder / "progress.sqlite",
        payer=payer,
        purse=None if reward is None else _address(reward),
        provers=[_address(one) for one in prover or []],
        answer_for=[_address(one) for one in answer_for or []],
        settings=WatcherConfig(**{name: value for name, value in given.items() if value is not None}),  # type: ignore[arg-type]
    )

    def say(event: "Event") -> None:
        out.result(event.model_dump(exclude_none=True), event.words())

    async def run() -> bool:
        async with watching(assignment, say) as watcher:
            with_signals(watcher)
            if once:
                return await watcher.round()
            await watcher.run(assignment.settings.poll_s)
            return True

    try:
        complete = asyncio.run(run())
    except asyncio.CancelledError:
        complete = True
        out.note("stopped at once: a transaction may be under way")
    if not complete:
        raise ChainUnavailable("the round is not complete, what is missing is said above: run it again")
    out.note("stopped")


def with_signals(watcher: "Watcher") -> None:
    """The first SIGINT or SIGTERM ends the watcher after what is under way, the second at once."""
    import asyncio
    import signal

    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if watcher.stopping.is_set() and task is not None:
            task.cancel()
        watcher.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _address(text: str) -> "Pubkey":
    from solders.pubkey import Pubkey

    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise MalformedInput(f"{text!r} is no address: expected 32 to 44 base58 characters") from None
