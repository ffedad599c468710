"""What is under way on the chain and why: the outbox beside what endpoints, balance and stake look like now."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.pubkey import Pubkey

from proofgrid.errors import NotFound, ProofgridError
from proofgrid.settlement.accounts import ConfigAccount, ProverAccount
from proofgrid.settlement.addresses import config_address
from proofgrid.settlement.balance import BalanceGuard, Level
from proofgrid.settlement.endpoints import connect, endpoints_of, public_name
from proofgrid.settlement.layout.batches import MAX_LEAVES
from proofgrid.settlement.outbox import UNCONFIRMED, UNSETTLED, Entry, Log, Outbox, State, read_logs
from proofgrid.settlement.rpc import ask, fetch_many

STUCK_AFTER_S = 180.0
"""A batch that is not confirmed by then waits for more than a blockhash that expires."""
_BEHIND_SLOTS = 64


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class EndpointFacts(_Facts):
    """One endpoint now; ``slot`` is None where it does not answer, ``trouble`` says what is wrong with it."""

    name: str
    slot: int | None
    trouble: str | None


class BalanceFacts(_Facts):
    """Lamports of the hot key: what it has, what the largest batch needs, and below what it is low."""

    lamports: int
    needed: int
    low: int
    level: Level


class StakeFacts(_Facts):
    """The prover's stake in tokens' smallest units, and how many leaves the free part can stand behind."""

    stake: int
    locked: int
    free: int
    leaves_left: int | None
    next_number: int


class BatchFacts(_Facts):
    """One batch; ``heights_left`` is for how many blocks its transaction can still land."""

    number: int
    root: str
    leaf_count: int
    state: State
    attempts: int
    failures: int
    forks: int
    error: str | None
    signature: str | None
    age_s: float
    heights_left: int | None


class Overview(_Facts):
    """``stuck`` and ``warnings`` are sentences for people; nothing is stuck where ``stuck`` is empty."""

    verdict: Literal["clear", "under way", "stuck"]
    stuck: list[str]
    warnings: list[str]
    chain_id: str
    program_id: str
    prover: str
    signer: str
    endpoints: list[EndpointFacts]
    balance: BalanceFacts | None
    stake: StakeFacts | None
    counts: dict[State, int]
    batches: list[BatchFacts]


async def overview(outbox_file: Path, urls: Sequence[str] = (), *, timeout_s: float = 5.0) -> Overview:
    """Read the outbox's latest log and the chain; ``urls`` instead of the endpoints it was last written with.

    An endpoint that does not answer is part of the answer. Raises NotFound where there is no outbox.
    """
    logs = read_logs(outbox_file)
    if not logs:
        raise NotFound(f"no outbox at {outbox_file}: nothing was committed from here; start with `proofgrid up`")
    log = logs[0]
    outbox = Outbox(outbox_file, log, register=False)
    try:
        entries = outbox.entries(UNSETTLED) + [one for one in outbox.entries((State.FINALIZED,)) if one.error]
        counts = outbox.counts()
    finally:
        outbox.close()
    urls = urls or log.endpoints
    endpoints = _compared(await asyncio.gather(*(_endpoint(url, timeout_s) for url in urls)))
    working = [url for url, one in zip(urls, endpoints, strict=True) if one.slot is not None]
    balance, stake, height, trouble = None, None, None, None
    if working:
        client = connect(working, timeout_s=timeout_s)
        try:
            balance, stake, height = await _chain(client, log)
        except ProofgridError as error:
            trouble = str(error)
        finally:
            await client.close()
    now = time.time()
    stuck = _stuck(entries, endpoints, balance, stake, now)
    return Overview(
        verdict="stuck" if stuck else "under way" if any(one.state in UNSETTLED for one in entries) else "clear",
        stuck=stuck,
        warnings=_warnings(entries, endpoints, balance, stake) + ([trouble] if trouble else []),
        **{name: getattr(log, name) for name in ("chain_id", "program_id", "prover", "signer")},
        endpoints=endpoints,
        balance=balance,
        stake=stake,
        counts=counts,
        batches=[_batch(entry, height, now) for entry in entries],
    )


async def _endpoint(url: str, timeout_s: float) -> tuple[EndpointFacts, str | None]:
    """How it does, and its genesis hash."""
    client = connect([url], timeout_s=timeout_s)
    try:
        genesis = str((await ask(client.get_genesis_hash())).value)
        slot = (await ask(client.get_slot(Confirmed))).value
        return EndpointFacts(name=public_name(url), slot=slot, trouble=None), genesis
    except ProofgridError as error:
        (known,) = endpoints_of(client)
        return EndpointFacts(name=known.name, slot=None, trouble=known.trouble or str(error)), None
    finally:
        await client.close()


def _compared(found: Sequence[tuple[EndpointFacts, str | None]]) -> list[EndpointFacts]:
    """Those of another chain than the first, and those behind the others, are in trouble, too."""
    chain = next((genesis for _, genesis in found if genesis is not None), None)
    newest = max((one.slot or 0 for one, genesis in found if genesis == chain), default=0)
    compared = []
    for one, genesis in found:
        if genesis is not None and genesis != chain:
            one = one.model_copy(update={"slot": None, "trouble": f"is of another chain, {genesis}: remove it"})
        elif one.slot is not None and one.slot + _BEHIND_SLOTS < newest:
            one = one.model_copy(update={"trouble": f"{newest - one.slot} slots behind"})
        compared.append(one)
    return compared


async def _chain(client: AsyncClient, log: Log) -> tuple[BalanceFacts, StakeFacts | None, int]:
    program_id = Pubkey.from_string(log.program_id)
    balance = await BalanceGuard(client, Pubkey.from_string(log.signer)).read(MAX_LEAVES)
    prover, config = await fetch_many(client, [Pubkey.from_string(log.prover), config_address(program_id)[0]])
    height = (await ask(client.get_block_height(Confirmed))).value
    stake = None
    if prover is not None and prover.owner == program_id:
        pool = ProverAccount.decode(bytes(prover.data))
        free = max(pool.stake - pool.locked, 0)
        rules = None if config is None else ConfigAccount.decode(bytes(config.data)).rules
        stake = StakeFacts(
            stake=pool.stake,
            locked=pool.locked,
            free=free,
            leaves_left=None if rules is None else free // rules.leaf_bond,
            next_number=pool.next_number,
        )
    facts = BalanceFacts(lamports=balance.lamports, needed=balance.needed, low=balance.low, level=balance.level)
    return facts, stake, height


def _batch(entry: Entry, height: int | None, now: float) -> BatchFacts:
    last = entry.last_valid_block_height if entry.state is State.SIGNED else None
    return BatchFacts(
        **{name: getattr(entry, name) for name in BatchFacts.model_fields.keys() & Entry.__dataclass_fields__.keys()}
        | {"root": entry.root.hex()},
        age_s=round(max(now - entry.created_at, 0.0), 1),
        heights_left=None if last is None or height is None else max(last - height, 0),
    )


def _stuck(
    entries: Sequence[Entry],
    endpoints: Sequence[EndpointFacts],
    balance: BalanceFacts | None,
    stake: StakeFacts | None,
    now: float,
) -> list[str]:
    found = []
    waiting = [entry for entry in entries if entry.state in UNCONFIRMED]
    if all(one.slot is None for one in endpoints):
        found.append("no RPC endpoint answers")
    elif stake is None and balance is not None:
        found.append("the prover is not registered with the program: register it, and stake")
    if waiting and balance is not None and balance.level is Level.TOO_LOW:
        found.append("the hot key cannot pay for a batch: send it lamports")
    late = [entry for entry in waiting if now - entry.created_at > STUCK_AFTER_S]
    if late:
        first = late[0]
        why = first.error or "it waits for a submitter: is the network running?"
        found.append(f"batch {first.number} is {first.state} since {now - first.created_at:.0f} s: {why}")
    return found


def _warnings(
    entries: Sequence[Entry],
    endpoints: Sequence[EndpointFacts],
    balance: BalanceFacts | None,
    stake: StakeFacts | None,
) -> list[str]:
    found = [f"{one.name}: {one.trouble}" for one in endpoints if one.trouble]
    if balance is not None and balance.level is not Level.ENOUGH:
        found.append(f"the hot key's balance is {balance.level}: send it lamports")
    if stake is not None and stake.leaves_left is not None and stake.leaves_left < MAX_LEAVES:
        found.append(f"the free stake stands behind {stake.leaves_left} more leaves: add stake, or wait for releases")
    return found + [f"batch {one.number}: {one.error}" for one in entries if one.state is State.FINALIZED]
