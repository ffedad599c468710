"""What goes wrong, by a seed: one process after another is killed, paused or starved, and the wires are rough."""

import heapq
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import redis

from tests.faults.chain import TROUBLE, control
from tests.faults.processes import TIMING, Cluster, Daemon
from tests.faults.proxy import CALM, ROUGH

WEIGHTS = {
    "kill_hub": 2,
    "kill_worker": 4,
    "kill_redis": 2,
    "flush_redis": 3,
    "pause_worker": 3,
    "pause_hub": 1,
    "pause_redis": 1,
    "full_disk_hub": 2,
    "full_disk_worker": 1,
    "rpc": 3,
    "wires": 4,
}
PAUSE_S = (1.2 * TIMING.heartbeat_timeout_s, 2.5 * TIMING.heartbeat_timeout_s)
_TICK_S = 0.05
_REST_S = 0.3
"""How long a dead process stays dead, at least."""


class Injector:
    """Strikes about every ``every_s`` seconds and heals each wound after a while; call :meth:`tick` often.

    The sequence of faults is the seed's; the moments are the machine's.
    """

    def __init__(self, cluster: Cluster, seed: int, every_s: float) -> None:
        self._cluster, self._seed, self._every_s = cluster, seed, every_s
        self._draws = random.Random(f"{seed}/injector")
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._next_at = time.monotonic() + self._pause()
        self._down: set[str] = set()
        self.struck: Counter[str] = Counter()
        self._chain: Counter[str] = Counter()
        self.log: list[str] = []
        self.is_active = True

    def tick(self) -> None:
        """Heal what is due, start again what died by itself, strike if it is time."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        for daemon in self._cluster.daemons():
            if daemon.name not in self._down and not daemon.is_alive:
                self._stay_down(daemon, _REST_S)
        if "redis" not in self._down and not self._cluster.redis.is_alive():
            self._redis_back(_REST_S)
        if self.is_active and now >= self._next_at:
            self._strike()
            self._next_at = now + self._pause()
        time.sleep(_TICK_S)

    def heal(self) -> None:
        """No more faults; returns when every process is up again and the wires are calm."""
        self.is_active = False
        while self._later or self._down:
            self.tick()
        self._wires_calm()
        self._rpc({})
        for daemon in self._cluster.daemons():
            daemon.limit_files(-1)
            daemon.send(signal.SIGCONT)

    def faults(self) -> dict[str, int]:
        """How often each kind struck."""
        self._rpc({})
        wires = self._cluster.lease_proxy.struck + self._cluster.call_proxy.struck
        return {
            **dict(sorted(self.struck.items())),
            **dict(sorted(self._chain.items())),
            **dict(sorted(wires.items())),
        }

    def _pause(self) -> float:
        return self._every_s * self._draws.uniform(0.3, 1.7)

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), what))

    def _strike(self) -> None:
        kind = self._draws.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        fraction, who = self._draws.random(), self._draws.randrange(len(self._cluster.workers))
        victim = self._cluster.workers[who] if kind.endswith("worker") else self._cluster.hub
        target = "redis" if kind.endswith("redis") else victim.name
        if target in self._down and kind not in ("rpc", "wires"):
            return
        self.struck[kind] += 1
        self.log.append(kind)
        match kind:
            case "kill_hub" | "kill_worker":
                victim.kill()
                self._stay_down(victim, _REST_S + 2 * fraction)
            case "pause_hub" | "pause_worker":
                self._pause_process(victim, fraction)
            case "full_disk_hub" | "full_disk_worker":
                self._starve(victim, fraction)
            case "kill_redis":
                self._kill_redis(_REST_S + 2 * fraction)
            case "pause_redis":
                self._pause_redis(fraction)
            case "flush_redis":
                with suppress(redis.RedisError), redis.Redis.from_url(self._cluster.redis.url) as queue:
                    queue.flushall()
            case "rpc":
                ordinal = self.struck[kind]
                self._rpc({**TROUBLE, "seed": self._seed + ordinal})
                self._after(4 + 6 * fraction, lambda: self._rpc({}))
            case "wires":
                self._cluster.lease_proxy.rates = self._cluster.call_proxy.rates = ROUGH
                self._after(4 + 6 * fraction, self._wires_calm)

    def _stay_down(self, daemon: Daemon, seconds: float) -> None:
        self._down.add(daemon.name)

        def back() -> None:
            self._down.discard(daemon.name)
            daemon.start()

        self._after(seconds, back)

    def _pause_process(self, daemon: Daemon, fraction: float) -> None:
        daemon.send(signal.SIGSTOP)
        self._down.add(daemon.name)

        def back() -> None:
            self._down.discard(daemon.name)
            daemon.send(signal.SIGCONT)

        self._after(PAUSE_S[0] + (PAUSE_S[1] - PAUSE_S[0]) * fraction, back)

    def _starve(self, daemon: Daemon, fraction: float) -> None:
        """The disk is full: files that this process writes may not grow beyond a few bytes."""
        daemon.limit_files(int(200_000 * fraction))
        self._after(1 + 3 * fraction, lambda: daemon.limit_files(-1))

    def _kill_redis(self, rest_s: float) -> None:
        pid = self._cluster.redis.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        self._redis_back(rest_s)

    def _pause_redis(self, fraction: float) -> None:
        pid = self._cluster.redis.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        self._down.add("redis")

        def back() -> None:
            self._down.discard("redis")
            os.kill(pid, signal.SIGCONT)

        self._after(1 + 2 * fraction, back)

    def _redis_back(self, rest_s: float) -> None:
        self._down.add("redis")

        def back() -> None:
            self._cluster.redis.stop()
            self._cluster.redis.start()
            self._down.discard("redis")

        self._after(rest_s, back)

    def _rpc(self, plan: Mapping[str, Any]) -> None:
        """Another plan for the chain, which then counts anew."""
        struck = control(self._cluster.rpc_url, "devnet_faults")["struck"]
        self._chain.update({f"rpc_{kind}": times for kind, times in struck.items() if times})
        control(self._cluster.rpc_url, "devnet_faults", plan)

    def _wires_calm(self) -> None:
        self._cluster.lease_proxy.rates = self._cluster.call_proxy.rates = CALM
