"""A network on a chain as the commands see it: its accounts, its token, and transactions drafted and delivered."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from solana.rpc.async_api import AsyncClient
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.sysvar import CLOCK

from proofgrid.cli.action import Action
from proofgrid.cli.output import Output
from proofgrid.errors import ChainUnavailable, NotFound, ProgramRefused
from proofgrid.settlement.accounts import Account, ConfigAccount, ProverAccount
from proofgrid.settlement.addresses import TOKEN_PROGRAM, config_address, prover_address
from proofgrid.settlement.advice import advice
from proofgrid.settlement.amounts import parse_amount, show_amount
from proofgrid.settlement.delivery import Delivery, draft
from proofgrid.settlement.endpoints import connect, split_urls
from proofgrid.settlement.nonces import read_nonce
from proofgrid.settlement.offline import Draft
from proofgrid.settlement.rpc import fetch_account, fetch_owned
from proofgrid.settlement.tokens import MINT_SIZE, associated_address, create_associated_account
from proofgrid.settlement.wallet import parse_address

_TIMEOUT_S = 20.0
_DECIMALS_AT = 44  # in a mint's account

Read = TypeVar("Read", bound=Account)


@dataclass
class Chain:
    """One network: its program, its config, and the decimals of its token."""

    client: AsyncClient
    program_id: Pubkey
    config: ConfigAccount
    decimals: int

    @cached_property
    def mint(self) -> Pubkey:
        return Pubkey(self.config.mint)

    def units(self, tokens: str) -> int:
        return parse_amount(tokens, self.decimals)

    def tokens(self, units: int) -> str:
        return f"{show_amount(units, self.decimals)} tokens"

    async def fetch(self, kind: type[Read], address: Pubkey, what: str) -> Read:
        """The account; raises NotFound in words."""
        data = await fetch_owned(self.client, address, self.program_id)
        if data is None:
            raise NotFound(f"there is no {what} at {address} on this network")
        return kind.decode(data)

    async def prover(self, address: Pubkey) -> tuple[Pubkey, ProverAccount]:
        """A prover, by its account's address or by its owner's."""
        for candidate in (address, prover_address(self.program_id, address)[0]):
            data = await fetch_owned(self.client, candidate, self.program_id)
            if data is not None:
                return candidate, ProverAccount.decode(data)
        raise NotFound(f"{address} is no prover, and owns none: register it with `proofgrid prover register`")

    async def token_account(self, named: str | None, action: Action) -> tuple[Pubkey, list[Instruction]]:
        """The token account named, or the actor's own, with what makes it where it is not there yet."""
        if named is not None:
            return parse_address(named), []
        own = associated_address(action.me, self.mint)
        if await fetch_account(self.client, own) is not None:
            return own, []
        return own, [create_associated_account(action.fee_payer, action.me, self.mint)]

    async def time_s(self) -> int:
        """The chain's clock, in unix seconds."""
        clock = await fetch_account(self.client, CLOCK)
        if clock is None:
            raise ChainUnavailable("the endpoint does not show the chain's clock: ask another one")
        return int.from_bytes(bytes(clock.data)[32:40], "little", signed=True)

    async def draft(self, instructions: Sequence[Instruction], action: Action) -> Draft:
        """An unsigned transaction that a simulation finds good."""
        nonce = None if action.nonce is None else await read_nonce(self.client, parse_address(action.nonce))
        with advised():
            return await draft(
                self.client,
                instructions,
                action.fee_payer,
                nonce=nonce,
                decimals=self.decimals,
                micro_lamports_per_unit=action.compute_price,
                tried=not action.untried,
            )

    async def deliver(self, signed: Draft, out: Output, facts: dict[str, Any]) -> None:
        """Land it and say so."""
        await deliver(self.client, signed, out, facts)


async def deliver(client: AsyncClient, signed: Draft, out: Output, facts: dict[str, Any]) -> None:
    """Land a signed draft and print its signature and slot."""
    with advised():
        landed = await Delivery(client).deliver(signed, on_sending=lambda signature: out.note(f"sending {signature}"))
    found = {"signature": str(landed.signature), "slot": landed.slot, "sent_now": landed.is_news}
    words = "landed" if landed.is_news else "had landed already"
    more = [f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()]
    out.result(found | facts, "\n".join([f"{words} in slot {landed.slot}: {landed.signature}", *more]))


@contextmanager
def advised() -> Iterator[None]:
    """Add what to do to the program's refusals."""
    try:
        yield
    except ProgramRefused as refused:
        said = advice(refused.name)
        raise ProgramRefused(refused.name, f"{refused}\n{said}" if said else str(refused)) from refused


@asynccontextmanager
async def endpoint(rpc: str) -> AsyncIterator[AsyncClient]:
    """A client of an RPC endpoint, or of several, separated by commas."""
    async with connect(split_urls(rpc), timeout_s=_TIMEOUT_S) as client:
        yield client


@asynccontextmanager
async def connected(rpc: str, program: str) -> AsyncIterator[Chain]:
    """The network of this program. Raises NotFound where none has begun, ChainUnavailable."""
    program_id = parse_address(program)
    async with endpoint(rpc) as client:
        data = await fetch_owned(client, config_address(program_id)[0], program_id)
        if data is None:
            raise NotFound(f"no network has begun under the program {program_id} at this endpoint: check both")
        config = ConfigAccount.decode(data)
        mint = await fetch_owned(client, Pubkey(config.mint), TOKEN_PROGRAM)
        if mint is None or len(mint) != MINT_SIZE:
            raise NotFound(f"the network's mint {Pubkey(config.mint)} is not there")
        yield Chain(client, program_id, config, mint[_DECIMALS_AT])
