"""What the commands that act on the chain share: their options, and the way from instructions to a landed transaction.

With ``--build`` a command writes a file for `proofgrid transaction sign` instead of sending.
"""

import inspect
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from proofgrid.cli.output import Output
from proofgrid.cli.services import AsJson, node_packages
from proofgrid.errors import Cancelled, MalformedInput

if TYPE_CHECKING:
    from solders.instruction import Instruction
    from solders.keypair import Keypair
    from solders.pubkey import Pubkey

    from proofgrid.cli.chain import Chain
    from proofgrid.settlement.offline import Draft

Rpc = Annotated[
    str, typer.Option("--rpc", envvar="PROOFGRID_RPC_URL", help="The chain's RPC endpoints, separated by commas.")
]
Program = Annotated[
    str, typer.Option("--program", envvar="PROOFGRID_PROGRAM", help="Address of the network's program.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DEFAULT_RPC = "http://127.0.0.1:8899"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Plan:
    """What a command wants done: instructions, keys made for this alone, and what it says about the outcome."""

    instructions: "Sequence[Instruction]"
    facts: dict[str, Any] = field(default_factory=dict)
    signers: "Sequence[Keypair]" = ()


@dataclass(frozen=True)
class Reading:
    """The options of a command that only looks."""

    rpc: str
    program: str
    as_json: bool

    @property
    def out(self) -> Output:
        return Output(self.as_json)

    def read(self, look: "Callable[[Chain], Awaitable[Result]]") -> Result:
        """What ``look`` finds on the chain."""
        import asyncio

        from proofgrid.cli.chain import connected

        async def run() -> Result:
            async with connected(self.rpc, self.program) as chain:
                return await look(chain)

        return asyncio.run(run())


@dataclass(frozen=True)
class Action(Reading):
    """The options of a command that acts."""

    keypair: str
    payer: str | None
    build: Path | None
    nonce: str | None
    compute_price: int
    untried: bool
    yes: bool

    @cached_property
    def _party(self) -> "Keypair | Pubkey":
        from proofgrid.settlement.wallet import load_party

        return load_party(self.keypair)

    @cached_property
    def _payer_party(self) -> "Keypair | Pubkey":
        from proofgrid.settlement.wallet import load_party

        return self._party if self.payer in (None, self.keypair) else load_party(self.payer or "")

    @property
    def me(self) -> "Pubkey":
        """Whose action it is: owner, staker, guardian or requester."""
        return _address(self._party)

    @property
    def fee_payer(self) -> "Pubkey":
        return _address(self._payer_party)

    def act(self, plan: "Callable[[Chain], Awaitable[Plan]]", *, ask: bool = True) -> None:
        """Draft what ``plan`` wants; show it, ask, send it, and say how that went; or write it to a file."""
        import asyncio

        from proofgrid.cli.chain import connected
        from proofgrid.settlement.offline import save_draft

        if self.untried and self.build is None:
            raise MalformedInput("--untried is for --build: what is sent is tried first")
        if self.build is not None and self.build.exists():
            raise MalformedInput(f"{self.build} exists: name another file, or remove that one if nobody needs it")

        async def run() -> None:
            async with connected(self.rpc, self.program) as chain:
                wanted = await plan(chain)
                draft = self._sign(await chain.draft(wanted.instructions, self), wanted)
                if self.build is not None:
                    save_draft(self.build, draft, chain.program_id)
                    self._say_built(draft, wanted)
                    return
                if draft.missing:
                    raise MalformedInput(
                        f"it lacks the signature of {', '.join(map(str, draft.missing))}: give its key, or --build a "
                        "file to be signed elsewhere"
                    )
                if ask:
                    confirm(self.out, list(draft.summary(chain.program_id).lines()), yes=self.yes)
                await chain.deliver(draft, self.out, wanted.facts)

        asyncio.run(run())

    def _sign(self, draft: "Draft", wanted: Plan) -> "Draft":
        from solders.keypair import Keypair

        given = (self._party, self._payer_party, *wanted.signers)
        keys = {one.pubkey(): one for one in given if isinstance(one, Keypair)}
        return draft.sign(*(key for address, key in keys.items() if address in draft.required))

    def _say_built(self, draft: "Draft", wanted: Plan) -> None:
        missing = [str(signer) for signer in draft.missing]
        until = (
            "does not expire" if draft.nonce else f"must land by block {draft.last_valid_block_height}, in about 60 s"
        )
        facts = {"file": str(self.build), "missing": missing, "last_valid_block_height": draft.last_valid_block_height}
        lines = [f"wrote {self.build}, which {until}", *(f"  waits for {one}" for one in missing)]
        following = "sign it with" if missing else "complete: send it with"
        lines.append(f"{following}: proofgrid transaction {'sign' if missing else 'send'} {self.build}")
        self.out.result(facts | wanted.facts, "\n".join(lines))


def confirm(out: Output, lines: "Sequence[str]", *, yes: bool) -> None:
    """Show what will be signed and ask. Raises Cancelled for anything but a yes."""
    for line in lines:
        out.note(line)
    if yes:
        return
    sys.stderr.write("sign this? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise Cancelled("nobody answered, so nothing was signed or sent: pass --yes where nobody is asked")
    if answer.strip().lower() not in ("y", "yes"):
        raise Cancelled("nothing was signed or sent")


def acting(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of an Action after its own; it is called with the Action first."""
    return _with_options(command, _acting_options, Action)


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that only looks."""
    return _with_options(command, _reading_options, Reading)


def _acting_options(
    program: Program,
    keypair: Annotated[
        str,
        typer.Option(
            "--keypair",
            "-k",
            envvar="PROOFGRID_KEYPAIR",
            help="Who acts: a key file, env:NAME, - or prompt:; with --build also an address that signs elsewhere.",
        ),
    ],
    payer: Annotated[
        str | None, typer.Option(envvar="PROOFGRID_PAYER", help="Who pays fees, likewise. (Default: the keypair.)")
    ] = None,
    build: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a transaction file here instead of sending.")
    ] = None,
    nonce: Annotated[str | None, typer.Option(help="Spend this nonce account: the transaction never expires.")] = None,
    compute_price: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="Priority fee: micro-lamports for each compute unit.")
    ] = 0,
    untried: Annotated[
        bool, typer.Option("--untried", help="With --build: do not try it now, for it becomes possible only later.")
    ] = False,
    rpc: Rpc = DEFAULT_RPC,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None: ...


def _reading_options(program: Program, rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None: ...


def _with_options(command: Callable[..., None], options: Callable[..., None], kind: type) -> Callable[..., None]:
    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    shared = list(inspect.signature(options, eval_str=True).parameters.values())

    @wraps(command)
    @node_packages()
    def run(**given: Any) -> None:
        command(kind(**{one.name: given.pop(one.name) for one in shared}), **given)

    every = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {one.name: one.annotation for one in every}
    return run


def _address(party: "Keypair | Pubkey") -> "Pubkey":
    from solders.keypair import Keypair

    return party.pubkey() if isinstance(party, Keypair) else party
