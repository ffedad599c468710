"""One ordeal: a network is put up, requests run while the injector strikes, everything heals, and is audited."""

import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.networks import children, is_alive
from tests.faults import audit
from tests.faults.injector import Injector
from tests.faults.processes import cluster
from tests.faults.requesters import Job, Requesters, make_jobs, make_offers

REPORT_EVERY_S = 5.0


@dataclass(frozen=True)
class Plan:
    """``seconds`` of faults at most, fewer if every request has ended before; ``patience_s`` for the rest, healed."""

    count: int
    seconds: float
    seed: int
    every_s: float = 0.8
    workers: int = 2
    patience_s: float = 120.0
    bug: str | None = None


@dataclass(frozen=True)
class Outcome:
    verdict: audit.Verdict
    faults: dict[str, int]
    endings: dict[str, int]
    seconds: float


def run(plan: Plan, tell: Callable[[str], None]) -> Outcome:
    """Carry it out; ``tell`` hears of progress."""
    begun, verdict = time.monotonic(), audit.Verdict()
    jobs, others = make_jobs(plan.count, plan.seed), children(os.getpid())
    with tempfile.TemporaryDirectory(prefix="proofgrid-faults-") as name:
        with cluster(Path(name), seed=plan.seed, workers=plan.workers, bug=plan.bug) as up:
            offers = make_offers(up.url, Path(name))
            tell(f"a network of {2 + len(up.daemons())} processes is up after {time.monotonic() - begun:.0f} s")
            injector = Injector(up, plan.seed, plan.every_s)
            requesters = Requesters(up.call_proxy.url, offers, jobs, period_s=0.8 * plan.seconds)
            requesters.start()
            _strike(injector, requesters, plan, len(jobs), tell)
            tell(f"healing; {requesters.ended} of {len(jobs)} are known to have ended")
            injector.heal()
            if not _await(injector, requesters, plan.patience_s):
                tell(f"only {requesters.ended} of {len(jobs)} ended")
            requesters.give_up()
            tell(f"auditing; the clients met {dict(requesters.troubles)}")
            tell(f"tracebacks in the logs: {dict(_tracebacks(Path(name)))}")
            audit.from_outside(up, jobs, offers, verdict)
            audit.in_database(up, jobs, verdict)
            faults, pids = injector.faults(), _processes(others)
            verdict.lost += [f"{one.name} did not end" for one in up.daemons() if not one.stop()]
        verdict.lost += [f"process {pid} is left" for pid in pids if is_alive(pid)]
    return Outcome(verdict, faults, _endings(jobs), time.monotonic() - begun)


def _strike(injector: Injector, requesters: Requesters, plan: Plan, count: int, tell: Callable[[str], None]) -> None:
    ends_at = time.monotonic() + plan.seconds
    told_at = time.monotonic()
    while time.monotonic() < ends_at and requesters.ended < count:
        injector.tick()
        if time.monotonic() - told_at > REPORT_EVERY_S:
            told_at = time.monotonic()
            left = ends_at - told_at
            tell(
                f"{requesters.placed} of {count} placed, {requesters.ended} awaited, "
                f"{sum(injector.struck.values())} faults struck; {left:.0f} s to go"
            )


def _await(injector: Injector, requesters: Requesters, patience_s: float) -> bool:
    ends_at = time.monotonic() + patience_s
    while time.monotonic() < ends_at:
        injector.tick()  # no more faults, but a process that ended by itself comes back
        if requesters.is_done:
            return True
    return False


def _processes(others: set[int]) -> set[int]:
    """Every process of the network, and their children; ``others`` were ours before."""
    mine = children(os.getpid()) - others
    return mine | {child for pid in mine for child in children(pid)}


def _tracebacks(folder: Path) -> Counter[str]:
    """Exceptions that the network's processes did not expect, by their last lines; for the reader, no verdict."""
    found = Counter[str]()
    for log in (*folder.glob("*.log"), *folder.glob("state/logs/*.log")):
        text = log.read_text(errors="replace")
        found.update(f"{log.stem}: {line[:100]}" for line in re.findall(r"^[\w.]+(?:Error|Exception)\b.*", text, re.M))
    return found


def _endings(jobs: list[Job]) -> dict[str, int]:
    found: dict[str, int] = {}
    for job in jobs:
        ending = str(job.ending) if job.ending is not None else "none"
        found[ending] = found.get(ending, 0) + 1
    return found
