"""Between the gateway and provers of other operators: who they are, and what they get to do."""

from typing import Annotated

from pydantic import Field

from proofgrid.models.fields import AttemptId, Message, UnixTime
from proofgrid.models.leases import ProveTask
from proofgrid.models.market import Hardware, ProverKey

MAX_SLOTS = 256
ProverName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._ -]{1,64}$")]
ChainAddress = Annotated[str, Field(pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
"""An address on Solana, base58."""


class Registration(Message):
    """What a prover says of itself; told to the public, believed by nobody."""

    name: ProverName
    chain_address: ChainAddress | None = None
    """Its prover account, which holds its stake."""
    capacity: Annotated[int, Field(ge=0, le=4096)] = 1
    hardware: Hardware
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,32}$")]


class ProverView(Registration):
    """One prover as everybody sees it."""

    key: ProverKey
    registered_at: UnixTime
    seen_at: UnixTime
    left_at: UnixTime | None


class Provers(Message):
    """A page of provers, in the order of their keys; ``next_after`` asks for the next."""

    provers: tuple[ProverView, ...]
    next_after: ProverKey | None = None


class WorkCall(Message):
    """A prover asks for what it was assigned; what it holds already is not sent again."""

    slots: Annotated[int, Field(ge=1, le=MAX_SLOTS)] = 1
    wait_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    held: Annotated[tuple[AttemptId, ...], Field(max_length=4096)] = ()


class Work(Message):
    """Tasks, each under its fencing token; the prover fills in its own ``gateway_url``."""

    tasks: tuple[ProveTask, ...]
