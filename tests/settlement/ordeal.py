"""Many batches through a devnet that misbehaves, committed by submitters that are killed; then the chain is read.

``python -m tests.settlement.ordeal --count 1000`` runs the mixture with real SIGKILLs, and each fault alone; its last
line is JSON. ``test_submitter_faults.py`` runs the same, bounded.
"""

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from proofgrid.errors import ProofgridError
from proofgrid.settlement.accounts import BatchAccount, ProverAccount
from proofgrid.settlement.addresses import batch_address
from proofgrid.settlement.devnet import Delays, Devnet
from proofgrid.settlement.layout.batches import COMMIT_BATCH, ZERO_ROOT
from proofgrid.settlement.outbox import Log, Outbox, State
from proofgrid.settlement.rpc import fetch_many, fetch_owned
from proofgrid.settlement.submitter import Submitter
from tests.settlement.cluster import PAYER, PROGRAM, PROVER, founded, hurried

SLOT_S = 0.01
DELAYS = Delays(confirmed=2, finalized=32)
TIMEOUT_S = 0.4
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "drop": {"drop": 0.3},
    "late": {"late": 0.3, "late_slots": 8},
    "unseen": {"unseen": 0.3, "late_slots": 40},
    "fork": {"fork": 0.02, "fork_slots": 8},
    "fork_blockhashes": {"fork": 0.01, "fork_slots": 8, "fork_blockhashes": True},
    "error": {"error": 0.1},
    "behind": {"behind": 0.1},
    "reset": {"reset": 0.1},
    "timeout": {"timeout": 0.02, "timeout_s": 0.2},
    "limit": {"limit": 0.1, "retry_after_s": 0},
}
MIXED: dict[str, Any] = {
    "drop": 0.05,
    "late": 0.05,
    "late_slots": 8,
    "unseen": 0.05,
    "fork": 0.005,
    "fork_slots": 8,
    "fork_blockhashes": True,
    "error": 0.02,
    "behind": 0.02,
    "reset": 0.02,
    "timeout": 0.005,
    "timeout_s": 0.2,
    "limit": 0.02,
    "retry_after_s": 0,
}


@dataclass(frozen=True)
class Verdict:
    """What the chain and the outbox say in the end; all but the first two must be 0."""

    batches: int
    committed_once: int
    lost: int
    duplicated: int
    broken_links: int
    """Batches whose predecessor's root is another than the one before."""
    misnamed: int
    """Batches whose signature in the outbox is not the transaction that committed them."""

    @property
    def is_perfect(self) -> bool:
        return self.batches == self.committed_once and not (
            self.lost or self.duplicated or self.broken_links or self.misnamed
        )


def root_of(number: int) -> bytes:
    return hashlib.sha256(f"ordeal {number}".encode()).digest()


async def opened(url: str, outbox: Path) -> Submitter:
    """A submitter in a hurry over two ports of one devnet."""
    host, _, port = url.rpartition(":")
    urls = (url, f"{host}:{int(port) + 1}")
    ready = hurried(
        await Submitter.open(urls, PROGRAM.pubkey(), PROVER, PAYER, outbox, chain_id="devnet", timeout_s=TIMEOUT_S)
    )
    ready.client._provider._rest_s = 0.01  # type: ignore[attr-defined]
    return ready


async def commit(url: str, outbox: Path, count: int) -> None:
    """Commit the batches below ``count`` that are not yet, and return when all are final."""
    ready = await opened(url, outbox)
    async with ready:
        number = 0
        while number < count:
            try:
                await ready.commit_batch(root_of(number), 1 + number % 40, number=number)
                number += 1
            except ProofgridError as error:
                if not error.retryable and "WrongBatchNumber" not in str(error):
                    raise
        while not await is_final(ready, count):
            await asyncio.sleep(SLOT_S)


async def is_final(ready: Submitter, count: int) -> bool:
    try:
        await ready.tend()
    except ProofgridError as error:
        if not error.retryable and "WrongBatchNumber" not in str(error):
            raise
    counts = ready.outbox.counts()
    return sum(counts.get(state, 0) for state in (State.FINALIZED, State.RELEASED)) == count


async def judge(url: str, outbox: Path, count: int) -> Verdict:
    """Read every batch and every transaction that named it. The faults must be over, and everything final."""
    await control(url, "devnet_faults", {})
    log = Log("devnet", str(PROGRAM.pubkey()), str(PROVER), str(PAYER.pubkey()))
    memory = Outbox(outbox, log, register=False)
    async with await opened(url, Path(":memory:")) as ready:
        data = await fetch_owned(ready.client, PROVER, PROGRAM.pubkey())
        assert data is not None
        assert ProverAccount.decode(data).next_number == count
        addresses = [batch_address(PROGRAM.pubkey(), PROVER, number)[0] for number in range(count)]
        accounts = await fetch_many(ready.client, addresses)
        once = duplicated = misnamed = broken = lost = 0
        for number, (address, account) in enumerate(zip(addresses, accounts, strict=True)):
            batch = None if account is None else BatchAccount.decode(bytes(account.data))
            if batch is None or batch.root != root_of(number):
                lost += 1
                continue
            succeeded = await signatures_of(url, address)
            entry = memory.entry(number)
            once += len(succeeded) == 1
            duplicated += len(succeeded) > 1
            misnamed += entry is None or entry.signature not in succeeded
            broken += batch.prev_root != (root_of(number - 1) if number else ZERO_ROOT)
    memory.close()
    return Verdict(count, once, lost, duplicated, broken, misnamed)


