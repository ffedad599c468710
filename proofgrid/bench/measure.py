"""Turn by turn: a round runs our work once, each peer once, and reads the machine's rates, so drift meets all alike."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from proofgrid.bench.cases import Case
from proofgrid.bench.limit import seconds as limit_seconds
from proofgrid.bench.peers import Peer
from proofgrid.kernels.native import measure_rates
from proofgrid.kernels.native.rates import Rates

_TURN_S, _TURN_RUNS = 0.05, 20


@dataclass(frozen=True)
class Measurement:
    """The seconds of every run, in order and without the warm-up; ``peers`` by name.

    ``cpu`` is what our run took of all cores together: on a busy machine it says more than the clock on the wall.
    """

    ours: list[float]
    cpu: list[float]
    peers: dict[str, list[float]]
    rates: Rates
    limit_seconds: float

    @property
    def seconds(self) -> float:
        return statistics.median(self.ours)

    @property
    def share_of_limit(self) -> float:
        return self.limit_seconds / self.seconds


def measure(
    case: Case, *, runs: int, threads: int, peers: dict[str, str], on_progress: Callable[[str], None]
) -> Measurement:
    """Medians over ``runs`` rounds after one of warming up; the peers are commands by name.

    Our threads and each peer are held to ``threads`` cores. Raises
    :class:`~proofgrid.bench.peers.PeerFailed`.
    """
    ours: list[float] = []
    cpu: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    rates: list[Rates] = []
    with held_to(threads), ExitStack() as stack:
        running = [stack.enter_context(Peer(name, command, case.peer_arguments)) for name, command in peers.items()]
        for number in range(runs + 1):
            cpu_start = time.process_time()
            turn = _turn(partial(_timed, case.work))
            cpu_seconds = (time.process_time() - cpu_start) / len(turn)
            samples = {"proofgrid": statistics.median(turn)}
            if number == 0:
                case.check()
            for peer in running:
                samples[peer.name] = statistics.median(_turn(peer.run))
            rates.append(measure_rates())
            what = f"run {number} of {runs}" if number else "warm-up"
            on_progress(f"{what}: " + "  ".join(f"{name} {1000 * s:.3f} ms" for name, s in samples.items()))
            if number:
                ours.append(samples["proofgrid"])
                cpu.append(cpu_seconds)
                for name, all_seconds in theirs.items():
                    all_seconds.append(samples[name])
    typical = Rates(
        *(statistics.median(getattr(one, what) for one in rates) for what in ("cycles", "mul64", "vpmadd52"))
    )
    return Measurement(ours, cpu, theirs, typical, limit_seconds(case.instructions(typical), typical, threads))


def _turn(run: Callable[[], float]) -> list[float]:
    """The seconds of one turn's runs: short work is repeated in it, so that its cache is warm, a peer's too."""
    samples = [run()]
    while sum(samples) < _TURN_S and len(samples) < _TURN_RUNS:
        samples.append(run())
    return samples


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """This thread, and what it starts, on as many cores as ``threads``, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[-threads:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