async def signatures_of(url: str, address: Pubkey) -> list[str]:
    """The transactions that committed the batch at this address and succeeded."""
    found = await control(url, "getSignaturesForAddress", str(address), {"commitment": "confirmed"})
    succeeded = [one["signature"] for one in found if one["err"] is None]
    return succeeded if len(succeeded) == 1 else [one for one in succeeded if await commits(url, one)]


async def commits(url: str, signature: str) -> bool:
    """Whether it is a commitment, and not a release."""
    options = {"commitment": "confirmed", "encoding": "base64", "maxSupportedTransactionVersion": 0}
    encoded = (await control(url, "getTransaction", signature, options))["transaction"][0]
    instructions = VersionedTransaction.from_bytes(b64decode(encoded)).message.instructions
    return any(bytes(one.data)[:1] == bytes([COMMIT_BATCH.arguments.tag or 0]) for one in instructions)


async def control(url: str, method: str, *params: Any) -> Any:
    """One call that no fault may meet."""
    async with httpx.AsyncClient(timeout=10, verify=False) as http:
        answer = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return answer.json()["result"]


def founded_devnet(folder: Path) -> Devnet:
    """A devnet with a network on it, whose payer can pay for thousands of batches for good."""
    state_file = folder / "devnet.jsonl"
    state_file.write_bytes(founded())
    devnet = Devnet.start(state_file=state_file, slot_s=SLOT_S, delays=DELAYS)
    asyncio.run(fund(devnet.url))
    return devnet


async def fund(url: str) -> None:
    await control(url, "requestAirdrop", str(PAYER.pubkey()), 10**11)
    await control(url, "devnet_warp", {"slots": 200})


def ordeal(plan: dict[str, Any], count: int, *, seed: int = 7) -> tuple[Verdict, dict[str, int]]:
    """One submitter, never killed, under a plan of faults; the verdict, and how often each fault struck."""
    with tempfile.TemporaryDirectory() as name, founded_devnet(Path(name)) as devnet:

        async def run() -> tuple[Verdict, dict[str, int]]:
            await control(devnet.url, "devnet_faults", {**plan, "seed": seed})
            await commit(devnet.url, Path(name) / "outbox", count)
            struck = (await control(devnet.url, "devnet_faults"))["struck"]
            return await judge(devnet.url, Path(name) / "outbox", count), struck

        return asyncio.run(run())


def hunt(plan: dict[str, Any], count: int, *, seed: int = 7) -> tuple[Verdict, dict[str, int], int]:
    """As :func:`ordeal`, with a process that is killed by SIGKILL at random moments and begun anew; and the kills."""
    chance, kills = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as name, devnet_process(Path(name)) as url:
        outbox = Path(name) / "outbox"
        asyncio.run(control(url, "devnet_faults", {**plan, "seed": seed}))
        worker = begin(url, outbox, count)
        while True:
            worker.join(chance.uniform(0.05, 2.0))
            if worker.exitcode == 0:
                break
            if worker.exitcode is not None:
                raise RuntimeError(f"the submitter's process ended with {worker.exitcode}")
            worker.kill()
            worker.join()
            kills += 1
            worker = begin(url, outbox, count)

        async def see() -> tuple[Verdict, dict[str, int]]:
            struck = (await control(url, "devnet_faults"))["struck"]
            return await judge(url, outbox, count), struck

        return *asyncio.run(see()), kills


def begin(url: str, outbox: Path, count: int) -> BaseProcess:
    """A process that commits; forked, so that it is at work at once."""
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(url, outbox, count), daemon=True)
    worker.start()
    return worker


def _work(url: str, outbox: Path, count: int) -> None:
    asyncio.run(commit(url, outbox, count))


@contextmanager
def devnet_process(folder: Path) -> Iterator[str]:
    """As :func:`founded_devnet`, in a process of its own; its URL."""
    state_file = folder / "devnet.jsonl"
    state_file.write_bytes(founded())
    options = ["--port", "0", "--state-file", str(state_file), "--slot-s", str(SLOT_S)]
    options += ["--confirmed-after", str(DELAYS.confirmed), "--finalized-after", str(DELAYS.finalized)]
    command = [sys.executable, "-m", "proofgrid.settlement.devnet", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            asyncio.run(fund(url))
            yield url
        finally:
            process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.settlement.ordeal", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="batches under the mixture of faults and kills")
    parser.add_argument("--alone", type=int, default=100, help="batches under each fault alone")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    begun, runs = time.monotonic(), list[dict[str, Any]]()
    for name, plan in {"mixed": MIXED, **FAULTS}.items():
        count = options.count if name == "mixed" else options.alone
        started = time.monotonic()
        verdict, struck, kills = hunt(plan, count, seed=options.seed)
        faults = {kind: times for kind, times in struck.items() if times}
        seconds = round(time.monotonic() - started, 1)
        runs.append({"run": name, **asdict(verdict), "kills": kills, "faults": faults, "seconds": seconds})
        print(json.dumps(runs[-1]), flush=True)
        if not verdict.is_perfect:
            break
    totals = {key: sum(run[key] for run in runs) for key in [*asdict(verdict), "kills"]}
    faults_in_all = Counter[str]()
    for run in runs:
        faults_in_all.update(run["faults"])
    print(json.dumps({**totals, "faults": faults_in_all, "seconds": round(time.monotonic() - begun, 1)}))
    return 0 if verdict.is_perfect else 1


if __name__ == "__main__":
    sys.exit(main())
